//! VirtualLock, VirtualProtect, PrefetchVirtualMemory, QueryWorkingSetEx and their kin, on whole pages of a Region.
#![allow(unsafe_code, reason = "system calls on pages that the caller owns")]

use std::fs::File;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, ERROR_NOT_LOCKED, ERROR_WORKING_SET_QUOTA, GetLastError,
};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::{FILE_ZERO_DATA_INFORMATION, FSCTL_SET_ZERO_DATA};
use windows_sys::Win32::System::Memory as memory;
use windows_sys::Win32::System::ProcessStatus::{
    PSAPI_WORKING_SET_EX_INFORMATION, QueryWorkingSetEx,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetProcessWorkingSetSize, SetProcessWorkingSetSize,
};

use super::windows_abilities::{query, set_protection};
use super::windows_placeholders::{piece_at, pieces};
use super::{Pages, Protection};
use crate::errno::code;
use crate::error::{Fail, Outcome};

/// Numbers of our own: Windows has calls where others have advices.
const WILLNEED: i32 = 1;
const PAGEOUT: i32 = 2;

/// The number of a harmless advice; `None` where Windows has nothing like it.
pub fn advice(name: &str) -> Option<i32> {
    match name {
        "willneed" => Some(WILLNEED),
        "pageout" => Some(PAGEOUT),
        _ => None,
    }
}

/// PrefetchVirtualMemory; VirtualUnlock of pages that are not locked, which takes them out of the working set. Of locked ones it would take the
/// lock: they are `EINVAL`, as with madvise(2).
pub fn advise(pages: Pages, advice: i32) -> Outcome<()> {
    if advice == PAGEOUT {
        return if locked_pages(pages)?.is_empty() {
            accept_unlocked(try_unlock(pages))
        } else {
            Err(Fail::system(code::EINVAL, "madvise").hint("a part of the range is locked"))
        };
    }
    if prefetch(pages) {
        Ok(())
    } else {
        Err(Fail::last("madvise"))
    }
}

fn prefetch(pages: Pages) -> bool {
    let range = memory::WIN32_MEMORY_RANGE_ENTRY {
        VirtualAddress: pages.base.cast(),
        NumberOfBytes: pages.length,
    };
    // SAFETY: whole pages of a live Region; prefetching changes no contents.
    unsafe { memory::PrefetchVirtualMemory(GetCurrentProcess(), 1, &raw const range, 0) != 0 }
}

/// Every system that Node 20 runs on has both calls.
pub fn knows_advice(advice: i32) -> bool {
    matches!(advice, WILLNEED | PAGEOUT)
}

/// What a range of pages was mapped as.
fn mapped_as(pages: Pages) -> Option<u32> {
    query(pages.base as usize).map(|facts| facts.AllocationProtect)
}

/// For each view or piece of memory that has a part in a range, and whether it is a view.
pub(super) fn each(
    pages: Pages,
    mut action: impl FnMut(Pages, bool) -> Outcome<()>,
) -> Outcome<()> {
    let at = pages.base as usize;
    for piece in pieces(at, pages.length) {
        let start = piece.base.max(at);
        let part = Pages {
            base: pages.base.wrapping_add(start - at),
            length: piece.end.min(at + pages.length) - start,
        };
        action(part, piece.view)?;
    }
    Ok(())
}

/// Whether the system may take a range as a whole: what lies in one view or one piece of memory. Asked after it has refused, as counting takes a
/// call for each run of pages that are protected alike.
pub(super) fn is_one_piece(pages: Pages) -> bool {
    let at = pages.base as usize;
    piece_at(at).is_none_or(|piece| piece.end >= at + pages.length)
}

/// Drops private pages: zeros in memory; a private copy of a file reads the file again (`PAGE_REVERT_TO_FILE_MAP`).
///
/// DiscardVirtualMemory leaves anything in the pages, and OfferVirtualMemory takes them only where memory is short: neither is what `discard`
/// promises.
pub fn drop_private(pages: Pages) -> Outcome<()> {
    each(pages, |pages, _| drop_in_piece(pages))
}

fn drop_in_piece(pages: Pages) -> Outcome<()> {
    if mapped_as(pages)
        .is_some_and(|how| how & (memory::PAGE_WRITECOPY | memory::PAGE_EXECUTE_WRITECOPY) != 0)
    {
        return set(
            pages,
            memory::PAGE_WRITECOPY | memory::PAGE_REVERT_TO_FILE_MAP,
        )
        .map_err(|_| {
            Fail::system(code::ENOTSUP, "madvise").hint("this system cannot give single pages back")
        });
    }
    // SAFETY: whole pages of live private memory, whose contents the caller asked to drop.
    unsafe { std::ptr::write_bytes(pages.base, 0, pages.length) };
    Ok(())
}

