//! Placeholders (VirtualAlloc2, MapViewOfFile3, UnmapViewOfFile2; Windows 10 1803), found at run time, so that the binary loads where they
//! are missing. A range of them is a row of pieces: views, private memory, placeholders. A view cannot be cut, so a part of it is replaced by
//! unmapping the whole view into a placeholder, splitting that, and mapping the file again on both sides.
#![allow(
    unsafe_code,
    reason = "system calls on address space that the callers hold"
)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::Memory as memory;
use windows_sys::Win32::System::Threading::GetCurrentProcess;
use windows_sys::w;

use super::windows_abilities::{query, set_protection};
use super::windows_sections::length_of_section;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::region::Form;

/// winnt.h: placeholders side by side become one.
const MEM_COALESCE_PLACEHOLDERS: u32 = 1;

type VirtualAlloc2 = unsafe extern "system" fn(
    HANDLE,
    *const c_void,
    usize,
    u32,
    u32,
    *mut c_void,
    u32,
) -> *mut c_void;
type MapViewOfFile3 = unsafe extern "system" fn(
    HANDLE,
    HANDLE,
    *const c_void,
    u64,
    usize,
    u32,
    u32,
    *mut c_void,
    u32,
) -> *mut c_void;
type UnmapViewOfFile2 = unsafe extern "system" fn(HANDLE, *const c_void, u32) -> i32;

/// The calls of kernelbase.dll that know placeholders.
#[derive(Clone, Copy)]
pub(super) struct Calls {
    allocate: VirtualAlloc2,
    map: MapViewOfFile3,
    unmap: UnmapViewOfFile2,
}

impl Calls {
    /// `None` where they are missing, or (wine 8) there in name only.
    pub(super) fn get() -> Option<Self> {
        static FOUND: OnceLock<Option<Calls>> = OnceLock::new();
        *FOUND.get_or_init(|| {
            let calls = Self::look_up()?;
            let base = calls.reserve(super::allocation_granularity())?;
            // SAFETY: reserved just now.
            unsafe { release(base) };
            Some(calls)
        })
    }

    fn look_up() -> Option<Self> {
        // SAFETY: every process has this library, and never unloads it.
        let library = unsafe { GetModuleHandleW(w!("kernelbase.dll")) };
        let find = |name: &std::ffi::CStr| {
            // SAFETY: the name is NUL-terminated.
            unsafe { GetProcAddress(library, name.as_ptr().cast()) }.map(|found| found as usize)
        };
        let (allocate, map, unmap) = (
            find(c"VirtualAlloc2")?,
            find(c"MapViewOfFile3")?,
            find(c"UnmapViewOfFile2")?,
        );
        // SAFETY: memoryapi.h declares them so.
        unsafe {
            Some(Self {
                allocate: std::mem::transmute::<usize, VirtualAlloc2>(allocate),
                map: std::mem::transmute::<usize, MapViewOfFile3>(map),
                unmap: std::mem::transmute::<usize, UnmapViewOfFile2>(unmap),
            })
        }
    }

    /// A new placeholder where the system likes.
    pub(super) fn reserve(self, length: usize) -> Option<usize> {
        let kind = memory::MEM_RESERVE | memory::MEM_RESERVE_PLACEHOLDER;
        // SAFETY: takes address space that is free.
        let base = unsafe { self.allocate_at(0, length, kind, memory::PAGE_NOACCESS) };
        (base != 0).then_some(base)
    }

    unsafe fn allocate_at(self, at: usize, length: usize, kind: u32, protection: u32) -> usize {
        let (process, place) = (current_process(), at as *const c_void);
        // SAFETY: as the caller promises.
        unsafe { (self.allocate)(process, place, length, kind, protection, null_mut(), 0) as usize }
    }
}

fn current_process() -> HANDLE {
    // SAFETY: has no preconditions; a pseudo handle.
    unsafe { GetCurrentProcess() }
}

/// How a file is mapped: protections of the section, of the view, and of its pages where those are stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct How {
    section: u32,
    view: u32,
    pub(super) pages: u32,
}

impl How {
    pub(super) fn of(form: Form, can_copy: bool) -> Self {
        let (shared, pages) = match (form.exec, form.private, form.writable) {
            (true, _, _) => (memory::PAGE_EXECUTE_READ, memory::PAGE_EXECUTE_READ),
            (false, false, true) => (memory::PAGE_READWRITE, memory::PAGE_READWRITE),
            // A page of it can become a private copy when it is stored to.
            (false, false, false) if can_copy => (memory::PAGE_READONLY, memory::PAGE_READONLY),
            (false, _, false) => (memory::PAGE_WRITECOPY, memory::PAGE_READONLY),
            (false, true, true) => (memory::PAGE_WRITECOPY, memory::PAGE_WRITECOPY),
        };
        Self {
            section: shared,
            view: shared,
            pages,
        }
    }
}

/// VirtualFree of a whole placeholder or piece of private memory.
unsafe fn release(base: usize) {
    // SAFETY: as the caller promises.
    unsafe { memory::VirtualFree(base as *mut _, 0, memory::MEM_RELEASE) };
}

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

/// What a held range shows: byte `offset` of a file at `base`, and so on.
#[derive(Clone, Copy)]
pub struct Shown {
    /// The file.
    pub file: HANDLE,
    /// An address.
    pub base: usize,
    /// What is shown there.
    pub offset: u64,
}

impl Shown {
    /// What is shown at another address, on either side of `base`.
    pub(super) fn offset_at(&self, at: usize) -> u64 {
        let distance = (at as i64).wrapping_sub(self.base as i64);
        self.offset.wrapping_add_signed(distance)
    }
}

