//! Other pages in the place of ones that are there: at close, after a fault, over the pages of a carrier.
//!
//! Up to Linux 6.11 an mmap(2) with `MAP_FIXED` that fails can leave a hole, which another thread's mmap may fill. So everything is mapped at
//! an address of the kernel's choice first and moved onto its place in one step (mremap(2), `MREMAP_FIXED`); whatever fails after that leaves
//! pages without access at once.
#![allow(
    unsafe_code,
    reason = "system calls on ranges that the caller vouches for"
)]

use std::ffi::c_void;
use std::fs::File;
use std::os::fd::AsRawFd;

use memmap2::{MmapOptions, MmapRaw};

#[cfg(any(target_os = "linux", target_os = "android"))]
use super::mremap;
use super::{Form, NORESERVE, Replacement, offsets};
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::sparse;

/// mmap(2)'s arguments, but for the address.
#[derive(Clone, Copy)]
struct Plan {
    length: usize,
    protection: i32,
    flags: i32,
    fd: i32,
    offset: offsets::off_t,
}

impl Plan {
    fn of_nothing(length: usize, protection: i32) -> Self {
        Self {
            length,
            protection,
            // 1 TiB of zeros must not count as 1 TiB of memory.
            flags: libc::MAP_PRIVATE | libc::MAP_ANON | NORESERVE,
            fd: -1,
            offset: 0,
        }
    }

    /// Gives null where it fails.
    ///
    /// # Safety
    /// With `MAP_FIXED` in `more`, the range at `at` is the caller's.
    unsafe fn map(self, at: *mut c_void, more: i32) -> *mut c_void {
        // SAFETY: as the caller promises; without MAP_FIXED the kernel chooses a free place.
        let there = unsafe {
            offsets::mmap(
                at,
                self.length,
                self.protection,
                self.flags | more,
                self.fd,
                self.offset,
            )
        };
        if there == libc::MAP_FAILED {
            std::ptr::null_mut()
        } else {
            there
        }
    }

    /// Maps over the range; where that fails after the old pages are gone, pages without access are there.
    ///
    /// # Safety
    /// The range at `at` is whole pages that the caller owns and nobody else maps into meanwhile.
    unsafe fn place(self, at: *mut u8) -> Outcome<()> {
        let at = at.cast::<c_void>();
        if cfg!(any(target_os = "linux", target_os = "android")) {
            // SAFETY: a new mapping at an address that the kernel chooses.
            let fresh = unsafe { self.map(std::ptr::null_mut(), 0) };
            if !fresh.is_null() {
                // SAFETY: `fresh` is ours and nobody knows it; the target is the caller's.
                return unsafe { move_onto(fresh, at, self.length) };
            }
            let fail = Fail::last("mmap");
            // Only the room for a second range of this size may be missing (`ulimit -v`).
            if fail.errno() != Some(code::ENOMEM) {
                return Err(fail);
            }
        }
        // SAFETY: as the caller promises.
        if unsafe { self.map(at, libc::MAP_FIXED) }.is_null() {
            let fail = Fail::last("mmap");
            if fail.errno() == Some(code::ENOMEM) {
                // SAFETY: as the caller promises.
                unsafe { close_off(at, self.length) };
            }
            return Err(fail);
        }
        Ok(())
    }
}

/// # Safety
/// As for [`Plan::place`].
unsafe fn close_off(at: *mut c_void, length: usize) -> bool {
    // SAFETY: as the caller promises. Needs no memory: it cannot fail for lack of it.
    !unsafe { Plan::of_nothing(length, libc::PROT_NONE).map(at, libc::MAP_FIXED) }.is_null()
}

