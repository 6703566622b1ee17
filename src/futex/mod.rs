//! futex(2): sleeping on a 32-bit word until another thread or process changes it and says so. Only system calls; who waits for what is `wait`'s business.
//!
//! Where a system has no wait that crosses processes (Windows, so far macOS and FreeBSD too) the same names exist and [`SUPPORTED`] is false.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use linux::{SUPPORTED, wait, wait_with, wake};

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod stub;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub use stub::{SUPPORTED, wait, wait_with, wake};

/// A word that somebody waits for.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// Where it is; a multiple of four.
    pub address: *const u32,
    /// Only this process can store to it: the kernel then finds waiters by address and never looks at the page, so that a private page does not become a copy.
    pub private: bool,
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Somebody called `wake`.
    Woken,
    /// The word had another value already.
    NotEqual,
    /// Nothing happened in time.
    TimedOut,
    /// The bell of [`wait_with`] rang, or may have.
    Bell,
}
