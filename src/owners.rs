//! Who in JavaScript wants to hear of faults in which memory: the facade's objects, by environment and Region.

use std::cell::RefCell;
use std::collections::HashMap;

use napi::Env;
use napi::bindgen_prelude::Unknown;

use crate::weak::Weak;

thread_local! {
    /// Environments stay on their thread.
    static OWNERS: RefCell<HashMap<(usize, u64), Vec<Weak>>> = RefCell::default();
}

fn key(env: &Env, id: u64) -> (usize, u64) {
    (env.raw() as usize, id)
}

/// Enters an object.
pub fn add(env: &Env, id: u64, owner: Weak) {
    OWNERS.with_borrow_mut(|all| all.entry(key(env, id)).or_default().push(owner));
}

/// Takes it out and deletes the reference.
pub fn remove(env: &Env, id: u64, owner: Weak) {
    OWNERS.with_borrow_mut(|all| {
        if let Some(owners) = all.get_mut(&key(env, id)) {
            owners.retain(|other| *other != owner);
            if owners.is_empty() {
                all.remove(&key(env, id));
            }
        }
    });
    owner.delete(env);
}

/// The objects that stand on a Region.
pub fn of(env: &Env, id: u64) -> Vec<Unknown<'_>> {
    let owners = OWNERS.with_borrow(|all| all.get(&key(env, id)).cloned().unwrap_or_default());
    owners.iter().filter_map(|weak| weak.get(env)).collect()
}

/// All objects of this environment.
pub fn all(env: &Env) -> Vec<Unknown<'_>> {
    let environment = env.raw() as usize;
    let owners: Vec<Weak> = OWNERS.with_borrow(|all| {
        let mine = all.iter().filter(|((other, _), _)| *other == environment);
        mine.flat_map(|(_, owners)| owners.iter().copied())
            .collect()
    });
    owners.iter().filter_map(|weak| weak.get(env)).collect()
}

/// The environment ends, and its references with it.
pub fn forget(environment: usize) {
    // An environment may end after its thread's variables.
    let _ = OWNERS.try_with(|all| {
        all.borrow_mut()
            .retain(|(other, _), _| *other != environment);
    });
}