/// mremap(2), `MREMAP_FIXED`.
///
/// # Safety
/// `fresh` is `length` bytes that nobody else knows; the range at `at` as for [`Plan::place`].
#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe fn move_onto(fresh: *mut c_void, at: *mut c_void, length: usize) -> Outcome<()> {
    let flags = mremap::MREMAP_MAYMOVE | mremap::MREMAP_FIXED;
    // SAFETY: as the caller promises.
    if unsafe { mremap::mremap(fresh, length, length, flags, at) } != libc::MAP_FAILED {
        return Ok(());
    }
    let fail = Fail::last("mremap");
    // SAFETY: as the caller promises.
    unsafe {
        libc::munmap(fresh, length);
        close_off(at, length);
    }
    Err(fail)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
unsafe fn move_onto(_fresh: *mut c_void, _at: *mut c_void, _length: usize) -> Outcome<()> {
    Err(Fail::system(code::ENOTSUP, "mremap"))
}

/// Puts other pages in the place of a mapping's, so that its file is unmapped and the address range stays taken.
///
/// # Safety
/// `base..base + length` is whole pages of one mapping that the caller owns and will not unmap meanwhile.
pub unsafe fn replace(base: *mut u8, length: usize, with: Replacement) {
    let protection = match with {
        Replacement::None => libc::PROT_NONE,
        Replacement::Zeros => libc::PROT_READ | libc::PROT_WRITE,
    };
    // Pages that nobody may use count for nothing, so that mapping them here at once cannot fail half done; moving a mapping there looks at each
    // 2 MiB of it (15 us for 1 GiB).
    // SAFETY: as the caller promises.
    let placed = protection == libc::PROT_NONE && unsafe { close_off(base.cast(), length) }
        || unsafe { Plan::of_nothing(length, protection).place(base) }.is_ok()
        || protection != libc::PROT_NONE && unsafe { replace_by_object(base, length) };
    if !placed {
        // Better pages that fault (the guard turns them into zeros one by one) than a hole or the file.
        // SAFETY: as above.
        unsafe { close_off(base.cast(), length) };
    }
}

/// # Safety
/// As for [`replace`].
unsafe fn replace_by_object(base: *mut u8, length: usize) -> bool {
    let Some(fd) = sparse::object(length) else {
        return false;
    };
    let plan = Plan {
        flags: libc::MAP_SHARED | NORESERVE,
        fd,
        ..Plan::of_nothing(length, libc::PROT_READ | libc::PROT_WRITE)
    };
    // SAFETY: as the caller promises.
    let placed = unsafe { plan.place(base) };
    // SAFETY: `fd` is ours, and the mapping keeps its own reference.
    unsafe { libc::close(fd) };
    placed.is_ok()
}

/// Maps the file (or zeros) over a part of a mapping, or over a carrier, in the mapping's own form.
///
/// # Safety
/// `base..base + length` is whole pages that the caller owns and nobody else maps into meanwhile.
pub unsafe fn map_again(
    base: *mut u8,
    length: usize,
    file: Option<&File>,
    offset: u64,
    form: Form,
) -> Outcome<()> {
    let shared = if form.private {
        libc::MAP_PRIVATE
    } else {
        libc::MAP_SHARED
    };
    let kind = if file.is_some() { 0 } else { libc::MAP_ANON };
    let plan = Plan {
        length,
        protection: libc::PROT_READ
            | if form.writable { libc::PROT_WRITE } else { 0 }
            | if form.exec { libc::PROT_EXEC } else { 0 },
        flags: shared | kind | NORESERVE,
        fd: file.map_or(-1, AsRawFd::as_raw_fd),
        offset: offsets::off_t::try_from(if file.is_some() { offset } else { 0 })
            .map_err(|_| Fail::system(code::EOVERFLOW, "mmap"))?,
    };
    // SAFETY: as the caller promises.
    unsafe { plan.place(base) }
}

