//! The system calls of the guard. A vectored handler runs on the thread that faulted, in the middle of anything: nothing here allocates
//! from the heap, and no lock is taken but the guard's own and that of the placeholders' books, which is never held while mapped bytes are
//! touched.
#![allow(unsafe_code, reason = "system calls")]

use std::ptr::null;

use windows_sys::Win32::{
    Storage::FileSystem::GetFileSizeEx,
    System::{
        Memory::{MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_READWRITE, VirtualAlloc, VirtualFree},
        Threading::{GetCurrentThreadId, SwitchToThread},
    },
};

use super::{super::Range, RawFile, handle};
use crate::os;

/// Protection is a property of each page: any number of them may differ from their neighbours. (And a whole range of private copies
/// would be charged to the page file.)
pub const RUNS_ARE_FEW: bool = false;

/// While the handler exchanges a view, other threads find nothing there.
pub const REPLACING_LEAVES_GAPS: bool = true;

/// A store to a read-only page and a missing one are two exceptions.
pub fn refuses(_at: usize, _store: Option<bool>) -> bool {
    false
}

/// A number for this thread, never 0.
pub fn thread() -> usize {
    // SAFETY: has no preconditions.
    unsafe { GetCurrentThreadId() as usize }
}

pub fn give_way() {
    // SAFETY: has no preconditions.
    unsafe { SwitchToThread() };
}

/// Fresh memory for the guard's own books; zero-filled.
pub fn allocate(len: usize) -> Option<usize> {
    // SAFETY: new memory where the system likes.
    let at = unsafe { VirtualAlloc(null(), len, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) };
    (!at.is_null()).then_some(at as usize)
}

/// Gives back what `allocate` gave.
pub fn free(at: usize, _len: usize) {
    // SAFETY: the callers pass what `allocate` returned, once.
    unsafe { VirtualFree(at as *mut _, 0, MEM_RELEASE) };
}

/// Zero pages, readable and writable, in the place of `at..at + len`: where the range is held by placeholders.
pub fn replace_by_zeros(at: usize, len: usize, range: &Range) -> bool {
    let file = os::Shown {
        file: handle(range.fd),
        base: range.base,
        offset: range.file_offset,
    };
    // SAFETY: the range belongs to a slot whose lock the caller holds.
    unsafe { os::put_zeros(at, len, &file) }
}

/// A private, writable copy of the same bytes of the file in the place of `at..at + len`.
pub fn replace_by_copy(at: usize, len: usize, _fd: RawFile, _offset: u64) -> bool {
    // SAFETY: the range belongs to a slot whose lock the caller holds.
    unsafe { os::make_private(at, len) }
}

/// The pages that would be copied cannot be replaced.
pub fn replace_by_snapshot(_at: usize, _len: usize) -> bool {
    false
}

/// Readable and writable, contents kept.
pub fn make_writable(at: usize, len: usize) -> bool {
    // SAFETY: the range belongs to a slot whose lock the caller holds.
    unsafe { os::make_writable(at, len) }
}

/// The length of a file.
pub fn file_size(fd: RawFile) -> Option<u64> {
    let mut size = 0;
    // SAFETY: a place on this stack; a wrong handle is an error, not undefined.
    let done = unsafe { GetFileSizeEx(handle(fd), &raw mut size) };
    (done != 0).then_some(size as u64)
}

/// The exception says so itself.
pub fn disk_is_full(_fd: RawFile) -> bool {
    false
}

/// Waits, in a test that needs a sleeping handler.
#[cfg(any(test, feature = "test-hooks"))]
pub fn sleep(microseconds: u32) {
    // SAFETY: has no preconditions.
    unsafe { windows_sys::Win32::System::Threading::Sleep(microseconds.div_ceil(1000)) };
}
