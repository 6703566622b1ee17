//! os_sync_wait_on_address (macOS 14.4), else `__ulock_wait` (what it is made of, private but there since 10.12): both found at run time.
//!
//! Sources: `<os/os_sync_wait_on_address.h>` of the macOS SDK; xnu `bsd/sys/ulock.h`.
#![allow(
    unsafe_code,
    reason = "system calls on addresses that the caller keeps mapped; the kernel answers EFAULT for those that are not"
)]

use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{End, Word};
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::os;

/// How often a wait looks at its bell: the kernel waits for one word at a time.
const SLICE: Duration = Duration::from_millis(10);

/// `OS_SYNC_WAIT_ON_ADDRESS_SHARED`, and of the same value `OS_SYNC_WAKE_BY_ADDRESS_SHARED`.
const SHARED: u32 = 1;
/// `OS_CLOCK_MACH_ABSOLUTE_TIME`
const MACH_ABSOLUTE: u32 = 32;
/// bsd/sys/ulock.h
const UL_COMPARE_AND_WAIT: u32 = 1;
const UL_COMPARE_AND_WAIT_SHARED: u32 = 3;

type SyncWait = unsafe extern "C" fn(*mut c_void, u64, usize, u32, u32, u64) -> i32;
type SyncWake = unsafe extern "C" fn(*mut c_void, usize, u32) -> i32;
type UlockWait = unsafe extern "C" fn(u32, *mut c_void, u64, u32) -> i32;
type UlockWake = unsafe extern "C" fn(u32, *mut c_void, u64) -> i32;

/// The calls that this system has.
enum Calls {
    Sync(SyncWait, SyncWake),
    Ulock(UlockWait, UlockWake),
    None,
}

fn calls() -> &'static Calls {
    static CALLS: OnceLock<Calls> = OnceLock::new();
    CALLS.get_or_init(|| {
        let pair = |wait, wake| Some((os::find_symbol(wait)?, os::find_symbol(wake)?));
        if let Some((wait, wake)) = pair(
            c"os_sync_wait_on_address_with_timeout",
            c"os_sync_wake_by_address_any",
        ) {
            // SAFETY: os_sync_wait_on_address.h declares them so.
            return unsafe {
                Calls::Sync(
                    std::mem::transmute::<usize, SyncWait>(wait),
                    std::mem::transmute::<usize, SyncWake>(wake),
                )
            };
        }
        match pair(c"__ulock_wait", c"__ulock_wake") {
            // SAFETY: ulock.h declares them so.
            Some((wait, wake)) => unsafe {
                Calls::Ulock(
                    std::mem::transmute::<usize, UlockWait>(wait),
                    std::mem::transmute::<usize, UlockWake>(wake),
                )
            },
            None => Calls::None,
        }
    })
}

/// Whether this macOS has either pair.
pub fn supported() -> bool {
    !matches!(calls(), Calls::None)
}

fn value(word: Word) -> u32 {
    // SAFETY: the caller keeps the word mapped; it is aligned and only loaded.
    unsafe { AtomicU32::from_ptr(word.address.cast_mut()) }.load(Ordering::SeqCst)
}

fn flags(word: Word) -> u32 {
    if word.private { 0 } else { SHARED }
}

fn operation(word: Word) -> u32 {
    if word.private {
        UL_COMPARE_AND_WAIT
    } else {
        UL_COMPARE_AND_WAIT_SHARED
    }
}

/// For at most `timeout`.
pub fn wait(word: Word, expected: u32, timeout: Duration) -> Outcome<End> {
    let until = Instant::now().checked_add(timeout);
    loop {
        // Both calls return as if woken where the value is another one: so it is looked at first.
        if value(word) != expected {
            return Ok(End::NotEqual);
        }
        let left = until.map_or(timeout, |until| {
            until.saturating_duration_since(Instant::now())
        });
        if left.is_zero() {
            return Ok(End::TimedOut);
        }
        let address = word.address.cast_mut().cast::<c_void>();
        let status = match calls() {
            // SAFETY: the kernel only reads the word (EFAULT where there is none). A limit of 0 would be EINVAL.
            Calls::Sync(wait, _) => unsafe {
                let nanoseconds = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX / 2);
                wait(
                    address,
                    u64::from(expected),
                    4,
                    flags(word),
                    MACH_ABSOLUTE,
                    nanoseconds.max(1),
                )
            },
            // SAFETY: as above. A limit of 0 would be none.
            Calls::Ulock(wait, _) => unsafe {
                let microseconds = u32::try_from(left.as_micros()).unwrap_or(u32::MAX);
                wait(
                    operation(word),
                    address,
                    u64::from(expected),
                    microseconds.max(1),
                )
            },
            Calls::None => return Err(Fail::system(code::ENOTSUP, "wait")),
        };
        if status >= 0 {
            return Ok(End::Woken);
        }
        match std::io::Error::last_os_error().raw_os_error() {
            // The loop tells whether the time is over, or only the longest that the call takes.
            // EFAULT as well: "the page is paged out; try again" (ulock.h).
            Some(libc::ETIMEDOUT | libc::EINTR | libc::EFAULT) => {}
            _ => return Err(Fail::last("os_sync_wait_on_address")),
        }
    }
}

/// How many of at most `count` waiters were woken: one call each, until it says that there is none.
pub fn wake(word: Word, count: u32) -> Outcome<u32> {
    let address = word.address.cast_mut().cast::<c_void>();
    let mut woken = 0;
    while woken < count {
        let status = match calls() {
            // SAFETY: the address is a key.
            Calls::Sync(_, wake) => unsafe { wake(address, 4, flags(word)) },
            // SAFETY: as above.
            Calls::Ulock(_, wake) => unsafe { wake(operation(word), address, 0) },
            Calls::None => return Err(Fail::system(code::ENOTSUP, "notify")),
        };
        if status < 0 {
            match std::io::Error::last_os_error().raw_os_error() {
                Some(libc::ENOENT) => break,
                Some(libc::EINTR) => continue,
                _ => return Err(Fail::last("os_sync_wake_by_address_any")),
            }
        }
        woken += 1;
    }
    Ok(woken)
}

/// Whether a bell ends `wait_with` at once, or only its slice.
pub fn hears_bell() -> bool {
    false
}

/// Waits for the word in slices, and looks at a bell of this process between them.
pub fn wait_with(bell: &AtomicU32, seen: u32, word: Word, expected: u32) -> Outcome<End> {
    if bell.load(Ordering::Acquire) != seen {
        return Ok(End::Bell);
    }
    wait(word, expected, SLICE).map(|end| if end == End::TimedOut { End::Bell } else { end })
}
