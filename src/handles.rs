//! Names by which the threads of this process find each other's memory. A name is plain data: it keeps nothing open, and it cannot be guessed.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::region::Region;

type Published = Vec<(String, Weak<Region>)>;

/// As many as there are shared mappings: a list is smaller than a table, and as fast.
fn published() -> MutexGuard<'static, Published> {
    static ALL: Mutex<Published> = Mutex::new(Vec::new());
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The Region's name; the same at every call.
pub fn publish(region: &Arc<Region>, label: u32) -> Outcome<String> {
    if region.is_adopted() {
        // The pages are the engine's, of this thread only, and end with it.
        return Err(Fail::system(code::ENOTSUP, "mmap")
            .hint("private pages that this engine carries belong to one thread"));
    }
    region.set_label(label);
    let mut all = published();
    if let Some(name) = region.name() {
        return Ok(name.to_owned());
    }
    all.retain(|(_, weak)| weak.strong_count() > 0);
    // The standard library keys its hashers from the system's random numbers.
    let word = || RandomState::new().hash_one(region.id());
    let name = region.set_name(format!("{:016x}{:016x}", word(), word()));
    all.push((name.clone(), Arc::downgrade(region)));
    Ok(name)
}

/// The Region behind a name, with one more holder. Stale and invented names find nothing.
pub fn take(name: &str) -> Outcome<Arc<Region>> {
    let found = published()
        .iter()
        .find(|(known, _)| known == name)
        .and_then(|(_, weak)| weak.upgrade());
    match found {
        Some(region) if region.hold() => Ok(region),
        _ => Err(Fail::Coded {
            code: "ERR_INVALID_STATE",
            range: false,
            message: "Invalid state: no open mapping has this handle".into(),
        }),
    }
}
