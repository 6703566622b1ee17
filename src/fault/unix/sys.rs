//! The system calls of the guard, all fit for a signal handler: nothing allocates, and nothing that
//! is newer than glibc 2.17 is linked.
#![allow(unsafe_code, reason = "system calls")]

use std::ffi::c_int;

use super::super::Range;
use crate::sparse;

#[cfg(any(target_os = "linux", target_os = "android"))]
const NO_RESERVE: c_int = libc::MAP_NORESERVE;
// macOS never reserves for private mappings, FreeBSD ignores the flag.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const NO_RESERVE: c_int = 0;

/// `MREMAP_MAYMOVE | MREMAP_FIXED` (linux/mman.h), which the libc crate does not have for Android.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MOVE_ONTO: c_int = 1 | 2;

const READ_WRITE: c_int = libc::PROT_READ | libc::PROT_WRITE;

/// Pages that differ from their neighbours cost mappings, of which a process may have some 65,000.
pub const RUNS_ARE_FEW: bool = true;

/// One page takes another one's place in one step.
pub const REPLACING_LEAVES_GAPS: bool = false;

/// Whether a page that is said to be missing is there, and may not be used so: XNU has one signal for both.
#[cfg(not(target_os = "macos"))]
pub fn refuses(_at: usize, _store: Option<bool>) -> bool {
    false
}

/// As above: the kernel is asked for the page's rights. `store`: `None` where the processor does not say.
#[cfg(target_os = "macos")]
pub fn refuses(at: usize, store: Option<bool>) -> bool {
    let (mut from, mut length, mut info, mut count, mut object) =
        (at as u64, 0_u64, [0; 16], mach::BASIC_INFO_COUNT, 0);
    // SAFETY: a system call (by Mach's message, of whose machinery the interrupted code, which touched a mapping, is no part); it writes so many
    // words as it is told.
    let failed = unsafe {
        mach::mach_vm_region(
            mach::mach_task_self_,
            &raw mut from,
            &raw mut length,
            mach::BASIC_INFO,
            info.as_mut_ptr(),
            &raw mut count,
            &raw mut object,
        )
    } != 0;
    // What lies behind a hole is told in its place.
    if failed || from > at as u64 {
        return false;
    }
    let needed = if store == Some(false) {
        libc::PROT_READ
    } else {
        libc::PROT_WRITE
    };
    info[0] & needed == 0
}

/// mach/mach_vm.h, mach/vm_region.h, mach/vm_statistics.h
#[cfg(target_os = "macos")]
mod mach {
    use std::ffi::c_int;

    /// `VM_REGION_BASIC_INFO_64` and its `_COUNT`: the first word is the protection.
    pub const BASIC_INFO: c_int = 9;
    pub const BASIC_INFO_COUNT: u32 = 9;
    /// `VM_FLAGS_FIXED | VM_FLAGS_OVERWRITE`: in the place of what is there, in one step.
    pub const OVERWRITE: c_int = 0x4000;
    pub const INHERIT_COPY: u32 = 1;

    unsafe extern "C" {
        pub static mach_task_self_: u32;

        pub fn mach_vm_region(
            task: u32,
            address: *mut u64,
            size: *mut u64,
            flavor: c_int,
            info: *mut c_int,
            count: *mut u32,
            object: *mut u32,
        ) -> c_int;

        pub fn mach_vm_remap(
            task: u32,
            address: *mut u64,
            size: u64,
            mask: u64,
            flags: c_int,
            source_task: u32,
            source: u64,
            copy: c_int,
            current: *mut c_int,
            maximum: *mut c_int,
            inheritance: u32,
        ) -> c_int;
    }
}

/// A number for this thread, never 0. A register is read: no lock, no allocation.
pub fn thread() -> usize {
    // SAFETY: has no preconditions.
    unsafe { libc::pthread_self() as usize }
}

pub fn give_way() {
    // SAFETY: has no preconditions.
    unsafe { libc::sched_yield() };
}

fn errno_location() -> *mut c_int {
    // SAFETY: gives the address of this thread's errno, which lives as long as the thread.
    unsafe {
        #[cfg(target_os = "linux")]
        return libc::__errno_location();
        #[cfg(target_os = "android")]
        return libc::__errno();
        #[cfg(any(target_os = "macos", target_os = "freebsd"))]
        return libc::__error();
    }
}

pub fn errno() -> c_int {
    // SAFETY: `errno_location` is valid in this thread.
    unsafe { *errno_location() }
}

/// The interrupted code must not see our system calls.
pub fn set_errno(value: c_int) {
    // SAFETY: `errno_location` is valid in this thread.
    unsafe { *errno_location() = value };
}

