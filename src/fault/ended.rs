//! Ranges whose slot has ended while threads could still be using the pages: a SharedArrayBuffer
//! cannot be detached, so a thread may store into it at the very moment of the last close.
//!
//! Such a thread may have faulted on the old pages and come to the handler when the slot is free
//! already. Nothing is wrong any more: it finds zeros if it only goes back. So a fault that nobody
//! owns, inside a range that ended lately, is let through once; a stranger who has the addresses by
//! now, and whose fault is real, comes again at once and is passed on.
//!
//! Reading is for the signal handler: atomics only.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many are remembered; a thread would have to sleep through as many closes to be forgotten.
const KEPT: usize = 256;
/// Threads that were let through, by a hash of their own.
const MARKS: usize = 256;

struct Ended {
    from: AtomicUsize,
    /// 0: nothing.
    to: AtomicUsize,
    serial: AtomicUsize,
}

static RANGES: [Ended; KEPT] = [const {
    Ended {
        from: AtomicUsize::new(0),
        to: AtomicUsize::new(0),
        serial: AtomicUsize::new(0),
    }
}; KEPT];
static NEXT: AtomicUsize = AtomicUsize::new(0);
static LET_THROUGH: [AtomicUsize; MARKS] = [const { AtomicUsize::new(0) }; MARKS];

/// Called before the slot of `from..to` ends, so that a handler that misses the slot sees this.
pub fn add(from: usize, to: usize) {
    let serial = NEXT.fetch_add(1, Ordering::SeqCst);
    let entry = &RANGES[serial % KEPT];
    // Empty meanwhile: half of one range and half of another is none.
    entry.to.store(0, Ordering::SeqCst);
    entry.from.store(from, Ordering::SeqCst);
    entry.serial.store(serial, Ordering::SeqCst);
    entry.to.store(to, Ordering::SeqCst);
}

/// Whether a fault that no slot owns may be older than the end of one. `true` once for the same fault: then the instruction is
/// to be run again.
pub fn is_late(address: usize, thread: usize) -> bool {
    let Some(serial) = latest(address) else {
        return false;
    };
    // The same thread at the same address again, and no range ended there since: it was not late, it is real.
    let fault = (address ^ serial.wrapping_mul(0x9e37_79b9)) | 1;
    // Numbers of threads are addresses on some systems and small on others.
    let mark = &LET_THROUGH[(thread.wrapping_mul(0x9e37_79b9) >> 16) % MARKS];
    mark.swap(fault, Ordering::SeqCst) != fault
}

/// The last range that contained the address.
fn latest(address: usize) -> Option<usize> {
    RANGES
        .iter()
        .filter(|entry| {
            address < entry.to.load(Ordering::SeqCst)
                && address >= entry.from.load(Ordering::SeqCst)
        })
        .map(|entry| entry.serial.load(Ordering::SeqCst))
        .max()
}

#[cfg(test)]
mod tests {
    use super::{KEPT, add, is_late};

    #[test]
    fn a_late_fault_is_let_through_once_for_each_end_of_its_range() {
        // Addresses that no mapping of this process has.
        let base = 0x7000_0000_0000;
        assert!(!is_late(base + 5, 1), "nothing ended there");
        add(base, base + 4096);
        assert!(!is_late(base + 4096, 1), "behind it");
        assert!(!is_late(base - 1, 1), "before it");
        assert!(is_late(base + 5, 1));
        assert!(!is_late(base + 5, 1), "it came again, so it is real");
        assert!(!is_late(base + 5, 1), "and stays so");
        assert!(is_late(base + 6, 1), "another address");
        assert!(is_late(base + 5, 1 << 13), "another thread");
        add(base, base + 4096);
        assert!(is_late(base + 5, 1 << 13), "another range ended there");
        for _ in 0..KEPT {
            add(base + 8192, base + 12288);
        }
        assert!(!is_late(base + 7, 1), "forgotten");
        assert!(is_late(base + 8192, 1));
    }
}
