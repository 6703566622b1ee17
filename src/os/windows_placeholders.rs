//! Placeholders (Windows 10 1803). A range of them is a row of pieces: views, private memory, placeholders. A view cannot be cut, so a part of it is replaced by
//! unmapping the whole view into a placeholder, splitting that, and mapping the file again on both sides.
#![allow(
    unsafe_code,
    reason = "system calls on address space that the callers hold"
)]

use std::ffi::c_void;

use windows_sys::Win32::System::Memory as memory;

use super::windows_abilities::query;
use super::windows_calls::{Calls, current_process, release};
use super::windows_strict::Strict;
use super::windows_views::Section;
use crate::errno::code;
use crate::error::{Fail, Outcome};

/// winnt.h: placeholders side by side become one.
const MEM_COALESCE_PLACEHOLDERS: u32 = 1;

/// Everything in a range goes.
pub(super) unsafe fn give_back(base: usize, length: usize) {
    for piece in pieces(base, length) {
        if piece.view {
            let view = memory::MEMORY_MAPPED_VIEW_ADDRESS {
                Value: piece.base as *mut c_void,
            };
            // SAFETY: a view in a range that is the caller's.
            unsafe { memory::UnmapViewOfFile(view) };
        } else {
            // SAFETY: as above.
            unsafe { release(piece.base) };
        }
    }
}

/// One allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) base: usize,
    pub(super) end: usize,
    /// Of a file; else private memory or a placeholder.
    pub(super) view: bool,
}

/// The allocations that have a part in `at..at + length`. Found one by one, so that the last may have been given back when the next is
/// looked for.
pub(super) fn pieces(at: usize, length: usize) -> impl Iterator<Item = Piece> {
    let mut next = at;
    std::iter::from_fn(move || {
        if next >= at + length {
            return None;
        }
        let piece = piece_at(next)?;
        next = piece.end;
        Some(piece)
    })
}

/// The allocation that holds an address.
pub(super) fn piece_at(at: usize) -> Option<Piece> {
    let first = query(at).filter(|facts| facts.State != memory::MEM_FREE)?;
    let base = first.AllocationBase as usize;
    let mut end = first.BaseAddress as usize + first.RegionSize;
    while let Some(more) = query(end)
        && more.State != memory::MEM_FREE
        && more.AllocationBase as usize == base
    {
        end += more.RegionSize;
    }
    Some(Piece {
        base,
        end,
        view: first.Type == memory::MEM_MAPPED,
    })
}

/// What a piece was before it became a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Was {
    View,
    /// Private memory; `committed`: pages that are there, as `shorten` leaves them, not only addresses.
    Memory {
        committed: bool,
    },
    Placeholder,
}

fn is_committed(at: usize) -> bool {
    query(at).is_some_and(|facts| facts.State == memory::MEM_COMMIT)
}

/// Makes a placeholder of the whole piece, which was what it was at `looked_at`.
unsafe fn empty(calls: Calls, piece: Piece, looked_at: usize) -> Outcome<Was> {
    if piece.view {
        let (process, base) = (current_process(), piece.base as *const c_void);
        // SAFETY: as the caller promises.
        if unsafe { (calls.unmap)(process, base, memory::MEM_PRESERVE_PLACEHOLDER) } == 0 {
            return Err(Fail::last("munmap"));
        }
        return Ok(Was::View);
    }
    let committed = is_committed(looked_at);
    // SAFETY: as the caller promises.
    let done = unsafe { free_into_placeholder(piece.base, piece.end - piece.base) };
    // It fails for what is a placeholder already.
    Ok(if done == 0 {
        Was::Placeholder
    } else {
        Was::Memory { committed }
    })
}

