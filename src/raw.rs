//! The bytes of the caller's typed arrays.
#![allow(unsafe_code, reason = "napi-rs marks writing through a typed array unsafe, as JavaScript holds it too")]

use napi::bindgen_prelude::{Float64Array, Uint8Array};

/// Writes as many values as fit.
pub fn store(out: &mut Float64Array, values: &[f64]) {
    // SAFETY: the array belongs to the facade and is used on this thread only, inside this call.
    let out = unsafe { out.as_mut() };
    for (slot, value) in out.iter_mut().zip(values) {
        *slot = *value;
    }
}

/// The array's bytes for the length of this call.
pub fn bytes_mut(target: &mut Uint8Array) -> &mut [u8] {
    // SAFETY: JavaScript does not run during the call; a SharedArrayBuffer's other users race as they do among themselves.
    unsafe { target.as_mut() }
}
