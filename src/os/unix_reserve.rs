//! Address space taken in advance (mmap(2), `PROT_NONE`), into which files are mapped at fixed places.
#![allow(
    unsafe_code,
    reason = "system calls on address space that this type owns"
)]

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
/// Both ranges are page aligned, mapped, private, anonymous, at least `length` bytes long and nobody else's.
pub unsafe fn move_pages(from: *mut u8, to: *mut u8, length: usize) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let whole = length.next_multiple_of(super::page_size());
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP;
        // SAFETY: as the caller promises.
        if unsafe { libc::mremap(from.cast(), whole, whole, flags, to) } != libc::MAP_FAILED {
            return;
        }
    }
    // SAFETY: as the caller promises.
    unsafe { std::ptr::copy_nonoverlapping(from, to, length) };
}
