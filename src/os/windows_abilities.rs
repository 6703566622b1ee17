//! What this system's pages can do, tried out once on memory of our own. Nothing of it may be guessed: where a store to a page that
//! should be a private copy reaches the section (wine 8 and 10 do so), it would reach a user's file.
#![allow(unsafe_code, reason = "system calls on a section that nobody else has")]

use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::{CloseHandle, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Memory as memory;

/// What can be done to single pages of a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageAbilities {
    /// `PAGE_WRITECOPY` on a page of a view for reading makes a private copy at the next store. The kernel allows it (a view for reading is
    /// compatible with it) and charges that page alone.
    pub copy: bool,
    /// `PAGE_REVERT_TO_FILE_MAP` drops such a copy.
    pub revert: bool,
}

/// Tried out at the first call.
pub fn page_abilities() -> PageAbilities {
    static FOUND: OnceLock<PageAbilities> = OnceLock::new();
    *FOUND.get_or_init(|| try_out().unwrap_or_default())
}

/// A view of a section, until it is dropped.
struct View(memory::MEMORY_MAPPED_VIEW_ADDRESS);

impl View {
    fn first(&self) -> *mut u8 {
        self.0.Value.cast()
    }

    fn load(&self) -> u8 {
        // SAFETY: the first byte of a readable view, which others may change.
        unsafe { self.first().read_volatile() }
    }

    /// The caller knows that the page can be stored to.
    fn store(&self, value: u8) {
        // SAFETY: as in `load`.
        unsafe { self.first().write_volatile(value) };
    }

    fn protect(&self, length: usize, protection: u32) -> bool {
        // SAFETY: a view of this module's own.
        unsafe { set_protection(self.first() as usize, length, protection) }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: made by MapViewOfFile, once.
        unsafe { memory::UnmapViewOfFile(self.0) };
    }
}

fn try_out() -> Option<PageAbilities> {
    let page = super::page_size();
    // SAFETY: memory of the page file's, without a name.
    let section = unsafe {
        memory::CreateFileMappingW(
            INVALID_HANDLE_VALUE,
            null(),
            memory::PAGE_READWRITE,
            0,
            page as u32,
            null(),
        )
    };
    if section.is_null() {
        return None;
    }
    let view = |access: u32| {
        // SAFETY: the section was just made.
        let view = unsafe { memory::MapViewOfFile(section, access, 0, 0, page) };
        (!view.Value.is_null()).then_some(View(view))
    };
    let views = view(memory::FILE_MAP_READ).zip(view(memory::FILE_MAP_WRITE));
    // SAFETY: made above, closed once; views keep what they show.
    unsafe { CloseHandle(section) };
    let (ours, others) = views?;
    let mut found = PageAbilities::default();
    others.store(1);
    if ours.load() == 1 && ours.protect(page, memory::PAGE_WRITECOPY) {
        ours.store(2);
        found.copy = ours.load() == 2 && others.load() == 1;
    }
    if found.copy
        && ours.protect(
            page,
            memory::PAGE_READONLY | memory::PAGE_REVERT_TO_FILE_MAP,
        )
    {
        others.store(3);
        found.revert = ours.load() == 3;
    }
    Some(found)
}

/// VirtualProtect.
///
/// # Safety
/// Whole pages that are the caller's.
pub unsafe fn set_protection(at: usize, length: usize, protection: u32) -> bool {
    let mut old = 0;
    // SAFETY: as the caller promises; a place on this stack for what was there.
    unsafe { memory::VirtualProtect(at as *const _, length, protection, &raw mut old) != 0 }
}

/// VirtualQuery. `None`: not an address of this process.
pub fn query(at: usize) -> Option<memory::MEMORY_BASIC_INFORMATION> {
    // SAFETY: an all-zero structure is a valid value.
    let mut facts: memory::MEMORY_BASIC_INFORMATION = unsafe { std::mem::zeroed() };
    // SAFETY: any address may be asked for; the structure lives on this stack.
    let got = unsafe {
        memory::VirtualQuery(
            null_mut::<u8>().wrapping_add(at).cast(),
            &raw mut facts,
            size_of_val(&facts),
        )
    };
    (got != 0).then_some(facts)
}

const COPIES: u32 = memory::PAGE_WRITECOPY | memory::PAGE_EXECUTE_WRITECOPY;

/// Whether a page belongs to a view that was mapped for private copies.
fn is_copy_view(at: usize) -> bool {
    query(at).is_some_and(|facts| facts.AllocationProtect & COPIES != 0)
}

/// The next store to each of these pages makes a private copy of it.
///
/// # Safety
/// Whole pages of a view that is the caller's.
pub unsafe fn make_private(at: usize, length: usize) -> bool {
    if !page_abilities().copy && !is_copy_view(at) {
        return false;
    }
    // SAFETY: as the caller promises.
    unsafe { set_protection(at, length, memory::PAGE_WRITECOPY) }
}

const WRITABLE: u32 = memory::PAGE_READWRITE | memory::PAGE_EXECUTE_READWRITE;

/// Pages that are the caller's alone can be stored to.
///
/// # Safety
/// Whole pages that are the caller's.
pub unsafe fn make_writable(at: usize, length: usize) -> bool {
    // A view that was not mapped for stores takes them in private copies only.
    let shared = query(at).is_some_and(|facts| facts.AllocationProtect & WRITABLE != 0);
    let protection = if shared {
        memory::PAGE_READWRITE
    } else {
        memory::PAGE_WRITECOPY
    };
    // SAFETY: as the caller promises.
    unsafe { set_protection(at, length, protection) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_found_again() {
        let found = page_abilities();
        assert_eq!(try_out(), Some(found));
        assert!(found.copy || !found.revert, "{found:?}");
    }
}
