//! Calls that take an offset in a file: with 64 bits also where the plain `off_t` has 32 (glibc on 32-bit processors, <https://sourceware.org/glibc/manual/latest/html_node/File-Positions.html>).

#[cfg(all(target_os = "linux", target_pointer_width = "32"))]
pub use libc::{
    O_LARGEFILE, ftruncate64 as ftruncate, mmap64 as mmap, off64_t as off_t,
    posix_fadvise64 as posix_fadvise,
};

#[cfg(not(any(
    target_vendor = "apple",
    all(target_os = "linux", target_pointer_width = "32")
)))]
pub use libc::posix_fadvise;
#[cfg(not(all(target_os = "linux", target_pointer_width = "32")))]
pub use libc::{ftruncate, mmap, off_t};

/// Offsets have 64 bits anyway.
#[cfg(not(all(target_os = "linux", target_pointer_width = "32")))]
pub const O_LARGEFILE: i32 = 0;
