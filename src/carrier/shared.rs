//! `node_api_create_external_sharedarraybuffer`: a SharedArrayBuffer over the pages. Looked up at run time: Node 22.23, 24.21, 26 and Bun have it.
#![allow(
    unsafe_code,
    reason = "Node-API, by a function that is looked up at run time"
)]

use std::ffi::c_void;
use std::sync::{Arc, OnceLock};

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, Error, Status, sys};

use crate::os;
use crate::region::Region;

type Finalize = unsafe extern "C" fn(data: *mut c_void, hint: *mut c_void);
type Create = unsafe extern "C" fn(
    env: sys::napi_env,
    data: *mut c_void,
    length: usize,
    finalize: Finalize,
    hint: *mut c_void,
    result: *mut sys::napi_value,
) -> sys::napi_status;

fn create() -> Option<Create> {
    static FOUND: OnceLock<Option<usize>> = OnceLock::new();
    let address =
        (*FOUND.get_or_init(|| os::find_symbol(c"node_api_create_external_sharedarraybuffer")))?;
    // SAFETY: the engine exports this name with the signature of js_native_api.h.
    Some(unsafe { std::mem::transmute::<usize, Create>(address) })
}

/// Whether this engine makes SharedArrayBuffers over foreign memory.
pub fn available() -> bool {
    create().is_some()
}

/// A SharedArrayBuffer over all bytes of the Region, which it keeps mapped. `None` where the engine cannot.
pub fn export<'env>(env: &'env Env, region: &Arc<Region>) -> napi::Result<Option<Unknown<'env>>> {
    let Some(create) = create() else {
        return Ok(None);
    };
    let hint = Arc::into_raw(Arc::clone(region))
        .cast_mut()
        .cast::<c_void>();
    let mut value = std::ptr::null_mut();
    // SAFETY: the pages are the Region's, which `hint` keeps alive until `finalize`.
    let status = unsafe {
        create(
            env.raw(),
            region.base().cast(),
            region.delta() + region.len(),
            finalize,
            hint,
            &raw mut value,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: the engine did not take the pointer, so its count is still ours.
        drop(unsafe { Arc::from_raw(hint.cast_const().cast::<Region>()) });
        return match status {
            super::external::REFUSED => Ok(None),
            _ => Err(Error::new(
                Status::from(status),
                "the engine refused a SharedArrayBuffer over the mapping".to_owned(),
            )),
        };
    }
    // SAFETY: `value` is a fresh handle of this environment.
    unsafe { Unknown::from_napi_value(env.raw(), value) }.map(Some)
}

/// Runs on any thread when the last agent lets go, or at exit: it only counts down.
unsafe extern "C" fn finalize(_data: *mut c_void, hint: *mut c_void) {
    // SAFETY: the pointer that `export` gave, handed back once.
    drop(unsafe { Arc::from_raw(hint.cast_const().cast::<Region>()) });
}
