//! futex(2) and what other systems have like it: sleeping on a 32-bit word until another thread or process changes it and says so. Only system
//! calls; who waits for what is `wait`'s business.
//!
//! Linux, macOS and FreeBSD know a word by its page. Windows does not (WaitOnAddress stays in the process): there words have a [`Key`] and
//! waiters a table that processes share.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
use linux as system;

#[cfg(target_vendor = "apple")]
mod macos;
#[cfg(target_vendor = "apple")]
use macos as system;

#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "freebsd")]
use freebsd as system;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    windows
)))]
mod stub;
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    windows
)))]
use stub as system;

use std::sync::atomic::AtomicU32;

pub use system::{hears_bell, supported, wait, wait_with, wake};

/// What a word is to processes that have it at different addresses: object and offset, for systems that find words so.
pub type Key = [u64; 3];

/// A word that somebody waits for.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// Where it is; a multiple of four.
    pub address: *const u32,
    /// Only this process can store to it: the kernel then finds waiters by address and never looks at the page, so that a private page does not become a copy.
    pub private: bool,
    /// Of a word that is not private, where the system cannot tell by itself (`os::object_key`).
    #[cfg_attr(
        not(windows),
        allow(dead_code, reason = "the kernel finds the word by its page")
    )]
    pub key: Key,
}

impl Word {
    /// A word of this process.
    pub fn own(word: &AtomicU32) -> Self {
        Self::private(word.as_ptr())
    }

    /// A word in memory that only this process has.
    pub fn private(address: *const u32) -> Self {
        Self {
            address,
            private: true,
            key: [0; 3],
        }
    }
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
