//! Ranges of address space that stay taken while what is mapped in them changes: rows of placeholders (`windows_placeholders`). Where the
//! system has none, views are mapped where it likes, by memmap2, and stay until their last user is gone.
//!
//! Threads that touch a range while its pieces are exchanged fault, and wait in the guard for the slot's lock, which the caller holds.
#![allow(
    unsafe_code,
    reason = "system calls on address space that this process holds"
)]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::fs::File;
use std::os::windows::io::AsRawHandle;
use std::sync::{Mutex, MutexGuard, PoisonError};

use windows_sys::Win32::System::Memory as memory;

use super::Form;
use super::windows_abilities::{page_abilities, query, set_protection};
use super::windows_calls::Calls;
use super::windows_placeholders::{fill, give_back, piece_at, vacate, vacate_for_zeros};
use super::windows_views::{How, Section, Shown};
use crate::errno::code;
use crate::error::{Fail, Outcome};

/// Whether address space can be held while its contents change.
pub fn holds_places() -> bool {
    Calls::get().is_some()
}

/// What is known of a range that this process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    length: usize,
    /// How its views are mapped; `None`: nothing was mapped yet.
    how: Option<How>,
}

/// Ranges by their first address. Locked after a slot's lock, if both are; never while mapped bytes are touched.
static HELD: Mutex<BTreeMap<usize, Held>> = Mutex::new(BTreeMap::new());

fn held() -> MutexGuard<'static, BTreeMap<usize, Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The range that holds `at..at + length`. `None`: it is not held, and nothing in it may be replaced.
fn held_around(at: usize, length: usize) -> Option<Held> {
    let all = held();
    let (base, range) = all.range(..=at).next_back()?;
    (at + length <= base + range.length).then_some(*range)
}

/// A range of address space, given back on drop.
pub struct Reserved {
    base: usize,
    length: usize,
}

impl Reserved {
    /// Takes `length` bytes (whole pages); they cost no memory.
    pub fn new(length: usize) -> Outcome<Self> {
        let Some(calls) = Calls::get() else {
            return Err(Fail::system(code::ENOTSUP, "mmap")
                .hint("this Windows has no placeholders (they came with Windows 10 1803)"));
        };
        let base = calls.reserve(length).ok_or_else(|| {
            let fail = Fail::last("mmap");
            // "The parameter is incorrect": more than there are addresses.
            if fail.errno() == Some(code::EINVAL) {
                Fail::system(code::ENOMEM, "mmap")
            } else {
                fail
            }
        })?;
        held().insert(base, Held { length, how: None });
        Ok(Self { base, length })
    }

    /// First page.
    pub fn base(&self) -> *mut u8 {
        self.base as *mut u8
    }

    /// In bytes.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        held().remove(&self.base);
        // SAFETY: the range is this value's; whoever mapped into it is gone with the Region that owns this value.
        unsafe { give_back(self.base, self.length) };
    }
}

/// Maps a file into a held range; whatever was there goes. Pages of a view that only have private copies show the file again.
///
/// # Safety
/// `base..base + length` is whole pages of one mapping that the caller owns, and the guard's handler is kept off.
pub unsafe fn map_again(
    base: *mut u8,
    length: usize,
    file: Option<&File>,
    offset: u64,
    form: Form,
) -> Outcome<()> {
    let at = base as usize;
    let how = How::of(form, page_abilities().copy);
    let is_view = |facts: &memory::MEMORY_BASIC_INFORMATION| facts.Type == memory::MEM_MAPPED;
    if file.is_some() && page_abilities().revert && query(at).is_some_and(|facts| is_view(&facts)) {
        // SAFETY: as the caller promises.
        if unsafe { set_protection(at, length, how.pages | memory::PAGE_REVERT_TO_FILE_MAP) } {
            return Ok(());
        }
    }
    let (Some(file), Some(calls), Some(_)) = (file, Calls::get(), held_around(at, length)) else {
        return Err(Fail::system(code::ENOTSUP, "mmap")
            .hint("this Windows cannot map the pages again; open the file again instead"));
    };
    if let Some((_, range)) = held().range_mut(..=at).next_back() {
        range.how = Some(how);
    }
    let shown = Shown {
        file: file.as_raw_handle(),
        base: at,
        offset,
    };
    let section = Section::new(shown, how)?;
    // SAFETY: as the caller promises; a side before `at` shows what lies before `offset`.
    unsafe {
        vacate(calls, at, length, Some(&section))?;
        section.show(calls, at, length)
    }
}