/// Punches a hole into a shared file: DeviceIoControl, `FSCTL_SET_ZERO_DATA`. Frees space in sparse files only.
pub fn punch(pages: Pages, file: &File, offset: u64) -> Outcome<()> {
    let (Ok(start), Ok(end)) = (
        i64::try_from(offset),
        i64::try_from(offset + pages.length as u64),
    ) else {
        return Err(Fail::system(code::EFBIG, "madvise"));
    };
    let range = FILE_ZERO_DATA_INFORMATION {
        FileOffset: start,
        BeyondFinalZero: end,
    };
    let mut returned = 0;
    // SAFETY: the structure and the count live on this stack.
    let done = unsafe {
        DeviceIoControl(
            super::windows::handle(file),
            FSCTL_SET_ZERO_DATA,
            (&raw const range).cast(),
            size_of_val(&range) as u32,
            std::ptr::null_mut(),
            0,
            &raw mut returned,
            std::ptr::null_mut(),
        )
    };
    if done != 0 {
        return Ok(());
    }
    // SAFETY: the error of the call above, on this thread.
    let error = unsafe { GetLastError() };
    let fail = Fail::system(super::errno_of(error as i32), "madvise");
    // A control code that is not known: the file system's answer, or its driver's.
    Err(
        if error == ERROR_INVALID_PARAMETER || fail.errno() == Some(code::ENOTSUP) {
            Fail::system(code::ENOTSUP, "madvise").hint("this file system cannot punch holes")
        } else {
            fail
        },
    )
}

/// VirtualLock. A process may lock a little less than its minimum working set has, which is small by default: it is raised by what is asked for.
pub fn lock(pages: Pages, _private: bool) -> Outcome<()> {
    // SAFETY: whole pages of a live Region; locking changes no contents.
    let locked = || unsafe { memory::VirtualLock(pages.base.cast(), pages.length) } != 0;
    if locked() {
        return Ok(());
    }
    // SAFETY: the error of the call above, on this thread.
    let error = unsafe { GetLastError() };
    if error == ERROR_WORKING_SET_QUOTA && raise_working_set(pages.length) && locked() {
        return Ok(());
    }
    // Not that of a limit that could not be raised: a privilege that is missing is no answer to this question.
    Err(Fail::system(super::errno_of(error as i32), "mlock")
        .hint("the working set of the process limits how much it may lock"))
}

/// GetProcessWorkingSetSize, SetProcessWorkingSetSize: both limits, by so many bytes. False where the system refuses.
fn raise_working_set(more: usize) -> bool {
    let (mut least, mut most) = (0, 0);
    // SAFETY: the current process's pseudo handle, and two places on this stack.
    unsafe {
        let process = GetCurrentProcess();
        GetProcessWorkingSetSize(process, &raw mut least, &raw mut most) != 0
            && SetProcessWorkingSetSize(
                process,
                least.saturating_add(more),
                most.saturating_add(more),
            ) != 0
    }
}

/// VirtualUnlock; of pages that are not locked it is no error, as with munlock(2). The call takes a range as a whole or not at all, so where a
/// part is not locked it is given the others alone.
pub fn unlock(pages: Pages) -> Outcome<()> {
    let error = try_unlock(pages);
    if error != ERROR_NOT_LOCKED {
        return accept_unlocked(error);
    }
    let length = super::page_size();
    for at in locked_pages(pages)? {
        let base = pages.base.wrapping_add(at * length);
        accept_unlocked(try_unlock(Pages { base, length }))?;
    }
    Ok(())
}

/// The error's number, 0 for none.
fn try_unlock(pages: Pages) -> u32 {
    // SAFETY: whole pages of a live Region, and the error of that call, on this thread.
    unsafe {
        if memory::VirtualUnlock(pages.base.cast(), pages.length) != 0 {
            0
        } else {
            GetLastError()
        }
    }
}

fn accept_unlocked(error: u32) -> Outcome<()> {
    if matches!(error, 0 | ERROR_NOT_LOCKED) {
        Ok(())
    } else {
        Err(Fail::system(super::errno_of(error as i32), "munlock"))
    }
}

