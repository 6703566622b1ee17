//! Having the pages of a fresh segment there before anybody writes into it.
#![allow(unsafe_code, reason = "madvise(2)")]

use crate::region::Region;

/// Asks for large pages where the file system has them: faulting them in is five times faster, but a flush then writes whole ones too.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn advise_large(region: &Region) {
    let pages = region.pages(0, region.len());
    // SAFETY: a hint on whole pages of a Region that the caller keeps; what is in them stays.
    unsafe { libc::madvise(pages.base.cast(), pages.length, libc::MADV_HUGEPAGE) };
}

/// Elsewhere the system decides.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn advise_large(_region: &Region) {}

/// Faults the pages of a range in for writing; false if there is no use in going on.
///
/// Only a matter of speed: whatever fails here happens at the first store instead.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn prefault(region: &Region, from: usize, to: usize) -> bool {
    /// linux/mman.h, since Linux 5.14.
    const MADV_POPULATE_WRITE: i32 = 23;
    // What was closed has other pages by now, or none.
    if region.is_retired() {
        return false;
    }
    let pages = region.pages(from, to - from);
    // SAFETY: as above.
    unsafe { libc::madvise(pages.base.cast(), pages.length, MADV_POPULATE_WRITE) == 0 }
}

/// Elsewhere there is no call that faults pages in for writing without storing to them.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn prefault(_region: &Region, _from: usize, _to: usize) -> bool {
    false
}
