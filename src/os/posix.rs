//! The calls of `memmap/posix` as the kernel takes them: mmap(2), munmap(2), mprotect(2), madvise(2), msync(2), mlock(2), mincore(2), mremap(2).
//!
//! Arguments go through unchanged, so that every errno is the kernel's own. The callers have seen to it that the addresses are ours.
#![allow(unsafe_code, reason = "system calls on pages that the caller owns")]

use super::Pages;
#[cfg(any(target_os = "linux", target_os = "android"))]
use super::mremap;
use super::offsets;
use crate::errno::code;
use crate::error::{Fail, Outcome};

/// Whether mappings can be placed in reserved address space.
pub const CAN_PLACE: bool = true;

/// mmap(2)'s last four arguments.
#[derive(Clone, Copy, Debug)]
pub struct MapArguments {
    /// `PROT_` bits.
    pub protection: i32,
    /// `MAP_` bits.
    pub flags: i32,
    /// -1 for none.
    pub fd: i32,
    /// Where in the file.
    pub offset: i64,
}

/// What the flags of a mapping mean for those who keep the books of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapKind {
    /// `MAP_FIXED` (and not `MAP_FIXED_NOREPLACE`).
    pub fixed: bool,
    /// The address or nothing: `MAP_FIXED_NOREPLACE`, `MAP_EXCL`.
    pub exact: bool,
    /// No file.
    pub anonymous: bool,
    /// Stores are nobody else's.
    pub private: bool,
    /// The size of its pages.
    pub page: usize,
}

/// Reads the flags of mmap(2).
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn map_kind(flags: i32) -> MapKind {
    /// asm-generic/mman-common.h, linux/mman.h; the libc crate lacks some on Android.
    const MAP_FIXED_NOREPLACE: i32 = 0x10_0000;
    const MAP_HUGE_SHIFT: i32 = 26;
    const MAP_HUGE_MASK: i32 = 0x3f;
    let exact = flags & MAP_FIXED_NOREPLACE != 0;
    let page = match (
        flags & libc::MAP_HUGETLB != 0,
        (flags >> MAP_HUGE_SHIFT) & MAP_HUGE_MASK,
    ) {
        (false, _) => super::page_size(),
        (true, 0) => super::huge_page_size(),
        (true, log) => 1_usize
            .checked_shl(log as u32)
            .unwrap_or_else(super::huge_page_size),
    };
    let shared = matches!(flags & libc::MAP_TYPE, libc::MAP_SHARED | 0x3);
    // With both bits the kernel (mm/mmap.c, ksys_mmap_pgoff) does as MAP_FIXED_NOREPLACE says: nothing is ever replaced.
    MapKind {
        fixed: flags & libc::MAP_FIXED != 0 && !exact,
        exact,
        anonymous: flags & libc::MAP_ANONYMOUS != 0,
        private: !shared,
        page,
    }
}

/// Reads the flags of mmap(2).
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn map_kind(flags: i32) -> MapKind {
    #[cfg(target_os = "freebsd")]
    let exact = flags & libc::MAP_EXCL != 0;
    #[cfg(not(target_os = "freebsd"))]
    let exact = false;
    MapKind {
        fixed: flags & libc::MAP_FIXED != 0 && !exact,
        exact,
        anonymous: flags & libc::MAP_ANON != 0,
        private: flags & libc::MAP_PRIVATE != 0,
        page: super::page_size(),
    }
}

/// What a protection says: whether pages may be loaded, stored to, executed; and whether it says no more than that.
pub fn protection_parts(protection: i32) -> (bool, bool, bool, bool) {
    let has = |bit| protection & bit != 0;
    let plain = protection & !(libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC) == 0;
    (
        has(libc::PROT_READ),
        has(libc::PROT_WRITE),
        has(libc::PROT_EXEC),
        plain,
    )
}

