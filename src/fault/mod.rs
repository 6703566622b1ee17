//! The fault guard: a page of a mapping that cannot be read or written must not kill the process.
//!
//! Reading order: this file (the words callers use), `slots` (which addresses are ours, and who may
//! touch them when), `pages` (what becomes of a page that faulted), `answer` (a fault from its
//! address to its end), `ended` (faults that come when their slot is gone), `watcher` (carrying the news to JavaScript), `lock` and `bits` (what may be
//! used inside a handler). What differs between systems is in `unix` and `windows`, with the same
//! names: `handler` (how a fault arrives), `sys` (its system calls), `bell` (how a handler wakes a
//! thread); on unix also `chain` (living with the handlers of others).
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
//! Where there is no guard (other systems, `MEMMAP_FAULT_GUARD=0`) the same names exist: [`enabled`]
//! is false and [`register`] gives `None`. `fault_guard` is set by build.rs.

#[cfg(fault_guard)]
mod answer;
#[cfg(fault_guard)]
mod bits;
#[cfg(fault_guard)]
mod ended;
#[cfg(fault_guard)]
mod lock;
#[cfg(fault_guard)]
mod pages;
#[cfg(fault_guard)]
mod slots;
#[cfg(fault_guard)]
mod watcher;

#[cfg(all(fault_guard, unix))]
#[path = "unix/mod.rs"]
mod system;
#[cfg(all(fault_guard, windows))]
#[path = "windows/mod.rs"]
mod system;

#[cfg(not(fault_guard))]
mod stub;

#[cfg(all(test, target_os = "linux"))]
mod tests;

#[cfg(not(fault_guard))]
pub use self::stub::{
    RawFile, Slot, Subscription, announce, ensure, is_lost, raw_file, register, register_part,
    subscribe,
};
#[cfg(fault_guard)]
pub use self::{
    slots::{Slot, register, register_part},
    system::{RawFile, ensure, is_lost, raw_file},
    watcher::{Subscription, announce, subscribe},
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
    /// `MAP_SHARED` of memory that no descriptor leads to: others see what is stored there.
    Memory,
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
    /// The file behind the pages, as [`raw_file`] gives it. Stays open while the slot lives; owned
    /// by the caller.
    pub fd: RawFile,
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
    cfg!(fault_guard)
        && *WANTED
            .get_or_init(|| std::env::var_os("MEMMAP_FAULT_GUARD").is_none_or(|value| value != "0"))
}
