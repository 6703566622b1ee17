//! Files shown in the place of placeholders: sections, and how their views are protected.
#![allow(
    unsafe_code,
    reason = "system calls on address space that the callers hold"
)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE};
use windows_sys::Win32::System::Memory as memory;

use super::Form;
use super::windows_abilities::set_protection;
use super::windows_calls::{Calls, current_process};
use super::windows_sections::length_of_section;
use crate::error::{Fail, Outcome};

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
    pub(super) how: How,
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
