//! Which pages are in memory, which parts of a file are holes, and how to change the first: madvise(2), `posix_fadvise(2)`, lseek(2).
#![allow(unsafe_code, reason = "system calls")]

use std::fs::File;
#[cfg(not(target_vendor = "apple"))]
use std::os::fd::AsRawFd;

#[cfg(not(target_vendor = "apple"))]
use super::offsets;
use super::{Eviction, Pages};
#[cfg(any(target_os = "linux", target_os = "android"))]
use crate::errno::code;
#[cfg(any(target_os = "linux", target_os = "android"))]
use crate::error::Fail;
use crate::error::Outcome;

/// linux/mman.h, since 5.4.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MADV_PAGEOUT: i32 = 21;

/// Reads whole pages into memory and maps them, without storing to any. `false`: this system cannot; touch them instead.
///
/// Unlike `MAP_POPULATE` and mlock it copies no page of a private writable mapping. A missing page (truncated file, disk error) is `EFAULT`
/// and not a signal.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn populate(pages: Pages) -> Outcome<bool> {
    loop {
        // SAFETY: the caller gives whole pages of a mapping that it keeps alive; nothing is stored.
        if unsafe { libc::madvise(pages.base.cast(), pages.length, libc::MADV_POPULATE_READ) } == 0
        {
            return Ok(true);
        }
        let fail = Fail::last("madvise");
        match fail.errno() {
            Some(code::EINTR | code::EAGAIN) => {}
            // Before 5.14 and on gVisor EINVAL; old containers answer EPERM to what they do not know.
            Some(code::EINVAL | code::ENOSYS | code::EPERM) => return Ok(false),
            _ => return Err(fail),
        }
    }
}

/// As above: there is no such call here.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[allow(
    clippy::unnecessary_wraps,
    reason = "same signature as where it can fail"
)]
pub fn populate(_pages: Pages) -> Outcome<bool> {
    Ok(false)
}

/// Takes whole pages out of the mapping, keeping every change.
///
/// madvise(2): `MADV_DONTNEED` of shared file pages leaves their changes in the page cache, but it **drops** private ones; `MADV_PAGEOUT` drops none.
pub fn unload(pages: Pages, eviction: Eviction) {
    match eviction {
        // SAFETY: whole pages of the caller's shared mapping: the next access maps the same page again.
        Eviction::Shared => unsafe {
            libc::madvise(pages.base.cast(), pages.length, libc::MADV_DONTNEED);
        },
        #[cfg(any(target_os = "linux", target_os = "android"))]
        // SAFETY: paging out loses no contents, whatever the pages are.
        Eviction::Private => unsafe {
            libc::madvise(pages.base.cast(), pages.length, MADV_PAGEOUT);
        },
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        Eviction::Private => {}
    }
}

/// `posix_fadvise(POSIX_FADV_DONTNEED)`: drops clean pages of the file from the page cache and starts writing dirty ones.
#[cfg(not(target_vendor = "apple"))]
pub fn uncache(file: &File, offset: u64, length: u64) {
    let (Ok(offset), Ok(length)) = (offset.try_into(), length.try_into()) else {
        return;
    };
    // SAFETY: an advice on an open descriptor; the result does not matter, as pipes and devices refuse it.
    unsafe { offsets::posix_fadvise(file.as_raw_fd(), offset, length, libc::POSIX_FADV_DONTNEED) };
}

/// As above: macOS has no such call; taking the pages out of the mapping must do.
#[cfg(target_vendor = "apple")]
pub fn uncache(_file: &File, _offset: u64, _length: u64) {}

/// A second open file description of a file that may have holes worth skipping; `None` if it has none, or if the file system's word is not enough.
///
/// A second one, because lseek moves the offset that duplicates of a descriptor share. The caller keeps it as long as the first: closing any
/// descriptor of a file drops the process's fcntl locks on it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn open_for_holes(file: &File) -> Option<File> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

    /// linux/magic.h. These count pages that were only stored to through a mapping as data. FUSE and network file systems need not.
    const TRUSTED: [u32; 6] = [
        0xEF53,
        0x5846_5342,
        0x9123_683E,
        0x0102_1994,
        0xF2F5_2010,
        0x794C_7630,
    ];

    let meta = file.metadata().ok()?;
    if !meta.is_file() || meta.blocks().saturating_mul(512) >= meta.size() {
        return None;
    }
    // SAFETY: all zeros is a valid statfs.
    let mut facts: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: fstatfs writes the structure, which lives on this stack.
    if unsafe { libc::fstatfs(file.as_raw_fd(), &raw mut facts) } != 0
        || !TRUSTED.contains(&(facts.f_type as u32))
    {
        return None;
    }
    let flags = libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    let again = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(format!("/proc/self/fd/{}", file.as_raw_fd()))
        .ok()?;
    let there = again.metadata().ok()?;
    ((there.dev(), there.ino()) == (meta.dev(), meta.ino())).then_some(again)
}

/// As above: elsewhere everything is searched.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn open_for_holes(_file: &File) -> Option<File> {
    None
}

/// `lseek(SEEK_DATA, SEEK_HOLE)`: the first run of data that ends after `at`, cut to begin there.
///
/// Everything past the end of the file counts as data: there a fault must tell that the file is shorter than the mapping.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn next_data(file: &File, at: u64) -> (u64, u64) {
    let seek = |from: u64, whence: i32| -> Result<u64, i32> {
        let from = libc::off64_t::try_from(from).map_err(|_| libc::EINVAL)?;
        // SAFETY: lseek on an open descriptor whose offset nobody else uses.
        let found = unsafe { libc::lseek64(file.as_raw_fd(), from, whence) };
        u64::try_from(found)
            .map_err(|_| std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
    };
    match seek(at, libc::SEEK_DATA) {
        Ok(from) => (
            from.max(at),
            seek(from, libc::SEEK_HOLE).unwrap_or(u64::MAX).max(at + 1),
        ),
        // Only a hole follows, or `at` is past the end of the file.
        Err(libc::ENXIO) => (
            file.metadata().map_or(at, |meta| meta.len().max(at)),
            u64::MAX,
        ),
        Err(_) => (at, u64::MAX),
    }
}

/// As above: elsewhere everything is data.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn next_data(_file: &File, at: u64) -> (u64, u64) {
    (at, u64::MAX)
}

/// `pthread_sigmask(3)`: signals that are sent to the process are for the threads of the runtime; faults of this thread still arrive.
pub fn block_signals() {
    // SAFETY: the sets live on this stack; only this thread's mask changes.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut set);
        for signal in [
            libc::SIGBUS,
            libc::SIGSEGV,
            libc::SIGFPE,
            libc::SIGILL,
            libc::SIGTRAP,
            libc::SIGABRT,
        ] {
            libc::sigdelset(&raw mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
}