/// The pages of a shared mapping without a file once more, at `target`: mremap(2) with an old length of 0.
///
/// # Safety
/// `base` is a shared mapping of at least `length` bytes; `target` as for [`map_again`].
pub unsafe fn share_again(base: *mut u8, target: *mut u8, length: usize) -> Outcome<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // SAFETY: an old length of 0 leaves `base` as it is and maps its pages a second time, where the kernel likes.
        let fresh = unsafe { mremap::mremap(base.cast(), 0, length, mremap::MREMAP_MAYMOVE) };
        if fresh == libc::MAP_FAILED {
            return Err(Fail::last("mremap"));
        }
        // SAFETY: `fresh` is ours and nobody knows it; the target is the caller's.
        unsafe { move_onto(fresh, target.cast(), length) }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = (base, target, length);
        Err(Fail::system(code::ENOTSUP, "mremap"))
    }
}

/// The end of a mapping that shrinks: zeros for views that are still there. The caller cuts the file, if that is to happen.
///
/// # Safety
/// As of `replace`.
#[allow(
    clippy::unnecessary_wraps,
    reason = "same signature as where it can fail"
)]
pub unsafe fn shorten(
    base: *mut u8,
    from: usize,
    to: usize,
    _file: Option<&File>,
    _offset: u64,
    _form: Form,
) -> Outcome<()> {
    // SAFETY: as the caller promises.
    unsafe { replace(base.wrapping_add(from), to - from, Replacement::Zeros) };
    Ok(())
}

/// Words at an address where nothing may be mapped any more: the kernel looks for us.
pub fn peek(at: *const u8) -> Option<[usize; 3]> {
    let mut words = [0; 3];
    let length = size_of_val(&words);
    let (reader, writer) = std::io::pipe().ok()?;
    // SAFETY: write(2) answers EFAULT where nothing can be read; what comes out of the pipe goes into words of ours.
    let moved = unsafe {
        libc::write(writer.as_raw_fd(), at.cast(), length) == length as isize
            && libc::read(reader.as_raw_fd(), words.as_mut_ptr().cast(), length) == length as isize
    };
    moved.then_some(words)
}

/// Any mapping can be replaced while its addresses stay taken: no range has to be held for it.
pub fn holds_places() -> bool {
    false
}

/// Without the guard a `'read'` mapping is private, and stores stay in its pages.
pub const SWALLOWS_STORES: bool = true;

/// mmap(2), where the kernel likes.
pub fn map_view(options: &MmapOptions, file: &File, form: Form) -> std::io::Result<MmapRaw> {
    match (form.exec, form.private, form.writable) {
        // SAFETY: the bytes may change under us and the file may shrink; Region hands out raw pointers only, and the guard answers the faults.
        (true, _, _) => unsafe { options.map_exec(file).map(Into::into) },
        (false, false, true) => options.map_raw(file),
        (false, false, false) => options.map_raw_read_only(file),
        // SAFETY: see above.
        (false, true, true) => unsafe { options.map_copy(file).map(Into::into) },
        // SAFETY: see above.
        (false, true, false) => unsafe { options.map_copy_read_only(file).map(Into::into) },
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::FileExt;

    use super::*;

    /// What strict overcommit falls back on, which no test can switch on for this process alone.
    #[test]
    fn an_object_in_the_place_of_a_file_is_zeros_and_not_the_file() {
        let length = 256 << 20;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"seven").unwrap();
        file.set_len(length as u64).unwrap();
        let map = MmapOptions::new().map_raw(&file).unwrap();
        let base = map.as_mut_ptr();
        // SAFETY: this test's own mapping, which nobody else uses; both bytes are inside.
        unsafe {
            assert_eq!(*base, b's');
            assert!(replace_by_object(base, length));
            assert_eq!((*base, *base.add(length - 1)), (0, 0));
            *base = 7;
            assert_eq!(*base, 7);
        }
        let mut first = [0];
        file.read_exact_at(&mut first, 0).unwrap();
        assert_eq!(first, *b"s");
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert!(maps.contains("memmap zeros"), "{maps}");
    }
}