/// mmap(2) at `hint` or elsewhere; never with `MAP_FIXED`, which [`move_over`] does.
pub fn map_raw(hint: usize, length: usize, arguments: MapArguments) -> Outcome<*mut u8> {
    let kind = map_kind(arguments.flags);
    debug_assert!(!kind.fixed);
    // SAFETY: without MAP_FIXED the kernel replaces nothing that is mapped.
    let base = unsafe { map_call(hint, length, arguments)? };
    if kind.exact && base as usize != hint {
        // Kernels before 4.17 do not know MAP_FIXED_NOREPLACE and take the address as a hint (mmap(2)).
        unmap(base, length);
        return Err(Fail::system(code::EEXIST, "mmap"));
    }
    Ok(base)
}

/// # Safety
/// With `MAP_FIXED` the range is the caller's.
unsafe fn map_call(address: usize, length: usize, arguments: MapArguments) -> Outcome<*mut u8> {
    let MapArguments {
        protection,
        flags,
        fd,
        offset,
    } = arguments;
    // SAFETY: as the caller promises.
    let base = unsafe { offsets::mmap(address as *mut _, length, protection, flags, fd, offset) };
    if base == libc::MAP_FAILED {
        Err(Fail::last("mmap"))
    } else {
        Ok(base.cast())
    }
}

/// munmap(2) of whole mappings that nobody can reach any more.
pub fn unmap(base: *mut u8, length: usize) {
    // SAFETY: the owner of the range gives it up. It fails only for a range that was never mapped: then there is nothing to do.
    unsafe { libc::munmap(base.cast(), length) };
}

/// Gives a System V segment back. On Linux munmap(2), which also takes what was mapped over a part of it; elsewhere the system's books go by
/// the address that shmat(2) gave.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn detach_segment(base: *mut u8, length: usize) {
    // SAFETY: the owner of the range gives it up.
    let unmapped = unsafe { libc::munmap(base.cast(), length) } == 0;
    // Android has no such segments.
    #[cfg(target_os = "linux")]
    if !unmapped {
        // A segment of huge pages, whose length is not a multiple of them.
        // SAFETY: as above.
        unsafe { libc::shmdt(base.cast_const().cast()) };
    }
    #[cfg(target_os = "android")]
    let _ = unmapped;
}

/// Gives a System V segment back.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn detach_segment(base: *mut u8, _length: usize) {
    // SAFETY: `base` came from shmat, and its owner gives it up.
    unsafe { libc::shmdt(base.cast_const().cast()) };
}

/// Puts a fresh mapping in the place of `target..target + length`, in one step: the old pages are there until the new ones are.
///
/// Up to Linux 6.11 an `mmap` with `MAP_FIXED` that fails has unmapped the range already; a fresh mapping that is moved has not.
///
/// # Safety
/// `target..target + length` is the caller's address space, and the handler of the guard keeps off it meanwhile. `fresh` is the caller's, too, and
/// gone afterwards, whatever happens.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub unsafe fn move_over(fresh: Fresh, target: *mut u8, length: usize) -> Outcome<()> {
    let flags = mremap::MREMAP_MAYMOVE | mremap::MREMAP_FIXED;
    // SAFETY: as the caller promises.
    let moved = unsafe { mremap::mremap(fresh.0.cast(), length, length, flags, target) };
    if moved != libc::MAP_FAILED {
        return Ok(());
    }
    let fail = Fail::last("mremap");
    unmap(fresh.0, length);
    Err(fail)
}

/// Maps in the place of `target..target + length`: these systems cannot move a mapping, and replace in one step.
///
/// # Safety
/// As on Linux.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub unsafe fn move_over(fresh: Fresh, target: *mut u8, length: usize) -> Outcome<()> {
    let arguments = MapArguments {
        flags: fresh.0.flags | libc::MAP_FIXED,
        ..fresh.0
    };
    // SAFETY: as the caller promises.
    unsafe { map_call(target as usize, length, arguments) }.map(drop)
}

/// A mapping for [`move_over`]: on Linux it is there already.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub struct Fresh(*mut u8);

/// A mapping for [`move_over`]: here only its arguments.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub struct Fresh(MapArguments);