fn mmap(
    at: usize,
    len: usize,
    protection: c_int,
    flags: c_int,
    fd: c_int,
    offset: u64,
) -> Option<usize> {
    #[cfg(all(
        any(target_os = "linux", target_os = "android"),
        target_pointer_width = "64",
        not(target_arch = "s390x")
    ))]
    // SAFETY: raw, because musl's mmap takes a lock. With MAP_FIXED the range belongs to a slot
    // whose lock the caller holds.
    let found =
        unsafe { libc::syscall(libc::SYS_mmap, at, len, protection, flags, fd, offset) } as usize;
    // 32-bit kernels take the offset in pages, and s390x takes all six arguments as one pointer (mmap(2),
    // "Architecture differences"): there the C library's, which is glibc's and takes no lock.
    #[cfg(all(
        any(target_os = "linux", target_os = "android"),
        any(not(target_pointer_width = "64"), target_arch = "s390x")
    ))]
    // SAFETY: as above.
    let found =
        unsafe { libc::mmap64(at as *mut _, len, protection, flags, fd, offset as _) } as usize;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    // SAFETY: as above.
    let found =
        unsafe { libc::mmap(at as *mut _, len, protection, flags, fd, offset as _) } as usize;
    (found != libc::MAP_FAILED as usize).then_some(found)
}

/// Fresh memory for the guard's own books; zero-filled, paid for only where it is written.
pub fn allocate(len: usize) -> Option<usize> {
    mmap(
        0,
        len,
        READ_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANON | NO_RESERVE,
        -1,
        0,
    )
}

/// Gives back what `allocate` gave.
pub fn free(at: usize, len: usize) {
    // SAFETY: the callers pass what `allocate` returned, once.
    unsafe { libc::munmap(at as *mut _, len) };
}

/// Puts a new mapping in the place of `at..at + len`, or changes nothing.
///
/// Up to Linux 6.11 an `mmap` with `MAP_FIXED` that fails has already unmapped the range, and
/// another thread's mapping may fall into the hole. So map elsewhere first, then move.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn replace(at: usize, len: usize, flags: c_int, fd: c_int, offset: u64) -> bool {
    let Some(fresh) = mmap(0, len, READ_WRITE, flags, fd, offset) else {
        return false;
    };
    // SAFETY: `fresh` is ours; the target belongs to a slot whose lock the caller holds.
    let moved = unsafe { libc::syscall(libc::SYS_mremap, fresh, len, len, MOVE_ONTO, at) };
    if moved == -1 {
        free(fresh, len);
    }
    moved != -1
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn replace(at: usize, len: usize, flags: c_int, fd: c_int, offset: u64) -> bool {
    mmap(at, len, READ_WRITE, flags | libc::MAP_FIXED, fd, offset).is_some()
}

/// Zero pages, readable and writable, in the place of `at..at + len`.
pub fn replace_by_zeros(at: usize, len: usize, _range: &Range) -> bool {
    replace(
        at,
        len,
        libc::MAP_PRIVATE | libc::MAP_ANON | NO_RESERVE,
        -1,
        0,
    ) || replace_by_object(at, len)
}

/// What neither `RLIMIT_DATA` nor strict overcommit counts.
fn replace_by_object(at: usize, len: usize) -> bool {
    let Some(fd) = sparse::object(len) else {
        return false;
    };
    let flags = libc::MAP_SHARED | NO_RESERVE;
    let done = replace(at, len, flags, fd, 0)
        || mmap(at, len, READ_WRITE, flags | libc::MAP_FIXED, fd, 0).is_some();
    // SAFETY: `fd` is ours, and the mapping keeps its own reference.
    unsafe { libc::close(fd) };
    done
}

/// A private, writable copy of the same bytes of the file in the place of `at..at + len`.
pub fn replace_by_copy(at: usize, len: usize, fd: c_int, offset: u64) -> bool {
    replace(at, len, libc::MAP_PRIVATE | NO_RESERVE, fd, offset)
        || (is_unshareable(fd) && replace_by_snapshot(at, len))
}

/// Whether it is memory that XNU maps shared or not at all (`pshm_mmap`). It has every page, and no type bits.
#[cfg(target_os = "macos")]
fn is_unshareable(fd: c_int) -> bool {
    // SAFETY: all zeros is a value of the struct, for which fstat has room; it is async-signal-safe.
    unsafe {
        let mut found: libc::stat = std::mem::zeroed();
        libc::fstat(fd, &raw mut found) == 0 && found.st_mode & libc::S_IFMT == 0
    }
}

#[cfg(not(target_os = "macos"))]
fn is_unshareable(_fd: c_int) -> bool {
    false
}

/// A private copy of what the pages hold now, in their place: for memory that has no file to map again.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn replace_by_snapshot(at: usize, len: usize) -> bool {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | NO_RESERVE;
    let Some(fresh) = mmap(0, len, READ_WRITE, flags, -1, 0) else {
        return false;
    };
    // SAFETY: the range belongs to a slot whose lock the caller holds. It may have been PROT_NONE.
    if unsafe { libc::mprotect(at as *mut _, len, libc::PROT_READ) } != 0 {
        free(fresh, len);
        return false;
    }
    // SAFETY: `fresh` is ours; the source can be read now, and memory without a file has every page.
    unsafe { std::ptr::copy_nonoverlapping(at as *const u8, fresh as *mut u8, len) };
    // SAFETY: as above; the target is replaced in one step.
    let moved = unsafe { libc::syscall(libc::SYS_mremap, fresh, len, len, MOVE_ONTO, at) };
    if moved == -1 {
        free(fresh, len);
    }
    moved != -1
}

