//! futex(2) and `futex_waitv`(2), through `libc::syscall` as glibc has no wrapper for either.
#![allow(
    unsafe_code,
    reason = "system calls on addresses that the caller keeps mapped; the kernel answers EFAULT for those that are not"
)]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{End, Word};
use crate::error::{Fail, Outcome};

/// Every Linux that Node runs on has it.
pub fn supported() -> bool {
    true
}

/// How often a wait without `futex_waitv` looks at its bell.
const SLICE: Duration = Duration::from_millis(50);

/// `linux/futex.h`
const FUTEX_WAIT: i32 = 0;
const FUTEX_WAKE: i32 = 1;
const FUTEX_PRIVATE_FLAG: i32 = 128;
const FUTEX2_SIZE_U32: u32 = 2;
const FUTEX2_PRIVATE: u32 = 128;
/// The same number on every architecture that this package is built for (Linux 5.16).
const SYS_FUTEX_WAITV: libc::c_long = 449;

/// `struct futex_waitv`
#[repr(C)]
struct Waiter {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

/// What `FUTEX_WAIT` takes on this architecture: `struct timespec` of the kernel's own `long`.
#[repr(C)]
struct OldTimespec {
    seconds: libc::c_long,
    nanoseconds: libc::c_long,
}

/// `FUTEX_WAIT` for at most `timeout`.
pub fn wait(word: Word, expected: u32, timeout: Duration) -> Outcome<End> {
    let until = Instant::now().checked_add(timeout);
    loop {
        let left = until.map_or(timeout, |until| {
            until.saturating_duration_since(Instant::now())
        });
        let limit = OldTimespec {
            seconds: libc::c_long::try_from(left.as_secs()).unwrap_or(libc::c_long::MAX),
            nanoseconds: libc::c_long::from(left.subsec_nanos() as i32),
        };
        let operation = FUTEX_WAIT | if word.private { FUTEX_PRIVATE_FLAG } else { 0 };
        // SAFETY: the kernel only reads the word (EFAULT where there is none) and the time, which lives on this stack.
        let status = unsafe {
            libc::syscall(
                libc::SYS_futex,
                word.address,
                operation,
                expected,
                &raw const limit,
                std::ptr::null::<u32>(),
                0,
            )
        };
        if status == 0 {
            return Ok(End::Woken);
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EAGAIN) => return Ok(End::NotEqual),
            Some(libc::ETIMEDOUT) => return Ok(End::TimedOut),
            Some(libc::EINTR) => {}
            _ => return Err(Fail::last("futex")),
        }
    }
}

/// `FUTEX_WAKE`: how many of at most `count` waiters were woken.
pub fn wake(word: Word, count: u32) -> Outcome<u32> {
    let operation = FUTEX_WAKE | if word.private { FUTEX_PRIVATE_FLAG } else { 0 };
    // SAFETY: the kernel uses the address as a key; EFAULT where nothing is mapped.
    let status = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.address,
            operation,
            i32::try_from(count).unwrap_or(i32::MAX),
        )
    };
    if status < 0 {
        Err(Fail::last("futex"))
    } else {
        Ok(status as u32)
    }
}

/// No `futex_waitv`. Android's filter kills processes for calls that it does not know.
static MISSING: AtomicBool = AtomicBool::new(cfg!(target_os = "android"));

/// Whether a bell ends `wait_with` at once, or only its slice.
pub fn hears_bell() -> bool {
    !MISSING.load(Ordering::Relaxed)
}

/// Waits for the word and, at once, for a bell of this process that has the value `seen`. A wake of the word that comes together with the bell is never lost.
pub fn wait_with(bell: &AtomicU32, seen: u32, word: Word, expected: u32) -> Outcome<End> {
    if !MISSING.load(Ordering::Relaxed) {
        match both(bell, seen, word, expected) {
            // Old kernels, and containers that filter what they do not know.
            Err(fail) if matches!(fail.errno(), Some(libc::ENOSYS | libc::EPERM)) => {
                MISSING.store(true, Ordering::Relaxed);
            }
            ended => return ended,
        }
    }
    if bell.load(Ordering::Acquire) != seen {
        return Ok(End::Bell);
    }
    // A slice ends, not the wait.
    wait(word, expected, SLICE).map(|end| if end == End::TimedOut { End::Bell } else { end })
}

fn both(bell: &AtomicU32, seen: u32, word: Word, expected: u32) -> Outcome<End> {
    // The word stands last: when both were woken the kernel reports the last one.
    let waiters = [
        Waiter {
            value: u64::from(seen),
            address: bell.as_ptr() as u64,
            flags: FUTEX2_SIZE_U32 | FUTEX2_PRIVATE,
            reserved: 0,
        },
        Waiter {
            value: u64::from(expected),
            address: word.address as u64,
            flags: FUTEX2_SIZE_U32 | if word.private { FUTEX2_PRIVATE } else { 0 },
            reserved: 0,
        },
    ];
    let no_limit = std::ptr::null::<libc::timespec>();
    // SAFETY: the kernel reads the two descriptions, which live on this stack, and the two words (EFAULT where there is none).
    let status = unsafe {
        libc::syscall(
            SYS_FUTEX_WAITV,
            waiters.as_ptr(),
            2,
            0,
            no_limit,
            libc::CLOCK_MONOTONIC,
        )
    };
    if status >= 0 {
        return Ok(if status == 1 { End::Woken } else { End::Bell });
    }
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::EAGAIN) if bell.load(Ordering::Acquire) == seen => Ok(End::NotEqual),
        Some(libc::EAGAIN | libc::EINTR) => Ok(End::Bell),
        _ => Err(Fail::last("futex_waitv")),
    }
}
