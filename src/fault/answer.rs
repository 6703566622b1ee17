//! From a fault's address to its end. No allocation, no `thread_local`, no lock but the guard's own,
//! no panic: this runs in a handler.

use super::{
    ended,
    pages::{Cause, Outcome},
    slots,
    system::sys,
    watcher,
};

/// True: the interrupted code can go on. False: not ours, or beyond repair.
pub fn answer(cause: Cause, address: usize) -> bool {
    #[cfg(any(test, feature = "test-hooks"))]
    pause(&EARLY_DELAY);
    let mut hint = slots::find(address, None);
    while let Some(found) = hint {
        #[cfg(any(test, feature = "test-hooks"))]
        pause(&DELAY);
        match found.mend(cause, address) {
            Some(Outcome::Retry | Outcome::Mended) => return true,
            Some(Outcome::Reported(event)) => {
                watcher::report(event);
                return true;
            }
            Some(Outcome::Foreign) => return false,
            None => hint = slots::find(address, Some(&found)),
        }
    }
    ended::is_late(address, sys::thread())
}

#[cfg(any(test, feature = "test-hooks"))]
static DELAY: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
#[cfg(any(test, feature = "test-hooks"))]
static EARLY_DELAY: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

/// Tests only: the handler sleeps this long between finding a slot and locking it.
/// `MEMMAP_TEST_HANDLER_DELAY_US` sets it from outside.
#[cfg(any(test, feature = "test-hooks"))]
pub fn set_delay(microseconds: u32) {
    DELAY.store(microseconds, std::sync::atomic::Ordering::Relaxed);
}

/// Tests only: the handler sleeps this long before it looks for a slot.
/// `MEMMAP_TEST_HANDLER_EARLY_DELAY_US` sets it from outside.
#[cfg(any(test, feature = "test-hooks"))]
pub fn set_early_delay(microseconds: u32) {
    EARLY_DELAY.store(microseconds, std::sync::atomic::Ordering::Relaxed);
}

#[cfg(any(test, feature = "test-hooks"))]
pub fn read_delay() {
    let read = |name| std::env::var(name).ok()?.parse().ok();
    if let Some(value) = read("MEMMAP_TEST_HANDLER_DELAY_US") {
        set_delay(value);
    }
    if let Some(value) = read("MEMMAP_TEST_HANDLER_EARLY_DELAY_US") {
        set_early_delay(value);
    }
}

#[cfg(any(test, feature = "test-hooks"))]
fn pause(delay: &std::sync::atomic::AtomicU32) {
    let microseconds = delay.load(std::sync::atomic::Ordering::Relaxed);
    if microseconds > 0 {
        sys::sleep(microseconds);
    }
}
