//! Once per JavaScript environment (main thread, each worker): how news of faults gets there, and what the system offers.
#![allow(unsafe_code, reason = "the guard writes into an array of JavaScript, which stays referenced until the environment ends")]

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Function, Int32Array};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use crate::{fault, os};

/// `epoch[0]` is incremented whenever a mapping of this process faults; `on_fault` is called soon after, on this thread.
#[napi]
pub fn setup(env: &Env, mut epoch: Int32Array, on_fault: Function<'_, (), ()>) -> napi::Result<()> {
    // Handlers, threads and finalizers outlive the worker that loaded the add-on first: its code must stay mapped.
    napi::bindgen_prelude::retain_current_module_for_unload_safety();
    let news = on_fault.build_threadsafe_function::<()>().weak::<true>().build()?;
    let news = Arc::new(news);
    // SAFETY: the array's memory lives as long as `epoch`, which the hook below drops only after the subscription.
    let cell = unsafe { epoch.as_mut() }.as_mut_ptr();
    let subscription = fault::subscribe(
        cell,
        Box::new(move || {
            news.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }),
    );
    env.add_env_cleanup_hook((subscription, epoch), |(subscription, epoch)| {
        drop(subscription);
        drop(epoch);
    })?;
    Ok(())
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
        "wait" => crate::futex::SUPPORTED,
        _ => false,
    }
}

/// `napi_detach_arraybuffer`, for engines without `ArrayBuffer.prototype.transfer`.
#[napi(ts_args_type = "buffer: ArrayBuffer")]
pub fn detach(env: &Env, buffer: napi::bindgen_prelude::Unknown<'_>) -> napi::Result<()> {
    crate::carrier::external::detach(env, &buffer)
}
