//! Copies between mapped bytes and the caller's: raw pointers only, as others may write the mapped side at any time.
#![allow(unsafe_code, reason = "raw copies")]

use std::cmp::Ordering;

use crate::error::Outcome;
use crate::region::Region;

/// The range as a pointer, if the mapping has it and it may be used so.
fn locate(region: &Region, position: usize, length: usize, store: bool) -> Outcome<*mut u8> {
    region.check_range(position, length)?;
    region.permit(position, length, store)?;
    Ok(region.start().wrapping_add(position))
}

/// Mapping -> `target`, which may itself be a view of a mapping: a raw slice, as the compiler takes a `&mut` parameter for memory that
/// overlaps nothing and turns `memmove` into `memcpy` (seen on Windows).
pub fn read(region: &Region, target: *mut [u8], position: usize) -> Outcome<()> {
    let from = locate(region, position, target.len(), false)?;
    if target.len() > 0 {
        // SAFETY: both are valid for the length: `from` was checked, `target` is an array of the caller's that is alive.
        unsafe { std::ptr::copy(from, target.cast::<u8>(), target.len()) };
    }
    Ok(())
}

/// `source` -> mapping; raw for the same reason.
pub fn write(region: &Region, source: *const [u8], position: usize) -> Outcome<()> {
    let to = locate(region, position, source.len(), true)?;
    if source.len() > 0 {
        // SAFETY: as in `read`.
        unsafe { std::ptr::copy(source.cast::<u8>(), to, source.len()) };
    }
    Ok(())
}

/// Repeats `pattern` from `begin` to `end`.
pub fn fill(region: &Region, pattern: &[u8], begin: usize, end: usize) -> Outcome<()> {
    let length = end.saturating_sub(begin);
    let to = locate(region, begin, length, true)?;
    match pattern {
        [] => {}
        // SAFETY: `to` is valid for `length` bytes (checked).
        [byte] => unsafe { std::ptr::write_bytes(to, *byte, length) },
        _ => {
            let first = pattern.len().min(length);
            // SAFETY: both sides are valid for `first` bytes.
            unsafe { std::ptr::copy(pattern.as_ptr(), to, first) };
            let mut done = first;
            while done < length {
                let next = done.min(length - done);
                // SAFETY: `done` bytes are written, `next` more fit, and the two do not overlap as `next <= done`.
                unsafe { std::ptr::copy_nonoverlapping(to, to.add(done), next) };
                done += next;
            }
        }
    }
    Ok(())
}

/// `memmove` inside the mapping.
pub fn copy_within(region: &Region, target: usize, begin: usize, end: usize) -> Outcome<()> {
    let length = end.saturating_sub(begin);
    let from = locate(region, begin, length, false)?;
    let to = locate(region, target, length, true)?;
    if length > 0 {
        // SAFETY: both are valid for `length` bytes; they may overlap.
        unsafe { std::ptr::copy(from, to, length) };
    }
    Ok(())
}

/// Order of two byte strings, the shorter first where one begins the other.
pub fn compare(left: &Region, right: &Region) -> Outcome<Ordering> {
    left.permit(0, left.len(), false)?;
    right.permit(0, right.len(), false)?;
    // SAFETY: both pointers are valid for their lengths while the Regions live.
    Ok(unsafe { compare_raw((left.start(), left.len()), (right.start(), right.len())) })
}

/// As above, against bytes of JavaScript.
pub fn compare_bytes(left: &Region, right: &[u8]) -> Outcome<Ordering> {
    left.permit(0, left.len(), false)?;
    // SAFETY: both pointers are valid for their lengths while the Region and the slice live.
    Ok(unsafe { compare_raw((left.start(), left.len()), (right.as_ptr(), right.len())) })
}

unsafe fn compare_raw(left: (*const u8, usize), right: (*const u8, usize)) -> Ordering {
    /// Small enough to stay in the cache between the fast equality test and the search for the difference.
    const BLOCK: usize = 4096;
    let common = left.1.min(right.1);
    let mut at = 0;
    let (mut a, mut b) = ([0_u8; BLOCK], [0_u8; BLOCK]);
    while at < common {
        let length = BLOCK.min(common - at);
        // SAFETY: `at + length <= common`, for which the caller vouches. Copied first: a comparison of memory that changes meanwhile has no meaning.
        unsafe {
            std::ptr::copy(left.0.add(at), a.as_mut_ptr(), length);
            std::ptr::copy(right.0.add(at), b.as_mut_ptr(), length);
        }
        match a[..length].cmp(&b[..length]) {
            Ordering::Equal => at += length,
            different => return different,
        }
    }
    left.1.cmp(&right.1)
}