/// Which pages of a range are locked.
fn locked_pages(pages: Pages) -> Outcome<Vec<usize>> {
    /// psapi.h: `Locked` of `PSAPI_WORKING_SET_EX_BLOCK`.
    const LOCKED: usize = 1 << 22;
    let mut found = Vec::new();
    working_set(pages, super::page_size(), |index, flags| {
        if flags & (LOCKED | VALID) == LOCKED | VALID {
            found.push(index);
        }
    })?;
    Ok(found)
}

/// Faults pages in for reading.
pub fn populate_read(pages: Pages) {
    prefetch(pages);
    // SAFETY: whole pages of a live Region; the guard answers a fault.
    unsafe { pages.touch(super::page_size()) };
}

fn set(pages: Pages, protection: u32) -> Outcome<()> {
    // SAFETY: whole pages of a live Region.
    if unsafe { set_protection(pages.base as usize, pages.length, protection) } {
        Ok(())
    } else {
        Err(Fail::last("mprotect"))
    }
}

/// VirtualProtect, of one view after the other where there are several.
pub fn protect(pages: Pages, protection: Protection) -> Outcome<()> {
    match protect_piece(pages, protection) {
        Err(_) if !is_one_piece(pages) => each(pages, |pages, _| protect_piece(pages, protection)),
        done => done,
    }
}

fn protect_piece(pages: Pages, protection: Protection) -> Outcome<()> {
    match protection {
        Protection::None => set(pages, memory::PAGE_NOACCESS),
        Protection::Read => set(pages, memory::PAGE_READONLY),
        // Bits of mprotect(2), which has none here.
        Protection::Raw(_) => Err(Fail::system(code::ENOTSUP, "mprotect")),
        Protection::Exec => set(pages, memory::PAGE_EXECUTE_READ).map_err(|fail| {
            // Pages of a view never get more rights than its section has.
            if query(pages.base as usize).is_some_and(|facts| facts.Type == memory::MEM_MAPPED) {
                Fail::system(code::EACCES, "mprotect")
                    .hint("Windows executes a file only where it was opened with exec: true")
            } else {
                fail
            }
        }),
        // Pages of a private copy are not made writable themselves: a store copies them first.
        Protection::Write if mapped_as(pages) == Some(memory::PAGE_WRITECOPY) => {
            set(pages, memory::PAGE_WRITECOPY)
        }
        Protection::Write => set(pages, memory::PAGE_READWRITE),
    }
}

/// One bit a page, lowest bit first, for the pages in this process's working set.
pub fn residency(pages: Pages, page: usize) -> Outcome<Vec<u8>> {
    let mut bits = vec![0_u8; pages.length.div_ceil(page).div_ceil(8)];
    working_set(pages, page, |index, flags| {
        if flags & VALID != 0 {
            bits[index / 8] |= 1 << (index % 8);
        }
    })?;
    Ok(bits)
}

/// psapi.h: `Valid` of `PSAPI_WORKING_SET_EX_BLOCK`.
const VALID: usize = 1;

/// QueryWorkingSetEx: number and attributes of each page.
fn working_set(pages: Pages, page: usize, mut note: impl FnMut(usize, usize)) -> Outcome<()> {
    /// Pages asked at once.
    const STEP: usize = 1024;
    let count = pages.length.div_ceil(page);
    // SAFETY: an all-zero structure is a valid value.
    let mut states: Vec<PSAPI_WORKING_SET_EX_INFORMATION> =
        vec![unsafe { std::mem::zeroed() }; STEP.min(count)];
    let mut first = 0;
    while first < count {
        let some = STEP.min(count - first);
        for (index, state) in states[..some].iter_mut().enumerate() {
            state.VirtualAddress = pages.base.wrapping_add((first + index) * page).cast();
        }
        let bytes = (some * size_of::<PSAPI_WORKING_SET_EX_INFORMATION>()) as u32;
        // SAFETY: as many structures as `bytes` says, which the call fills.
        if unsafe { QueryWorkingSetEx(GetCurrentProcess(), states.as_mut_ptr().cast(), bytes) } == 0
        {
            return Err(Fail::last("mincore"));
        }
        for (index, state) in states[..some].iter().enumerate() {
            // SAFETY: both members of the union are the same word.
            note(first + index, unsafe { state.VirtualAttributes.Flags });
        }
        first += some;
    }
    Ok(())
}

/// The working set is what this process has touched; what the system's cache holds beside it is not told.
pub fn residency_is_exact(file: Option<&File>) -> bool {
    file.is_none_or(|file| super::windows_sections::section_length(file).is_some())
}
