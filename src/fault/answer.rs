//! From a fault's address to its end. No allocation, no `thread_local`, no lock but the guard's own,
//! no panic: this runs in a handler.

use super::{
    pages::{Cause, Outcome},
    slots, watcher,
};

/// True: the interrupted code can go on. False: not ours, or beyond repair.
pub fn answer(cause: Cause, address: usize) -> bool {
    let mut hint = slots::find(address, None);
    while let Some(found) = hint {
        #[cfg(any(test, feature = "test-hooks"))]
        delay();
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
    false
}

#[cfg(any(test, feature = "test-hooks"))]
static DELAY: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

/// Tests only: the handler sleeps this long between finding a slot and locking it.
/// `MEMMAP_TEST_HANDLER_DELAY_US` sets it from outside.
#[cfg(any(test, feature = "test-hooks"))]
pub fn set_delay(microseconds: u32) {
    DELAY.store(microseconds, std::sync::atomic::Ordering::Relaxed);
}

#[cfg(any(test, feature = "test-hooks"))]
pub fn read_delay() {
    if let Some(value) = std::env::var("MEMMAP_TEST_HANDLER_DELAY_US")
        .ok()
        .and_then(|value| value.parse().ok())
    {
        set_delay(value);
    }
}

#[cfg(any(test, feature = "test-hooks"))]
fn delay() {
    let microseconds = DELAY.load(std::sync::atomic::Ordering::Relaxed);
    if microseconds > 0 {
        super::system::sys::sleep(microseconds);
    }
}
