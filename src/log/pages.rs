//! Having the pages of a fresh segment there before anybody writes into it.
#![allow(unsafe_code, reason = "madvise(2)")]

use crate::region::Region;

/// Has the pages of a fresh file in the system's cache, by writing zeros over its zeros, until `enough`. The first page stays: it has the header.
///
/// Faulting in pages that are there already is several times faster, and what the system chooses for a large write comes from memory in use before:
/// whole large pages (`MADV_HUGEPAGE`) were new to the virtual machine again and again, which took 0.5 to 3 µs for 512 bytes.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn fill(region: &Region, enough: impl Fn() -> bool) {
    use std::os::unix::fs::FileExt;

    const CHUNK: usize = 1 << 20;
    let Some(file) = region.file() else { return };
    let zeros = vec![0; CHUNK];
    let mut at = region.page();
    while at < region.len() && !enough() {
        let length = (CHUNK - at % CHUNK).min(region.len() - at);
        match file.write_at(&zeros[..length], at as u64) {
            Ok(written) if written > 0 => at += written,
            _ => return,
        }
    }
}

/// Elsewhere the system decides.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn fill(_region: &Region, _enough: impl Fn() -> bool) {}

/// Asks for as much as there is to be mapped with one fault.
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
    // SAFETY: a hint on whole pages of a Region that the caller keeps; what is in them stays.
    unsafe { libc::madvise(pages.base.cast(), pages.length, MADV_POPULATE_WRITE) == 0 }
}

/// Elsewhere there is no call that faults pages in for writing without storing to them.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn prefault(_region: &Region, _from: usize, _to: usize) -> bool {
    false
}
