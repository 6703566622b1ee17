//! Who in JavaScript wants to hear of faults in which memory: the facade's objects, by environment and Region.

use std::cell::RefCell;
use std::collections::BTreeSet;

use napi::Env;
use napi::bindgen_prelude::Unknown;

use crate::weak::Weak;

thread_local! {
    /// By environment, which stays on its thread, and Region.
    static OWNERS: RefCell<BTreeSet<(usize, u64, Weak)>> = RefCell::default();
}

/// Enters an object.
pub fn add(env: &Env, id: u64, owner: Weak) {
    OWNERS.with_borrow_mut(|all| all.insert((env.raw() as usize, id, owner)));
}

/// Takes it out and deletes the reference.
pub fn remove(env: &Env, id: u64, owner: Weak) {
    OWNERS.with_borrow_mut(|all| all.remove(&(env.raw() as usize, id, owner)));
    owner.delete(env);
}

/// The objects that stand on a Region.
pub fn of(env: &Env, id: u64) -> Vec<Unknown<'_>> {
    among(env, id, id)
}

/// All objects of this environment.
pub fn all(env: &Env) -> Vec<Unknown<'_>> {
    among(env, 0, u64::MAX)
}

fn among(env: &Env, first: u64, last: u64) -> Vec<Unknown<'_>> {
    let environment = env.raw() as usize;
    let range = (environment, first, Weak::FIRST)..=(environment, last, Weak::LAST);
    let owners: Vec<Weak> =
        OWNERS.with_borrow(|all| all.range(range).map(|(.., owner)| *owner).collect());
    owners.iter().filter_map(|weak| weak.get(env)).collect()
}

/// The environment ends, and its references with it.
pub fn forget(environment: usize) {
    // An environment may end after its thread's variables.
    let _ = OWNERS.try_with(|all| {
        all.borrow_mut().retain(|(other, ..)| *other != environment);
    });
}
