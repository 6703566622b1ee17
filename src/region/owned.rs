//! Address ranges whose owner is not memmap2: mapped by hand, attached, or placed in a reservation.

#![allow(
    unsafe_code,
    reason = "ranges that cross threads; pages put in the place of others"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::os::{self, Pages, Replacement};
use crate::reservation::Space;

/// Who gives the range back, and how.
enum Keeper {
    /// munmap(2).
    Mapped,
    /// shmdt(2).
    Attached,
    /// The range goes back to its reservation: `PROT_NONE`. Others may have been placed over parts of it; the reservation knows.
    Placed(Arc<Space>, u64),
}

/// A range, given back on drop. Two Regions share one after an mremap(2) in place.
pub struct Owned {
    base: *mut u8,
    length: AtomicUsize,
    keeper: Keeper,
}

// SAFETY: an address range belongs to the process, not to a thread; `base` is only handed to system calls.
unsafe impl Send for Owned {}
// SAFETY: as above.
unsafe impl Sync for Owned {}

impl Owned {
    /// What mmap(2) returned.
    pub fn mapped(base: *mut u8, length: usize) -> Self {
        Self {
            base,
            length: AtomicUsize::new(length),
            keeper: Keeper::Mapped,
        }
    }

    /// What shmat(2) returned.
    pub fn attached(base: *mut u8, length: usize) -> Self {
        Self {
            base,
            length: AtomicUsize::new(length),
            keeper: Keeper::Attached,
        }
    }

    /// A part of a reservation, under the name by which that knows it.
    pub fn placed(space: &Arc<Space>, base: *mut u8, length: usize, name: u64) -> Self {
        Self {
            base,
            length: AtomicUsize::new(length),
            keeper: Keeper::Placed(Arc::clone(space), name),
        }
    }

    /// A name for `placed`.
    pub fn name() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// First page.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// In bytes; whole pages.
    pub fn length(&self) -> usize {
        self.length.load(Ordering::Acquire)
    }

    /// mremap(2) has made it longer.
    pub fn grown(&self, length: usize) {
        self.length.store(length, Ordering::Release);
    }

    /// Whether it is a part of a reservation.
    pub fn space(&self) -> Option<&Arc<Space>> {
        match &self.keeper {
            Keeper::Placed(space, _) => Some(space),
            _ => None,
        }
    }

    /// Hands over what is still this value's, and keeps others from placing anything there meanwhile.
    pub fn with_ranges<R>(&self, action: impl FnOnce(&[Pages]) -> R) -> R {
        match &self.keeper {
            Keeper::Placed(space, name) => space.with_claims(*name, action),
            _ => action(&[Pages {
                base: self.base,
                length: self.length(),
            }]),
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        match &self.keeper {
            Keeper::Mapped => os::unmap(self.base, self.length()),
            Keeper::Attached => os::detach_segment(self.base, self.length()),
            Keeper::Placed(space, name) => space.give_back(*name),
        }
    }
}

/// Puts other pages in the place of each range.
///
/// # Safety
/// The ranges are the caller's, who keeps everybody else from mapping there meanwhile.
pub unsafe fn replace_all(ranges: &[Pages], with: Replacement) {
    for range in ranges {
        // SAFETY: as the caller promises.
        unsafe { os::replace(range.base, range.length, with) };
    }
}