/// As above, by mach_vm_remap.
#[cfg(target_os = "macos")]
pub fn replace_by_snapshot(at: usize, len: usize) -> bool {
    let Some(fresh) = allocate(len) else {
        return false;
    };
    let (mut target, mut current, mut maximum) = (at as u64, 0, 0);
    // SAFETY: the range belongs to a slot whose lock the caller holds, `fresh` is ours, and memory without a file has every page.
    let done = unsafe {
        libc::mprotect(at as *mut _, len, libc::PROT_READ) == 0 && {
            std::ptr::copy_nonoverlapping(at as *const u8, fresh as *mut u8, len);
            let task = mach::mach_task_self_;
            mach::mach_vm_remap(
                task,
                &raw mut target,
                len as u64,
                0,
                mach::OVERWRITE,
                task,
                fresh as u64,
                0,
                &raw mut current,
                &raw mut maximum,
                mach::INHERIT_COPY,
            ) == 0
        }
    };
    free(fresh, len);
    done
}

/// As above, by a memory object without a name.
#[cfg(target_os = "freebsd")]
pub fn replace_by_snapshot(at: usize, len: usize) -> bool {
    /// sys/mman.h: `SHM_ANON`.
    const ANONYMOUS: *const std::ffi::c_char = std::ptr::without_provenance(1);
    // SAFETY: system calls; the range belongs to a slot whose lock the caller holds, and memory without a file has every page.
    unsafe {
        let fd = libc::shm_open(ANONYMOUS, libc::O_RDWR | libc::O_CLOEXEC, 0o600);
        if fd < 0 {
            return false;
        }
        let done = libc::mprotect(at as *mut _, len, libc::PROT_READ) == 0
            && libc::ftruncate(fd, len as libc::off_t) == 0
            && libc::write(fd, at as *const _, len) == len as isize
            && replace(at, len, libc::MAP_PRIVATE | NO_RESERVE, fd, 0);
        libc::close(fd);
        done
    }
}

/// mprotect(2): readable and writable, contents kept.
pub fn make_writable(at: usize, len: usize) -> bool {
    // SAFETY: the range belongs to a slot whose lock the caller holds.
    unsafe { libc::mprotect(at as *mut _, len, READ_WRITE) == 0 }
}

/// The length of a regular file or memory object. `None` for what has no length that says anything
/// (devices), and if fstat(2) fails.
pub fn file_size(fd: c_int) -> Option<u64> {
    #[cfg(not(all(any(target_os = "linux", target_os = "android"), target_env = "gnu")))]
    use libc::{fstat, stat};
    #[cfg(all(any(target_os = "linux", target_os = "android"), target_env = "gnu"))]
    use libc::{fstat64 as fstat, stat64 as stat};
    let mut found = std::mem::MaybeUninit::<stat>::zeroed();
    // SAFETY: `found` has room for what fstat writes; a wrong fd is an error, not undefined. fstat
    // is async-signal-safe by POSIX.
    if unsafe { fstat(fd, found.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: fstat succeeded, and all zeros is a value of the struct anyway.
    let found = unsafe { found.assume_init() };
    // The memory objects of some systems have no type bits.
    let kind = found.st_mode & libc::S_IFMT;
    (kind == libc::S_IFREG || kind == 0).then_some(found.st_size as u64)
}

/// Whether the file system that holds `fd` has no block left for us.
pub fn disk_is_full(fd: c_int) -> bool {
    #[cfg(not(all(any(target_os = "linux", target_os = "android"), target_env = "gnu")))]
    use libc::{fstatfs, statfs};
    #[cfg(all(any(target_os = "linux", target_os = "android"), target_env = "gnu"))]
    use libc::{fstatfs64 as fstatfs, statfs64 as statfs};
    let mut found = std::mem::MaybeUninit::<statfs>::zeroed();
    // SAFETY: `found` has room for what fstatfs writes. A plain system call in every C library.
    if unsafe { fstatfs(fd, found.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: fstatfs succeeded, and all zeros is a value of the struct anyway.
    let found = unsafe { found.assume_init() };
    // Blocks that only root may use do not help; neither do the last few that a file system keeps
    // for its own records.
    let available = i128::from(found.f_bavail);
    available < 16
}

/// Waits, in a test that needs a sleeping handler.
#[cfg(any(test, feature = "test-hooks"))]
pub fn sleep(microseconds: u32) {
    let time = libc::timespec {
        tv_sec: libc::time_t::from(microseconds / 1_000_000),
        tv_nsec: libc::c_long::from(microseconds % 1_000_000) * 1000,
    };
    // SAFETY: `time` is a valid time; the remainder is not asked for. nanosleep is
    // async-signal-safe by POSIX.
    unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) };
}
