//! `napi_create_external_arraybuffer`, called directly: napi-rs's own helpers copy the bytes and free the source where the engine refuses external buffers.
#![allow(unsafe_code, reason = "Node-API")]

use std::ffi::c_void;
use std::sync::Arc;

use napi::bindgen_prelude::{FromNapiValue, JsValue, Unknown};
use napi::{Env, Error, Status, sys};

use crate::region::Region;

/// `napi_no_external_buffers_allowed`: V8's memory cage.
pub const REFUSED: i32 = 22;

/// Test builds answer as Electron's engine does when `MEMMAP_TEST_REFUSE_EXTERNAL` is set.
fn refused() -> bool {
    cfg!(feature = "test-hooks") && std::env::var_os("MEMMAP_TEST_REFUSE_EXTERNAL").is_some()
}

/// Whether the engine takes foreign memory at all: tried on a static page.
pub fn allowed(env: &Env) -> napi::Result<bool> {
    static PROBE: [u64; 8] = [0; 8];
    if refused() {
        return Ok(false);
    }
    let data = PROBE.as_ptr().cast_mut().cast::<c_void>();
    let mut value = std::ptr::null_mut();
    // SAFETY: a static is valid for ever, needs no finalizer, and nobody gets this buffer.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env.raw(),
            data,
            size_of_val(&PROBE),
            None,
            std::ptr::null_mut(),
            &raw mut value,
        )
    };
    match status {
        sys::Status::napi_ok => Ok(true),
        REFUSED => Ok(false),
        _ => Err(pending(env, status)),
    }
}

/// An ArrayBuffer over zeros that stay for the life of the process.
pub fn leaked(env: &Env, length: usize) -> napi::Result<Option<Unknown<'_>>> {
    if refused() {
        return Ok(None);
    }
    let data = Box::leak(vec![0_u64; length.div_ceil(8)].into_boxed_slice()).as_mut_ptr();
    let mut value = std::ptr::null_mut();
    // SAFETY: the memory is leaked, so it is valid for ever and needs no finalizer.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env.raw(),
            data.cast(),
            length,
            None,
            std::ptr::null_mut(),
            &raw mut value,
        )
    };
    match status {
        // SAFETY: `value` is a fresh handle of this environment.
        sys::Status::napi_ok => unsafe { Unknown::from_napi_value(env.raw(), value) }.map(Some),
        REFUSED => Ok(None),
        _ => Err(pending(env, status)),
    }
}

/// An ArrayBuffer over `length` bytes at `start` bytes from the Region's base, which keeps the Region mapped. `None` where the engine refuses.
pub fn export<'env>(
    env: &'env Env,
    region: &Arc<Region>,
    start: usize,
    length: usize,
) -> napi::Result<Option<Unknown<'env>>> {
    let data = region.base().wrapping_add(start);
    // The range is inside the Region: mapping.rs checked it.
    let buffer = over(env, Arc::clone(region), data, length)?;
    if let Some(buffer) = &buffer {
        keep_for_late_readers(env, region, buffer.raw());
    }
    Ok(buffer)
}

/// An ArrayBuffer over a whole reservation, which it keeps. What is not mapped there must not be touched; and nobody may get it but who knows.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn export_space<'env>(
    env: &'env Env,
    space: &Arc<crate::reservation::Space>,
) -> napi::Result<Option<Unknown<'env>>> {
    let data = std::ptr::with_exposed_provenance_mut(space.base());
    over(env, Arc::clone(space), data, space.length())
}

fn over<T: Send + Sync>(
    env: &Env,
    keeper: Arc<T>,
    data: *mut u8,
    length: usize,
) -> napi::Result<Option<Unknown<'_>>> {
    if refused() {
        return Ok(None);
    }
    let hint = Arc::into_raw(keeper).cast_mut().cast::<c_void>();
    let mut value = std::ptr::null_mut();
    // SAFETY: the range is the keeper's, which `hint` keeps alive until `finalize`.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env.raw(),
            data.cast(),
            length,
            Some(finalize::<T>),
            hint,
            &raw mut value,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: the engine did not take the pointer, so its count is still ours.
        drop(unsafe { Arc::from_raw(hint.cast_const().cast::<T>()) });
        return if status == REFUSED {
            Ok(None)
        } else {
            Err(pending(env, status))
        };
    }
    // SAFETY: `value` is a fresh handle of this environment.
    unsafe { Unknown::from_napi_value(env.raw(), value) }.map(Some)
}

/// A detached buffer has no memory, but the zlib, crypto or fs operation that was started with it still has the pointer, on a thread of the pool.
/// Such an operation keeps the buffer's *object* reachable until it is done, so the addresses stay ours until the object is collected.
fn keep_for_late_readers(env: &Env, region: &Arc<Region>, buffer: sys::napi_value) {
    let data = Arc::into_raw(Arc::clone(region))
        .cast_mut()
        .cast::<c_void>();
    // SAFETY: a live handle of this environment; `collected` gets `data` once.
    let status = unsafe {
        sys::napi_add_finalizer(
            env.raw(),
            buffer,
            data,
            Some(collected),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: the engine did not take the pointer, so its count is still ours.
        drop(unsafe { Arc::from_raw(data.cast_const().cast::<Region>()) });
    }
}

/// Detaches an ArrayBuffer: only for engines without `ArrayBuffer.prototype.transfer`, as elsewhere this aborts the process on buffers marked untransferable.
pub fn detach(env: &Env, buffer: &Unknown<'_>) -> napi::Result<()> {
    // SAFETY: a live handle of this environment; the engine checks that it is an ArrayBuffer.
    let status = unsafe { sys::napi_detach_arraybuffer(env.raw(), buffer.raw()) };
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(Error::new(
            Status::from(status),
            "napi_detach_arraybuffer failed".to_owned(),
        ))
    }
}

/// Runs on any thread, sometimes inside the detach, sometimes at exit: it only counts down.
unsafe extern "C" fn finalize<T>(_env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: the pointer that `over` gave, handed back once.
    drop(unsafe { Arc::from_raw(hint.cast_const().cast::<T>()) });
}

/// The buffer's object is gone, or its environment ends.
unsafe extern "C" fn collected(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the pointer that `keep_for_late_readers` gave, handed back once.
    drop(unsafe { Arc::from_raw(data.cast_const().cast::<Region>()) });
}

fn pending(env: &Env, status: sys::napi_status) -> Error {
    let mut thrown = false;
    // SAFETY: asks the environment of the current call.
    unsafe { sys::napi_is_exception_pending(env.raw(), &raw mut thrown) };
    if thrown {
        // The engine's own RangeError is the better message: let it through.
        return Error::new(Status::PendingException, String::new());
    }
    Error::new(
        Status::from(status),
        "the engine refused an ArrayBuffer over the mapping".to_owned(),
    )
}
