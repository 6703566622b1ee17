//! Writing into the caller's typed arrays.
#![allow(
    unsafe_code,
    reason = "napi-rs marks it unsafe, as JavaScript holds the array too"
)]

use napi::bindgen_prelude::{Float64ArraySlice, Uint8ArraySlice, Uint32ArraySlice};

/// The array's numbers for the length of this call.
pub fn numbers<'a>(out: &'a mut Float64ArraySlice<'_>) -> &'a mut [f64] {
    // SAFETY: JavaScript does not run on this thread during the call, and the facade never shares this array.
    unsafe { out.as_mut() }
}

/// The array's bytes for the length of this call.
pub fn bytes<'a>(target: &'a mut Uint8ArraySlice<'_>) -> &'a mut [u8] {
    // SAFETY: JavaScript does not run on this thread during the call; a SharedArrayBuffer's other users race as they do among themselves.
    unsafe { target.as_mut() }
}

/// The array's numbers for the length of this call.
pub fn indexes<'a>(out: &'a mut Uint32ArraySlice<'_>) -> &'a mut [u32] {
    // SAFETY: as for `numbers`.
    unsafe { out.as_mut() }
}
