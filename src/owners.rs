//! Who in JavaScript wants to hear of faults in which memory: the facade's objects, by environment and Region.

use std::cell::RefCell;

use napi::Env;
use napi::bindgen_prelude::Unknown;

use crate::weak::Weak;

/// One object of one environment and its Region's id.
#[derive(Clone, Copy)]
struct Owner {
    environment: usize,
    region: u64,
    object: Weak,
}

#[derive(Default)]
struct Owners {
    places: Vec<Option<Owner>>,
    free: Vec<usize>,
}

impl Owners {
    fn vacate(&mut self, place: usize, leaves: impl Fn(&Owner) -> bool) {
        if self.places[place].is_some_and(|owner| leaves(&owner)) {
            self.places[place] = None;
            self.free.push(place);
        }
    }
}

thread_local! {
    /// Environments stay on their thread.
    static OWNERS: RefCell<Owners> = RefCell::default();
}

/// Where an object was entered.
#[derive(Clone, Copy)]
pub struct Place(usize, Weak);

/// Enters an object.
pub fn add(env: &Env, region: u64, object: Weak) -> Place {
    let owner = Some(Owner {
        environment: env.raw() as usize,
        region,
        object,
    });
    OWNERS.with_borrow_mut(|all| {
        let place = all.free.pop().unwrap_or(all.places.len());
        match all.places.get_mut(place) {
            Some(free) => *free = owner,
            None => all.places.push(owner),
        }
        Place(place, object)
    })
}

/// Takes it out and deletes the reference.
pub fn remove(env: &Env, Place(place, object): Place) {
    let environment = env.raw() as usize;
    OWNERS.with_borrow_mut(|all| {
        // Its environment may have been forgotten, and the place be another's.
        all.vacate(place, |owner| {
            owner.environment == environment && owner.object == object
        });
    });
    object.delete(env);
}

/// The objects that stand on a Region.
pub fn of(env: &Env, region: u64) -> Vec<Unknown<'_>> {
    living(env, |owner| owner.region == region)
}

/// All objects of this environment.
pub fn all(env: &Env) -> Vec<Unknown<'_>> {
    living(env, |_| true)
}

fn living(env: &Env, wanted: impl Fn(&Owner) -> bool) -> Vec<Unknown<'_>> {
    let environment = env.raw() as usize;
    let owners: Vec<Owner> = OWNERS.with_borrow(|all| {
        let owners = all.places.iter().flatten();
        owners
            .filter(|owner| owner.environment == environment && wanted(owner))
            .copied()
            .collect()
    });
    owners
        .iter()
        .filter_map(|owner| owner.object.get(env))
        .collect()
}

/// The environment ends, and its references with it.
pub fn forget(environment: usize) {
    // An environment may end after its thread's variables.
    let _ = OWNERS.try_with(|all| {
        let mut all = all.borrow_mut();
        for place in 0..all.places.len() {
            all.vacate(place, |owner| owner.environment == environment);
        }
    });
}