impl Fresh {
    /// Maps elsewhere first: whatever mmap(2) refuses leaves the target as it is.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn map(length: usize, arguments: MapArguments) -> Outcome<Self> {
        map_raw(
            0,
            length,
            MapArguments {
                flags: arguments.flags & !libc::MAP_FIXED,
                ..arguments
            },
        )
        .map(Self)
    }

    /// Maps elsewhere first: whatever mmap(2) refuses leaves the target as it is.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub fn map(length: usize, arguments: MapArguments) -> Outcome<Self> {
        let arguments = MapArguments {
            flags: arguments.flags & !libc::MAP_FIXED,
            ..arguments
        };
        let trial = map_raw(0, length, arguments)?;
        unmap(trial, length);
        Ok(Self(arguments))
    }

    /// It is not needed after all.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn discard(self, length: usize) {
        unmap(self.0, length);
    }

    /// It is not needed after all.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    #[allow(
        clippy::unused_self,
        reason = "same signature as where there is something to unmap"
    )]
    pub fn discard(self, _length: usize) {}

    /// A mapping that is there already, and that only the caller knows.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[allow(clippy::unnecessary_wraps, reason = "other systems cannot")]
    pub fn adopt(base: *mut u8, _length: usize) -> Outcome<Self> {
        Ok(Self(base))
    }

    /// These systems have no mremap(2).
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub fn adopt(base: *mut u8, length: usize) -> Outcome<Self> {
        let _ = (base, length);
        Err(Fail::system(code::ENOTSUP, "mremap"))
    }
}

/// The number is the caller's to close.
pub fn into_fd(file: std::fs::File) -> i32 {
    use std::os::fd::IntoRawFd;
    file.into_raw_fd()
}

/// The arguments that map a file (or memory) as MappedFile does.
pub fn plain_arguments(form: super::Form, fd: i32, offset: u64) -> Outcome<MapArguments> {
    let protection = libc::PROT_READ
        | if form.writable { libc::PROT_WRITE } else { 0 }
        | if form.exec { libc::PROT_EXEC } else { 0 };
    let flags = if form.private {
        libc::MAP_PRIVATE
    } else {
        libc::MAP_SHARED
    } | if fd < 0 {
        libc::MAP_ANON | super::NORESERVE
    } else {
        0
    };
    let offset = i64::try_from(offset).map_err(|_| Fail::system(code::EOVERFLOW, "mmap"))?;
    Ok(MapArguments {
        protection,
        flags,
        fd,
        offset,
    })
}

/// madvise(2), the number as it is: some drop contents, as the caller asked.
pub fn advise_raw(pages: Pages, advice: i32) -> Outcome<()> {
    // SAFETY: pages of live Regions; no advice unmaps.
    done(
        unsafe { libc::madvise(pages.base.cast(), pages.length, advice) },
        "madvise",
    )
}

/// msync(2), the flags as they are.
pub fn sync_raw(pages: Pages, flags: i32) -> Outcome<()> {
    loop {
        // SAFETY: pages of live Regions; msync changes no address space.
        let outcome = done(
            unsafe { libc::msync(pages.base.cast(), pages.length, flags) },
            "msync",
        );
        match outcome {
            Err(fail) if fail.errno() == Some(libc::EINTR) => {}
            outcome => return outcome,
        }
    }
}

/// mlock(2). On private writable pages it copies each one.
pub fn lock_raw(pages: Pages) -> Outcome<()> {
    // SAFETY: pages of live Regions; mlock changes no contents.
    done(
        unsafe { libc::mlock(pages.base.cast(), pages.length) },
        "mlock",
    )
}

/// munlock(2).
pub fn unlock_raw(pages: Pages) -> Outcome<()> {
    // SAFETY: pages of live Regions.
    done(
        unsafe { libc::munlock(pages.base.cast(), pages.length) },
        "munlock",
    )
}

/// mincore(2): one byte a page of the system.
pub fn core_raw(pages: Pages) -> Outcome<Vec<u8>> {
    let mut states = vec![0_u8; pages.length.div_ceil(super::page_size())];
    // SAFETY: pages of live Regions, and one byte of answer for each.
    let answer =
        unsafe { libc::mincore(pages.base.cast(), pages.length, states.as_mut_ptr().cast()) };
    done(answer, "mincore")?;
    Ok(states)
}

fn done(status: i32, syscall: &'static str) -> Outcome<()> {
    if status == 0 {
        Ok(())
    } else {
        Err(Fail::last(syscall))
    }
}

