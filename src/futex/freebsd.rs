//! `_umtx_op(2)` of FreeBSD.
#![allow(
    unsafe_code,
    reason = "system calls on addresses that the caller keeps mapped; the kernel answers EFAULT for those that are not"
)]

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{End, Word};
use crate::error::{Fail, Outcome};

/// How often a wait looks at its bell: the kernel waits for one word at a time.
const SLICE: Duration = Duration::from_millis(10);

/// Every FreeBSD that Node runs on has it.
pub fn supported() -> bool {
    true
}

fn value(word: Word) -> u32 {
    // SAFETY: the caller keeps the word mapped; it is aligned and only loaded.
    unsafe { AtomicU32::from_ptr(word.address.cast_mut()) }.load(Ordering::SeqCst)
}

/// `UMTX_OP_WAIT_UINT` for at most `timeout`.
pub fn wait(word: Word, expected: u32, timeout: Duration) -> Outcome<End> {
    let until = Instant::now().checked_add(timeout);
    let operation = if word.private {
        libc::UMTX_OP_WAIT_UINT_PRIVATE
    } else {
        libc::UMTX_OP_WAIT_UINT
    };
    loop {
        // The call returns as if woken where the value is another one: so it is looked at first.
        if value(word) != expected {
            return Ok(End::NotEqual);
        }
        let left = until.map_or(timeout, |until| {
            until.saturating_duration_since(Instant::now())
        });
        let mut limit = libc::timespec {
            tv_sec: libc::time_t::try_from(left.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(left.subsec_nanos().cast_signed()),
        };
        // SAFETY: the kernel only reads the word (EFAULT where there is none) and the time, whose size the fourth argument says.
        let status = unsafe {
            libc::_umtx_op(
                word.address.cast_mut().cast(),
                operation,
                libc::c_ulong::from(expected),
                std::ptr::without_provenance_mut::<c_void>(size_of::<libc::timespec>()),
                (&raw mut limit).cast(),
            )
        };
        if status == 0 {
            return Ok(End::Woken);
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::ETIMEDOUT) => return Ok(End::TimedOut),
            Some(libc::EINTR) => {}
            _ => return Err(Fail::last("_umtx_op")),
        }
    }
}

/// `UMTX_OP_WAKE`, which does not tell how many there were: the count is 0, however many woke up.
pub fn wake(word: Word, count: u32) -> Outcome<u32> {
    let operation = if word.private {
        libc::UMTX_OP_WAKE_PRIVATE
    } else {
        libc::UMTX_OP_WAKE
    };
    // SAFETY: the kernel uses the address as a key.
    let status = unsafe {
        libc::_umtx_op(
            word.address.cast_mut().cast(),
            operation,
            libc::c_ulong::from(count.min(i32::MAX.cast_unsigned())),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        )
    };
    if status == 0 {
        Ok(0)
    } else {
        Err(Fail::last("_umtx_op"))
    }
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
