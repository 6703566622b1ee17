//! Once per JavaScript environment (main thread, each worker): how news of faults gets there, and what the system offers.
#![allow(
    unsafe_code,
    reason = "the guard writes into an array of JavaScript, which stays referenced until the environment ends"
)]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::Env;
use napi::bindgen_prelude::{Function, Int32Array, Unknown};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use crate::carrier::{overlay, shared};
use crate::{fault, os, owners, shared_memory};

/// Memory for `epoch` that is never freed: not every engine runs the cleanup hook of a worker that ends, and the guard would count in freed
/// memory then. `undefined` where the engine refuses external buffers.
#[napi(ts_return_type = "ArrayBuffer | undefined")]
pub fn epoch_memory(env: &Env) -> napi::Result<Option<Unknown<'_>>> {
    crate::carrier::external::leaked(env, 64)
}

/// `epoch[0]` is incremented whenever a mapping of this process faults; `on_fault` is called soon after, on this thread.
#[napi]
pub fn setup(env: &Env, mut epoch: Int32Array, on_fault: Function<'_, (), ()>) -> napi::Result<()> {
    // Handlers, threads and finalizers outlive the worker that loaded the add-on first: its code must stay mapped.
    napi::bindgen_prelude::retain_current_module_for_unload_safety();
    let news = on_fault
        .build_threadsafe_function::<()>()
        .weak::<true>()
        .build()?;
    let news = Arc::new(news);
    let wake = Box::new(move || {
        news.call((), ThreadsafeFunctionCallMode::NonBlocking);
    });
    let key = env.raw() as usize;
    // SAFETY: the array's memory lives as long as `epoch`, which the hook below drops only after the subscription; JavaScript only reads it.
    let subscription = unsafe { fault::subscribe(epoch.as_mut().as_mut_ptr(), wake) };
    environments().push((key, subscription));
    env.add_env_cleanup_hook(epoch, move |epoch| {
        overlay::environment_ends(key);
        owners::forget(key);
        let mut all = environments();
        let at = all.iter().position(|(of, _)| *of == key);
        let gone = at.map(|at| all.swap_remove(at));
        drop(all);
        drop(gone);
        drop(epoch);
    })?;
    Ok(())
}

/// Who hears of faults, by environment.
fn environments() -> MutexGuard<'static, Vec<(usize, fault::Subscription)>> {
    static ALL: Mutex<Vec<(usize, fault::Subscription)>> = Mutex::new(Vec::new());
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The faults of all mappings of this process since this environment last asked, oldest first: id, kind, offset from the page-aligned base, …
#[napi]
pub fn take_faults(env: &Env) -> Vec<f64> {
    let environments = environments();
    let key = env.raw() as usize;
    let Some((_, subscription)) = environments.iter().find(|(of, _)| *of == key) else {
        return Vec::new();
    };
    let events = subscription.take_events();
    events
        .iter()
        .flat_map(|event| {
            [
                event.mapping as f64,
                f64::from(event.fault.kind as u8),
                event.fault.offset as f64,
            ]
        })
        .collect()
}

/// sysconf(_SC_PAGESIZE), in bytes.
#[napi]
pub fn page_size() -> u32 {
    os::page_size() as u32
}

/// What file offsets must be a multiple of, in bytes; memmap hides it.
#[napi]
pub fn allocation_granularity() -> u32 {
    os::allocation_granularity() as u32
}

/// Whether this system has a feature.
#[napi]
pub fn is_supported(feature: String) -> bool {
    match feature.as_str() {
        "faultGuard" => fault::enabled(),
        "wait" => crate::futex::supported(),
        "sharedArrayBuffer" => shared::available() || overlay::available(),
        "residency" | "lock" => cfg!(any(unix, windows)),
        "resizeInPlace" => cfg!(unix) || os::holds_places(),
        // By name: Windows names sections.
        "posixShm" => cfg!(not(target_os = "android")),
        "sysvShm" => cfg!(all(unix, not(target_os = "android"))),
        // Old kernels and containers lack it, whatever system they are.
        "memfd" => shared_memory::has_nameless(),
        "seal" => shared_memory::has_seals(),
        "hugePages" => os::huge_page_size() != os::page_size(),
        _ => os::advice(&feature).is_some_and(os::knows_advice),
    }
}

/// `napi_detach_arraybuffer`, for engines without `ArrayBuffer.prototype.transfer`.
#[napi(ts_args_type = "buffer: ArrayBuffer")]
pub fn detach(env: &Env, buffer: napi::bindgen_prelude::Unknown<'_>) -> napi::Result<()> {
    crate::carrier::external::detach(env, &buffer)
}

/// Whether this engine makes ArrayBuffers over foreign memory.
#[napi]
pub fn external_allowed(env: &Env) -> napi::Result<bool> {
    crate::carrier::external::allowed(env)
}

/// Whether this engine makes SharedArrayBuffers over foreign memory.
#[napi]
pub fn shared_allowed() -> bool {
    shared::available()
}

/// Whether files can be mapped over pages of the engine.
#[napi]
pub fn overlays_allowed() -> bool {
    overlay::available()
}

/// The facade's objects that stand on the memory with this id.
#[napi(ts_return_type = "object[]")]
pub fn owners_of(env: &Env, id: f64) -> Vec<Unknown<'_>> {
    owners::of(env, id as u64)
}

/// The facade's objects, of all memory.
#[napi(ts_return_type = "object[]")]
pub fn all_owners(env: &Env) -> Vec<Unknown<'_>> {
    owners::all(env)
}