/// What is said of mremap(2)'s flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemapKind {
    /// `MREMAP_MAYMOVE`.
    pub may_move: bool,
    /// `MREMAP_FIXED`.
    pub fixed: bool,
    /// `MREMAP_DONTUNMAP`.
    pub keep: bool,
}

/// Reads the flags of mremap(2); what it does not know, or not together, is EINVAL.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn remap_kind(flags: i32) -> Outcome<RemapKind> {
    let kind = RemapKind {
        may_move: flags & mremap::MREMAP_MAYMOVE != 0,
        fixed: flags & mremap::MREMAP_FIXED != 0,
        keep: flags & mremap::MREMAP_DONTUNMAP != 0,
    };
    let known = mremap::MREMAP_MAYMOVE | mremap::MREMAP_FIXED | mremap::MREMAP_DONTUNMAP;
    if flags & !known != 0 || !kind.may_move && (kind.fixed || kind.keep) {
        return Err(Fail::system(code::EINVAL, "mremap"));
    }
    Ok(kind)
}

/// These systems have no mremap(2).
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn remap_kind(_flags: i32) -> Outcome<RemapKind> {
    Err(Fail::system(code::ENOTSUP, "mremap"))
}

/// mremap(2) without moving: only the last page changes its place.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn grow_here(base: *mut u8, old: usize, new: usize) -> Outcome<()> {
    // SAFETY: a mapping of the caller's, which only gets longer; without MREMAP_MAYMOVE its pages stay.
    let there = unsafe { mremap::mremap(base.cast(), old, new, 0) };
    if there == libc::MAP_FAILED {
        Err(Fail::last("mremap"))
    } else {
        Ok(())
    }
}

/// A second mapping of the same shared pages: mremap(2), "if `old_size` is zero, and `old_address` refers to a shareable mapping".
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn map_twice(base: *mut u8, length: usize) -> Outcome<*mut u8> {
    // SAFETY: a mapping of the caller's, which stays as it is.
    let there = unsafe { mremap::mremap(base.cast(), 0, length, mremap::MREMAP_MAYMOVE) };
    if there == libc::MAP_FAILED {
        Err(Fail::last("mremap"))
    } else {
        Ok(there.cast())
    }
}

/// Moves the pages of a private mapping elsewhere and to another length. The old range stays mapped (`MREMAP_DONTUNMAP`; Linux 5.7, for files
/// 5.13), so that nobody else's mapping can fall where views of the old one may still point.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn move_elsewhere(base: *mut u8, old: usize, new: usize) -> Outcome<*mut u8> {
    let flags = mremap::MREMAP_MAYMOVE | mremap::MREMAP_DONTUNMAP;
    // SAFETY: a mapping of the caller's; its range stays its own.
    let there = unsafe { mremap::mremap(base.cast(), old, old, flags, 0) };
    if there == libc::MAP_FAILED {
        return Err(Fail::last("mremap"));
    }
    if new == old {
        return Ok(there.cast());
    }
    // SAFETY: only this function knows `there`.
    let resized = unsafe { mremap::mremap(there, old, new, mremap::MREMAP_MAYMOVE) };
    if resized != libc::MAP_FAILED {
        return Ok(resized.cast());
    }
    let fail = Fail::last("mremap");
    // SAFETY: back to where the pages came from: that range is the caller's, and nothing is in it.
    unsafe {
        mremap::mremap(
            there,
            old,
            old,
            mremap::MREMAP_MAYMOVE | mremap::MREMAP_FIXED,
            base,
        )
    };
    Err(fail)
}

/// These systems have no mremap(2).
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn grow_here(_base: *mut u8, _old: usize, _new: usize) -> Outcome<()> {
    Err(Fail::system(code::ENOTSUP, "mremap"))
}

/// These systems have no mremap(2).
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn map_twice(_base: *mut u8, _length: usize) -> Outcome<*mut u8> {
    Err(Fail::system(code::ENOTSUP, "mremap"))
}

/// These systems have no mremap(2).
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn move_elsewhere(_base: *mut u8, _old: usize, _new: usize) -> Outcome<*mut u8> {
    Err(Fail::system(code::ENOTSUP, "mremap"))
}