/// Nothing lies over pages of the engine here.
pub fn peek(_at: *const u8) -> Option<[usize; 3]> {
    None
}

/// What `close()` and a shrinking `resize` put in the place of the file, where the range is held: pages that the guard turns into zeros when
/// somebody comes too late, or zeros at once. Elsewhere a view stays until its last user is gone.
///
/// # Safety
/// `base..base + length` is whole pages of one mapping that the caller owns and will not unmap meanwhile; views lie in it whole.
pub unsafe fn replace(base: *mut u8, length: usize, with: super::Replacement) {
    let at = base as usize;
    let (Some(calls), Some(_)) = (Calls::get(), held_around(at, length)) else {
        return;
    };
    let commit = with == super::Replacement::Zeros;
    if commit && piece_at(at).is_some_and(|piece| !piece.view && piece.end >= at + length) {
        // `Replacement::None` was here before.
        // SAFETY: as the caller promises.
        unsafe { commit_zeros(at, length) };
        return;
    }
    // SAFETY: as the caller promises. What fails leaves a placeholder, which is nobody else's either.
    let _ =
        unsafe { vacate(calls, at, length, None).and_then(|()| fill(calls, at, length, commit)) };
}

/// The end of a mapping that shrinks: zeros for views that are still there.
///
/// # Safety
/// As of `map_again`; `base` shows byte `offset` of the file.
pub unsafe fn shorten(
    base: *mut u8,
    from: usize,
    to: usize,
    file: Option<&File>,
    offset: u64,
    form: Form,
) -> Outcome<()> {
    let (start, at, length) = (base as usize, base as usize + from, to - from);
    let (Some(file), Some(calls), Some(_)) = (file, Calls::get(), held_around(at, length)) else {
        return Err(Fail::system(code::ENOTSUP, "munmap"));
    };
    let shown = Shown {
        file: file.as_raw_handle(),
        base: start,
        offset,
    };
    let section = Section::new(shown, How::of(form, page_abilities().copy))?;
    // Real ones: the guard's slot ends where the mapping does.
    // SAFETY: as the caller promises.
    unsafe { vacate_for_zeros(calls, at, length, &section) }
}

/// VirtualAlloc of pages that are reserved: zeros.
unsafe fn commit_zeros(at: usize, length: usize) -> bool {
    let protection = memory::PAGE_READWRITE;
    // SAFETY: as the caller promises.
    unsafe {
        !memory::VirtualAlloc(at as *const c_void, length, memory::MEM_COMMIT, protection).is_null()
    }
}

/// The guard's: zeros in the place of pages that cannot be read, or that `replace` has left without any. False: nothing was done.
///
/// # Safety
/// Whole pages of one mapping, and the lock of its slot is held.
pub unsafe fn put_zeros(at: usize, length: usize, shown: &Shown) -> bool {
    let (Some(calls), Some(range)) = (Calls::get(), held_around(at, length)) else {
        return false;
    };
    if piece_at(at).is_some_and(|piece| !piece.view && piece.end >= at + length) {
        // SAFETY: as the caller promises.
        return unsafe { commit_zeros(at, length) };
    }
    let Some(section) = range.how.and_then(|how| Section::new(*shown, how).ok()) else {
        return false;
    };
    // SAFETY: as the caller promises.
    unsafe { vacate_for_zeros(calls, at, length, &section).is_ok() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test the panic is the message")]
#[path = "windows_place_tests.rs"]
mod tests;
