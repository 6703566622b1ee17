//! The fault guard: a page of a mapping that cannot be read or written must not kill the process.
//!
//! Reading order: this file (the words callers use), `slots` (which addresses are ours, and who may
//! touch them when), `pages` (what becomes of a page that faulted), `handler` (the signal handler),
//! `ended` (faults that come when their slot is gone), `chain` (living with the handlers of others),
//! `watcher` (carrying the news to JavaScript),
//! `lock` and `sys` (what may be used inside a signal handler).
//!
//! | caller | calls |
//! | --- | --- |
//! | every open | [`ensure`], [`register`] |
//! | resize, protect, place, discard | [`Slot::locked`] round its `mmap` or `mprotect` |
//! | close | [`Slot::retire`], later, when nothing can reach the memory any more, [`Slot::release`]; where others still can, [`Slot::leave`] |
//! | clearFault | [`Slot::clear`] |
//! | `fault`, checked methods, flush | [`Slot::fault`] |
//! | once per JavaScript environment | [`subscribe`] |
//!
//! Where there is no guard (Windows so far, `MEMMAP_FAULT_GUARD=0`) the same names exist:
//! [`enabled`] is false and [`register`] gives `None`.

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
))]
mod bits;
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
))]
mod chain;
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
))]
mod ended;
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
))]
mod handler;
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
))]
mod lock;
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
))]
mod pages;
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
))]
mod slots;
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
))]
mod sys;
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
))]
mod watcher;

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
)))]
mod stub;

#[cfg(all(test, target_os = "linux"))]
mod tests;

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
)))]
pub use self::stub::{Slot, Subscription, ensure, is_lost, register, register_part, subscribe};
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd"
))]
pub use self::{
    chain::{ensure, is_lost},
    slots::{Slot, register, register_part},
    watcher::{Subscription, subscribe},
};

/// What stands behind the pages of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// `MAP_SHARED` of a file or memory object.
    Shared,
    /// `MAP_PRIVATE` of a file: the pages may hold edits that exist nowhere else.
    Private,
    /// No file.
    Anonymous,
}

/// The pages of one mapping. While its slot lives, nobody else maps or unmaps anything inside it
/// without the slot's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub base: usize,
    /// Bytes; whole pages of size `page`.
    pub len: usize,
    /// The mapping's own page size: that of the huge pages where it has some.
    pub page: usize,
    /// The file behind the pages, -1 for none. Stays open while the slot lives; owned by the
    /// caller.
    pub fd: i32,
    /// Where in the file `base` stands.
    pub file_offset: u64,
    pub backing: Backing,
    /// Whether every page may be written. Tells a store to a read-only page from a missing one on
    /// systems that raise the same signal for both.
    pub writable: bool,
}

/// Why a page faulted. The numbers are those that `NativeMapping.fault` hands to TypeScript (5,
/// `moved`, is found by carriers, not by signals).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Past the end of the file: zeros from there to the end of the mapping.
    Truncated = 1,
    /// The page could not be read: zeros in it.
    Io = 2,
    /// A store into a hole of a file on a full disk: zeros in that page, and what was stored since.
    NoSpace = 3,
    /// A store to a read-only page: it is a private copy from then on.
    Protected = 4,
}

/// A fault that was survived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    /// Bytes from the `base` of the range.
    pub offset: usize,
}

/// The news of one fault, for [`Subscription::take_events`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The `mapping_id` that was given to [`register`].
    pub mapping: u64,
    pub fault: Fault,
}

/// Whether this process is guarded: the system has a guard and `MEMMAP_FAULT_GUARD` (read once) is
/// not `0`.
pub fn enabled() -> bool {
    static WANTED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    cfg!(any(
        target_os = "linux",
        target_os = "android",
        target_os = "macos",
        target_os = "freebsd"
    )) && *WANTED
        .get_or_init(|| std::env::var_os("MEMMAP_FAULT_GUARD").is_none_or(|value| value != "0"))
}
