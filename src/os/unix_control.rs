//! madvise(2), mlock(2), mprotect(2), mincore(2) and their kin, on whole pages of a Region.
#![allow(unsafe_code, reason = "system calls on pages that the caller owns")]

use std::fs::File;
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
use std::os::fd::AsRawFd;

use super::{Pages, Protection};
use crate::errno::code;
use crate::error::{Fail, Outcome};

/// Why locking fails, as mlock(2) says.
const LOCK_HINT: &str =
    "RLIMIT_MEMLOCK, `ulimit -l`, limits how much an unprivileged process may lock";

/// The number of a harmless advice; `None` where this system has none of that name.
pub fn advice(name: &str) -> Option<i32> {
    match name {
        "normal" => Some(libc::MADV_NORMAL),
        "random" => Some(libc::MADV_RANDOM),
        "sequential" => Some(libc::MADV_SEQUENTIAL),
        "willneed" => Some(libc::MADV_WILLNEED),
        _ => linux_advice(name),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn linux_advice(name: &str) -> Option<i32> {
    Some(match name {
        "cold" => libc::MADV_COLD,
        "pageout" => libc::MADV_PAGEOUT,
        "hugepage" => libc::MADV_HUGEPAGE,
        "nohugepage" => libc::MADV_NOHUGEPAGE,
        "dontdump" => libc::MADV_DONTDUMP,
        "dodump" => libc::MADV_DODUMP,
        "dontfork" => libc::MADV_DONTFORK,
        "dofork" => libc::MADV_DOFORK,
        "mergeable" => libc::MADV_MERGEABLE,
        "unmergeable" => libc::MADV_UNMERGEABLE,
        _ => return None,
    })
}

#[cfg(target_os = "freebsd")]
fn linux_advice(name: &str) -> Option<i32> {
    match name {
        "dontdump" => Some(libc::MADV_NOCORE),
        "dodump" => Some(libc::MADV_CORE),
        _ => None,
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn linux_advice(_name: &str) -> Option<i32> {
    None
}

/// madvise(2).
pub fn advise(pages: Pages, advice: i32) -> Outcome<()> {
    // SAFETY: whole pages of a live Region; every advice that reaches this function leaves contents alone.
    if unsafe { libc::madvise(pages.base.cast(), pages.length, advice) } == 0 {
        return Ok(());
    }
    let fail = Fail::last("madvise");
    // The range is aligned and ours, so EINVAL says that the kernel was built without this advice or is older; or it does not take it for locked pages.
    Err(
        if fail.errno() == Some(libc::EINVAL) && !knows_advice(advice) {
            Fail::system(code::ENOTSUP, "madvise")
        } else {
            fail
        },
    )
}

/// Whether this kernel takes an advice: tried on one page of its own.
pub fn knows_advice(advice: i32) -> bool {
    let length = super::page_size();
    // SAFETY: a fresh anonymous page, unmapped below.
    unsafe {
        let page = libc::mmap(
            std::ptr::null_mut(),
            length,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANON,
            -1,
            0,
        );
        if page == libc::MAP_FAILED {
            return false;
        }
        let known = libc::madvise(page, length, advice) == 0;
        libc::munmap(page, length);
        known
    }
}

/// Drops private pages: zeros (anonymous) or the file's bytes ('copy') again. madvise(2), `MADV_DONTNEED`.
pub fn drop_private(pages: Pages) -> Outcome<()> {
    // SAFETY: whole pages of a live private mapping, whose contents the caller asked to drop. See
    // `DROPS_PRIVATE_PAGES`.
    if unsafe { libc::madvise(pages.base.cast(), pages.length, libc::MADV_DONTNEED) } == 0 {
        return Ok(());
    }
    let fail = Fail::last("madvise");
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if fail.errno() == Some(libc::EINVAL) {
        // Locked ones have an advice of their own, Linux 5.18.
        let locked = libc::MADV_DONTNEED_LOCKED;
        // SAFETY: as above.
        if unsafe { libc::madvise(pages.base.cast(), pages.length, locked) } == 0 {
            return Ok(());
        }
    }
    Err(fail)
}

/// Punches a hole into a shared file: fallocate(2), as `MADV_REMOVE` does, which refuses locked pages.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn punch(pages: Pages, file: &File, offset: u64) -> Outcome<()> {
    let hole = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: fallocate on an open descriptor; the caller asked to drop these contents.
    if unsafe { libc::fallocate64(file.as_raw_fd(), hole, offset as i64, pages.length as i64) } == 0
    {
        return Ok(());
    }
    let fail = Fail::last("fallocate");
    Err(
        if matches!(fail.errno(), Some(libc::EOPNOTSUPP | libc::ENOSYS)) {
            Fail::system(code::ENOTSUP, "fallocate").hint("this file system cannot punch holes")
        } else {
            fail
        },
    )
}

/// Punches a hole into a shared file: fcntl(`F_PUNCHHOLE`).
#[cfg(target_vendor = "apple")]
pub fn punch(pages: Pages, file: &File, offset: u64) -> Outcome<()> {
    let hole = libc::fpunchhole_t {
        fp_flags: 0,
        reserved: 0,
        fp_offset: offset as libc::off_t,
        fp_length: pages.length as libc::off_t,
    };
    // SAFETY: F_PUNCHHOLE reads the structure, which lives on this stack.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_PUNCHHOLE, &raw const hole) } == 0 {
        return Ok(());
    }
    let fail = Fail::last("fcntl");
    Err(
        if matches!(
            fail.errno(),
            Some(libc::ENOTSUP | libc::EOPNOTSUPP | libc::ENOTTY)
        ) {
            Fail::system(code::ENOTSUP, "fcntl").hint("this file system cannot punch holes")
        } else {
            fail
        },
    )
}

/// Punches a hole into a shared file: not offered here.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub fn punch(_pages: Pages, _file: &File, _offset: u64) -> Outcome<()> {
    Err(Fail::system(code::ENOTSUP, "madvise"))
}

/// Keeps pages in memory. On private writable pages plain mlock(2) would copy each one: read them in, then mlock2(`MLOCK_ONFAULT`).
pub fn lock(pages: Pages, private: bool) -> Outcome<()> {
    if private && lock_on_fault(pages)? {
        return Ok(());
    }
    // SAFETY: whole pages of a live Region; mlock changes no contents.
    if unsafe { libc::mlock(pages.base.cast(), pages.length) } == 0 {
        Ok(())
    } else {
        Err(Fail::last("mlock").hint(LOCK_HINT))
    }
}

/// `false`: this kernel has no mlock2 (before 4.4, or a container that answers EPERM or EINVAL for it); nothing happened. Where EPERM means
/// that nothing may be locked, mlock says so, too.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn lock_on_fault(pages: Pages) -> Outcome<bool> {
    populate_read(pages);
    // SAFETY: whole pages of a live Region. Through `syscall`: newer than glibc 2.17.
    let status = unsafe {
        libc::syscall(
            libc::SYS_mlock2,
            pages.base,
            pages.length,
            libc::MLOCK_ONFAULT,
        )
    };
    if status == 0 {
        return Ok(true);
    }
    let fail = Fail::last("mlock2");
    match fail.errno() {
        Some(libc::ENOSYS | libc::EINVAL | libc::EPERM) => Ok(false),
        _ => Err(fail.hint(LOCK_HINT)),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[allow(
    clippy::unnecessary_wraps,
    reason = "same signature as where it can fail"
)]
fn lock_on_fault(_pages: Pages) -> Outcome<bool> {
    Ok(false)
}

/// Faults pages in for reading.
pub fn populate_read(pages: Pages) {
    // A known call says EFAULT of missing pages: touching them would be told as a fault.
    if matches!(super::populate(pages), Ok(false)) {
        // SAFETY: whole pages of a live Region; the guard answers a fault.
        unsafe { pages.touch(super::page_size()) };
    }
}

/// munlock(2).
pub fn unlock(pages: Pages) -> Outcome<()> {
    // SAFETY: whole pages of a live Region.
    if unsafe { libc::munlock(pages.base.cast(), pages.length) } == 0 {
        Ok(())
    } else {
        Err(Fail::last("munlock"))
    }
}

/// mprotect(2).
pub fn protect(pages: Pages, protection: Protection) -> Outcome<()> {
    let bits = match protection {
        Protection::None => libc::PROT_NONE,
        Protection::Read => libc::PROT_READ,
        Protection::Write => libc::PROT_READ | libc::PROT_WRITE,
        Protection::Exec => libc::PROT_READ | libc::PROT_EXEC,
        Protection::Raw(bits) => bits,
    };
    // SAFETY: whole pages of a live Region; the guard turns a forbidden access into a fault that JavaScript hears of.
    if unsafe { libc::mprotect(pages.base.cast(), pages.length, bits) } == 0 {
        Ok(())
    } else {
        Err(Fail::last("mprotect"))
    }
}

/// mincore(2): one bit a page, lowest bit first.
pub fn residency(pages: Pages, page: usize) -> Outcome<Vec<u8>> {
    /// Pages asked at once: one page of answers.
    const STEP: usize = 4096;
    // The kernel answers for ordinary pages, also where the mapping's own are larger: those are in memory whole or not at all.
    let small = super::page_size();
    let ratio = page / small;
    let count = pages.length / small;
    let mut bits = vec![0_u8; (count / ratio).div_ceil(8)];
    let mut answers = [0_u8; STEP];
    let mut first = 0;
    while first < count {
        let some = STEP.min(count - first);
        // SAFETY: whole pages of a live Region, and one byte of answer for each.
        let status = unsafe {
            libc::mincore(
                pages.base.wrapping_add(first * small).cast(),
                some * small,
                answers.as_mut_ptr().cast(),
            )
        };
        if status != 0 {
            return Err(Fail::last("mincore"));
        }
        for (index, answer) in answers[..some].iter().enumerate() {
            if answer & 1 != 0 {
                let index = (first + index) / ratio;
                bits[index / 8] |= 1 << (index % 8);
            }
        }
        first += some;
    }
    Ok(bits)
}

/// Whether mincore tells the truth: Linux (since 5.2) shows the page cache only to those who may write the file, and "all resident" to others.
pub fn residency_is_exact(file: Option<&File>) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Some(file) = file else { return true };
    if cfg!(target_os = "freebsd") {
        // What this process has mapped in: mincore(2), vm.mincore_mapped.
        return false;
    }
    // SAFETY: geteuid cannot fail.
    let user = unsafe { libc::geteuid() };
    user == 0
        || super::is_writable(file)
        || file.metadata().is_ok_and(|meta| meta.uid() == user)
        || may_write(file)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn may_write(file: &File) -> bool {
    let Ok(name) = std::ffi::CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())) else {
        return false;
    };
    // Of the user that counts; Android's has no flags, and no programs of two users.
    #[cfg(target_os = "linux")]
    let flags = libc::AT_EACCESS;
    #[cfg(target_os = "android")]
    let flags = 0;
    // SAFETY: `name` is a NUL-terminated string that outlives the call.
    unsafe { libc::faccessat(libc::AT_FDCWD, name.as_ptr(), libc::W_OK, flags) == 0 }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn may_write(_file: &File) -> bool {
    true
}