/// Makes a placeholder of exactly `at..at + length`. What the pieces there had on either side is there again: the file, zeros, or nothing.
///
/// # Safety
/// Whole pages of a range of placeholders that is the caller's, who keeps others off.
pub(super) unsafe fn vacate(
    calls: Calls,
    at: usize,
    length: usize,
    section: Option<&Section>,
) -> Outcome<()> {
    let end = at + length;
    let (mut before, mut behind) = ((at, at, Was::Placeholder), (end, end, Was::Placeholder));
    let mut strict = Strict::new();
    // Before anything has changed: of what cannot be put back as it was, nothing is touched.
    for piece in pieces(at, length).filter(|piece| piece.view) {
        match section {
            Some(section) => {
                // What lies inside the range is not the file's any more.
                strict.note(piece.base, piece.end.min(at), section.how.pages)?;
                strict.note(piece.base.max(end), piece.end, section.how.pages)?;
            }
            // It could not be put back without its file.
            None if piece.base < at || piece.end > end => {
                return Err(Fail::system(code::EINVAL, "munmap"));
            }
            None => {}
        }
    }
    let mut count = 0;
    for piece in pieces(at, length) {
        // Of memory, what lies outside of the range is what matters; both sides of a piece are of one kind.
        let outside = if piece.end > end { end } else { piece.base };
        // SAFETY: as the caller promises.
        let was = unsafe { empty(calls, piece, outside)? };
        if piece.base < at {
            before = (piece.base, at, was);
        }
        if piece.end > end {
            behind = (end, piece.end, was);
        }
        count += 1;
    }
    let (first, last) = (before.0, behind.1);
    if count > 1 {
        let kind = memory::MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS;
        // SAFETY: placeholders side by side, all of them the caller's.
        if unsafe { memory::VirtualFree(first as *mut c_void, last - first, kind) } == 0 {
            return Err(Fail::last("munmap"));
        }
    }
    if first < at || last > end {
        // SAFETY: a part of one placeholder of the caller's.
        if unsafe { free_into_placeholder(at, length) } == 0 {
            return Err(Fail::last("munmap"));
        }
    }
    for (from, to, was) in [before, behind] {
        match (was, section) {
            // SAFETY: a placeholder beside the range, which showed the file before.
            (Was::View, Some(section)) => unsafe { section.show(calls, from, to - from)? },
            // Behind the end of a mapping that has become shorter they must be real: the guard, which makes them so elsewhere, does not know it.
            // SAFETY: a placeholder beside the range, where zeros were.
            (Was::Memory { committed }, _) => unsafe { fill(calls, from, to - from, committed)? },
            _ => {}
        }
    }
    strict.restore();
    Ok(())
}

/// Zeros in the place of what `at..at + length` shows. Where there is no memory for so many, all is as it was.
///
/// # Safety
/// As of `vacate`.
pub(super) unsafe fn vacate_for_zeros(
    calls: Calls,
    at: usize,
    length: usize,
    section: &Section,
) -> Outcome<()> {
    let mut strict = Strict::new();
    strict.note(at, at + length, section.how.pages)?;
    // SAFETY: as the caller promises.
    unsafe {
        vacate(calls, at, length, Some(section))?;
        fill(calls, at, length, true).inspect_err(|_| {
            // Whoever touches a bare placeholder dies: the guard can make zeros of reserved memory, not of that.
            if section.show(calls, at, length).is_ok() {
                strict.restore();
            } else {
                let _ = fill(calls, at, length, false);
            }
        })
    }
}

/// Splits `at..at + length` off its placeholder, or makes a placeholder of that piece of private memory.
unsafe fn free_into_placeholder(at: usize, length: usize) -> i32 {
    let kind = memory::MEM_RELEASE | memory::MEM_PRESERVE_PLACEHOLDER;
    // SAFETY: as the caller promises.
    unsafe { memory::VirtualFree(at as *mut c_void, length, kind) }
}

/// Zero pages in the place of a placeholder; without `commit` they cost nothing and the guard makes them real one by one.
pub(super) unsafe fn fill(calls: Calls, at: usize, length: usize, commit: bool) -> Outcome<()> {
    let extra = if commit { memory::MEM_COMMIT } else { 0 };
    let kind = memory::MEM_RESERVE | memory::MEM_REPLACE_PLACEHOLDER | extra;
    // SAFETY: as the caller promises.
    if unsafe { calls.allocate_at(at, length, kind, memory::PAGE_READWRITE) } == 0 {
        return Err(Fail::last("mmap"));
    }
    Ok(())
}
