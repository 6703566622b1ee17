//! Having the pages of a fresh segment there before anybody writes into it.
#![allow(unsafe_code, reason = "madvise(2)")]

use crate::region::Region;

/// Whether there is anything to be prepared here at all.
pub const PREPARES: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Has the pages of a range of a fresh file in the system's cache, by writing zeros over its zeros; false if there is no use in going on.
///
/// Faulting in pages that are there already is several times faster, and what the system chooses for a large write comes from memory in use before:
/// whole large pages (`MADV_HUGEPAGE`) were new to the virtual machine again and again, which took 0.5 to 3 µs for 512 bytes.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn fill(region: &Region, from: usize, to: usize) -> bool {
    use std::os::unix::fs::FileExt;

    const CHUNK: usize = 64 << 10;
    let Some(file) = region.file() else {
        return false;
    };
    // A file that somebody has cut is not made long again: the writer is to meet what is missing.
    if !file.metadata().is_ok_and(|now| now.len() >= to as u64) {
        return false;
    }
    let zeros = vec![0; CHUNK];
    let mut at = from;
    while at < to {
        let length = (CHUNK - at % CHUNK).min(to - at);
        match file.write_at(&zeros[..length], at as u64) {
            Ok(written) if written > 0 => at += written,
            _ => return false,
        }
    }
    true
}

/// Elsewhere the system decides.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn fill(_region: &Region, _from: usize, _to: usize) -> bool {
    true
}

/// Asks for no page but those that are touched: the first store into a fresh file reads ahead otherwise (8 MiB of holes on some systems), in small
/// pages, which `fill` and `prefault` then find in their way: 195 ns for each 512 bytes instead of 91.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn advise_alone(region: &Region) {
    let pages = region.pages(0, region.len());
    // SAFETY: a hint on whole pages of a Region that the caller keeps; what is in them stays.
    unsafe { libc::madvise(pages.base.cast(), pages.length, libc::MADV_RANDOM) };
}

/// Elsewhere the system decides.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn advise_alone(_region: &Region) {}

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

/// Has the cache lines on their way to this processor that records like this one, of `size` bytes and at the start of `rest`, will use in a moment:
/// the thread that prepared them has them, and waiting for that took as long as the rest of `append` (140 ns for 512 bytes, 96 with this).
#[cfg(target_arch = "x86_64")]
pub fn expect(rest: &[u8], size: usize) {
    use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};

    const LINE: usize = 64;
    /// Four records of 512 bytes: one ahead hid a third of it, two half.
    const DISTANCE: usize = 2048;
    /// Longer records are copied faster than they could be asked for.
    const MOST: usize = 1024;
    if size > MOST {
        return;
    }
    for line in rest.iter().skip(DISTANCE).take(size).step_by(LINE) {
        // SAFETY: a hint, which faults nowhere.
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(std::ptr::from_ref(line).cast()) };
    }
}

/// Elsewhere there is no stable way to ask.
#[cfg(not(target_arch = "x86_64"))]
pub fn expect(_rest: &[u8], _size: usize) {}