/// A section of a file, until it is dropped; or memory that processes share, which is one by itself.
pub(super) struct Section {
    handle: HANDLE,
    is_shared: bool,
    shown: Shown,
    how: How,
}

impl Section {
    pub(super) fn new(shown: Shown, how: How) -> Outcome<Self> {
        if length_of_section(shown.file).is_some() {
            return Ok(Self {
                handle: shown.file,
                is_shared: true,
                shown,
                how,
            });
        }
        // SAFETY: the file is open while the mapping lives; no name; as long as the file is now.
        let handle =
            unsafe { memory::CreateFileMappingW(shown.file, null(), how.section, 0, 0, null()) };
        if handle.is_null() {
            return Err(Fail::last("mmap"));
        }
        Ok(Self {
            handle,
            is_shared: false,
            shown,
            how,
        })
    }

    /// Maps its part of the file in the place of the placeholder `at..at + length`.
    pub(super) unsafe fn show(&self, calls: Calls, at: usize, length: usize) -> Outcome<()> {
        let offset = self.shown.offset_at(at);
        let whole = |length: usize| {
            // SAFETY: a placeholder that is the caller's.
            let view = unsafe {
                (calls.map)(
                    self.handle,
                    current_process(),
                    at as *const c_void,
                    offset,
                    length,
                    memory::MEM_REPLACE_PLACEHOLDER,
                    self.how.view,
                    null_mut(),
                    0,
                )
            };
            !view.is_null()
        };
        // A view may not be longer than its section, which ends where the file does: inside the last page. Shared memory has whole pages.
        let rest = if self.is_shared {
            0
        } else {
            file_length(self.shown.file).saturating_sub(offset)
        };
        let exact = usize::try_from(rest).unwrap_or(usize::MAX).min(length);
        if exact == 0 || !whole(exact) {
            // The error of the first try is the true one.
            let first = Fail::last("mmap");
            if !whole(length) {
                return Err(if exact == 0 {
                    Fail::last("mmap")
                } else {
                    first
                });
            }
        }
        if self.how.pages != self.how.view {
            // SAFETY: mapped just now.
            unsafe { set_protection(at, length, self.how.pages) };
        }
        Ok(())
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        if !self.is_shared {
            // SAFETY: made by `new`, closed once; views keep what they show.
            unsafe { CloseHandle(self.handle) };
        }
    }
}

fn file_length(file: HANDLE) -> u64 {
    let mut size = 0;
    // SAFETY: a place on this stack; a wrong handle is an error, not undefined.
    unsafe { windows_sys::Win32::Storage::FileSystem::GetFileSizeEx(file, &raw mut size) };
    size as u64
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

/// A run of pages, and their protection.
type Run = (usize, usize, u32);

/// Protections that are stricter than the view's own: they must be as strict when the file is shown there again. The handler must not use the
/// heap: what has no place here lies in pages of its own.
struct Strict {
    first: [Run; 16],
    count: usize,
    more: *mut Run,
    room: usize,
}

impl Strict {
    fn new() -> Self {
        Self {
            first: [(0, 0, 0); 16],
            count: 0,
            more: null_mut(),
            room: 0,
        }
    }

    /// Of the views in `from..to`, or of nothing, if the range is empty.
    fn note(&mut self, from: usize, to: usize, usual: u32) -> Outcome<()> {
        let mut at = from;
        while at < to
            && let Some(facts) = query(at)
        {
            let end = (facts.BaseAddress as usize + facts.RegionSize).min(to);
            let strict = matches!(
                facts.Protect,
                memory::PAGE_NOACCESS | memory::PAGE_READONLY | memory::PAGE_EXECUTE_READ
            );
            if strict && facts.Type == memory::MEM_MAPPED && facts.Protect != usual {
                self.add((at, end, facts.Protect))?;
            }
            at = end;
        }
        Ok(())
    }

    fn add(&mut self, run: Run) -> Outcome<()> {
        let at = self.count;
        if let Some(place) = self.first.get_mut(at) {
            *place = run;
        } else {
            let at = at - self.first.len();
            if at == self.room {
                self.grow()?;
            }
            // SAFETY: `grow` has seen to it that there is room for it.
            unsafe { self.more.add(at).write(run) };
        }
        self.count += 1;
        Ok(())
    }

    fn grow(&mut self) -> Outcome<()> {
        let room = (self.room * 2).max(1024);
        let kind = memory::MEM_RESERVE | memory::MEM_COMMIT;
        // SAFETY: new memory where the system likes; what was there before fits into it and is given back.
        unsafe {
            let size = room * size_of::<Run>();
            let fresh =
                memory::VirtualAlloc(null(), size, kind, memory::PAGE_READWRITE).cast::<Run>();
            if fresh.is_null() {
                return Err(Fail::last("mmap"));
            }
            if self.room > 0 {
                fresh.copy_from_nonoverlapping(self.more, self.room);
                release(self.more as usize);
            }
            (self.more, self.room) = (fresh, room);
        }
        Ok(())
    }

    fn restore(&self) {
        for index in 0..self.count {
            let (from, to, protection) = self.first.get(index).copied().unwrap_or_else(|| {
                // SAFETY: `add` wrote so many.
                unsafe { self.more.add(index - self.first.len()).read() }
            });
            // SAFETY: whole pages of a view that was just mapped again in a range of the caller's.
            unsafe { set_protection(from, to - from, protection) };
        }
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        if self.room > 0 {
            // SAFETY: made by `grow`, given back once.
            unsafe { release(self.more as usize) };
        }
    }
}
