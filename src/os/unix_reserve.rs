//! Address space taken in advance (mmap(2), `PROT_NONE`), into which files are mapped at fixed places.
#![allow(
    unsafe_code,
    reason = "system calls on address space that this type owns"
)]

#[cfg(any(target_os = "linux", target_os = "android"))]
use super::mremap;
use crate::error::{Fail, Outcome};

/// A range of address space, given back on drop.
pub struct Reserved {
    base: *mut u8,
    length: usize,
}

impl Reserved {
    /// Takes `length` bytes; they cost no memory.
    pub fn new(length: usize) -> Outcome<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON | super::NORESERVE;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let base =
            unsafe { libc::mmap(std::ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            Err(Fail::last("mmap"))
        } else {
            Ok(Self {
                base: base.cast(),
                length,
            })
        }
    }

    /// First page.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// In bytes.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        // SAFETY: the range is this value's; whoever mapped into it is gone with the Region that owns this value.
        unsafe { libc::munmap(self.base.cast(), self.length) };
    }
}

/// Moves private anonymous pages: by their page tables where the kernel can (mremap(2), `MREMAP_DONTUNMAP`, Linux 5.7), which leaves zeros and
/// copies nothing that was never touched; else byte by byte.
///
/// # Safety
/// Both ranges consist of pages of `page` bytes, are mapped, private, anonymous, readable and writable, at least `length` bytes long and
/// nobody else's.
pub unsafe fn move_pages(from: *mut u8, to: *mut u8, length: usize, page: usize) {
    // Huge pages cannot be moved (`VM_DONTEXPAND`).
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if page == super::page_size() {
        let whole = length.next_multiple_of(page);
        let flags = mremap::MREMAP_MAYMOVE | mremap::MREMAP_FIXED | mremap::MREMAP_DONTUNMAP;
        // SAFETY: as the caller promises.
        if unsafe { mremap::mremap(from.cast(), whole, whole, flags, to) } != libc::MAP_FAILED {
            return;
        }
        // Depending on where it failed, it had unmapped the target already (before 6.12).
        let bits = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_FIXED | super::NORESERVE;
        // SAFETY: the target is the caller's, and holds nothing yet.
        let there = unsafe { libc::mmap(to.cast(), whole, bits, kind, -1, 0) };
        debug_assert!(there == to.cast());
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = page;
    // SAFETY: as the caller promises.
    unsafe { std::ptr::copy_nonoverlapping(from, to, length) };
}
