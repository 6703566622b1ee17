//! Having the pages of a fresh segment there before anybody writes into it.
#![allow(unsafe_code, reason = "madvise(2)")]

use crate::region::Region;

/// Faults all pages in for writing, as large ones where the file system has them: five times faster, but a flush then writes whole large pages too.
///
/// Only a matter of speed: whatever fails here happens at the first store instead.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn prefault(region: &Region) {
    /// linux/mman.h, since Linux 5.14.
    const MADV_POPULATE_WRITE: i32 = 23;
    let pages = region.pages(0, region.len());
    // SAFETY: hints on whole pages of a Region that the caller keeps; neither changes what is in them.
    unsafe {
        libc::madvise(pages.base.cast(), pages.length, libc::MADV_HUGEPAGE);
        libc::madvise(pages.base.cast(), pages.length, MADV_POPULATE_WRITE);
    }
}

/// Elsewhere there is no call that faults pages in for writing without storing to them.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn prefault(_region: &Region) {}
