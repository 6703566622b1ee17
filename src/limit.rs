//! RLIMIT_FSIZE, getrlimit(2). With its EFBIG comes a SIGXFSZ, which ends whoever does not ignore it: Node does, Deno does not.
//!
//! Async-signal-safe: the guard's handler asks, too.
#![allow(unsafe_code, reason = "a system call")]

/// Whether no file may become so long.
#[allow(clippy::unnecessary_cast, reason = "rlim_t is not the same everywhere")]
pub fn forbids(length: u64) -> bool {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: fills the structure.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) } == 0;
    known && limit.rlim_cur != libc::RLIM_INFINITY && length > limit.rlim_cur as u64
}
