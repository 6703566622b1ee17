//! mremap(2) and its flags. The C libraries all have it; the libc crate declares none for Android.

#[cfg(target_os = "linux")]
pub use libc::{MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, mremap};

#[cfg(target_os = "android")]
pub use android::*;

#[cfg(target_os = "android")]
mod android {
    #![allow(unsafe_code, reason = "a declaration of the C library")]

    use std::ffi::{c_int, c_void};

    // linux/mman.h
    pub const MREMAP_MAYMOVE: c_int = 1;
    pub const MREMAP_FIXED: c_int = 2;
    pub const MREMAP_DONTUNMAP: c_int = 4;

    unsafe extern "C" {
        pub fn mremap(
            old: *mut c_void,
            old_length: usize,
            length: usize,
            flags: c_int,
            ...
        ) -> *mut c_void;
    }
}
