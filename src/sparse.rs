//! Zeros that nobody counts: a sparse memory object without a name. `RLIMIT_DATA` and strict overcommit (which ignores `MAP_NORESERVE`) refuse
//! private memory for what may be a terabyte of zeros.
//!
//! Async-signal-safe: the guard's handler uses it, too.
#![allow(unsafe_code, reason = "system calls")]

use std::ffi::c_int;

/// A descriptor of it; whoever asked closes it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn object(len: usize) -> Option<c_int> {
    let length = i64::try_from(len).ok()?;
    if crate::limit::forbids(len as u64) {
        return None;
    }
    // SAFETY: the name is a C string. By number: the symbol is newer than glibc 2.17.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_memfd_create,
            c"memmap zeros".as_ptr(),
            libc::MFD_CLOEXEC,
        )
    };
    let fd = c_int::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: `fd` is ours.
    if unsafe { libc::ftruncate64(fd, length) } == 0 {
        return Some(fd);
    }
    // SAFETY: as above, and nobody else knows it.
    unsafe { libc::close(fd) };
    None
}

/// These systems count such zeros only where they are used.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn object(_len: usize) -> Option<c_int> {
    None
}
