//! `Mapping.load`: reads a range into memory and maps its pages, so that using it later waits for no disk.
#![allow(
    unsafe_code,
    reason = "touching pages where the system cannot populate them"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::jobs::{Answer, Work};
use crate::os::{self, Pages};
use crate::region::Region;
use crate::work::SLICE_TIME;

/// First size of a slice in bytes (populating alone reads ahead in large folios; `MADV_WILLNEED` before it made this three times slower), and the bounds of what time makes of it. A slow disk gives 40 MB/s.
const SLICE: usize = 4 << 20;
const SMALLEST: usize = 256 << 10;
const LARGEST: usize = 16 << 20;

/// Loads whole pages `at..end`, counted from the Region's base.
pub struct Load {
    region: Arc<Region>,
    first: usize,
    end: usize,
    /// Where the next slice begins, and its size.
    next: Mutex<(usize, usize)>,
    done: AtomicUsize,
}

impl Load {
    /// Over the user's `position..position + length`.
    pub fn new(region: Arc<Region>, position: usize, length: usize) -> Self {
        let page = region.page();
        let first = (region.delta() + position) / page * page;
        let end = if length == 0 {
            first
        } else {
            (region.delta() + position + length)
                .next_multiple_of(page)
                .min(region.map_len())
        };
        Self {
            first,
            end,
            next: Mutex::new((first, SLICE)),
            done: AtomicUsize::new(0),
            region,
        }
    }

    fn pages(&self, from: usize, length: usize) -> Pages {
        Pages {
            base: self.region.base().wrapping_add(from),
            length,
        }
    }

    fn populate(&self, from: usize, length: usize) -> Outcome<()> {
        match os::populate(self.pages(from, length)) {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.touch(from, length);
                Ok(())
            }
            Err(fail) => {
                self.region.check()?;
                if fail.errno() != Some(code::EFAULT) {
                    return Err(fail.at(self.region.path()));
                }
                self.explain(from, length)
            }
        }
    }

    /// `EFAULT`: some page is not there. Where the guard is, touching them makes it a fault of the mapping like any other.
    fn explain(&self, from: usize, length: usize) -> Outcome<()> {
        let size = self.region.size()?;
        let ends = (self.region.offset() - self.region.delta() as u64)
            .saturating_add((from + length) as u64);
        let page = self.region.page() as u64;
        let short = size.next_multiple_of(page) < ends;
        if self.region.is_guarded() && short {
            self.touch(from, length);
            self.region.check()?;
        }
        Err(if short {
            Fail::Coded {
                code: "ERR_MAPPING_FAULT",
                range: false,
                message: format!("The file is shorter than the mapping (truncated at {size})"),
            }
        } else {
            Fail::system(code::EIO, "madvise").at(self.region.path())
        })
    }

    fn touch(&self, from: usize, length: usize) {
        // SAFETY: pages of the Region, which the Arc keeps mapped.
        unsafe { self.pages(from, length).touch(self.region.page()) };
    }
}

impl Work for Load {
    fn slice(&self) -> Outcome<bool> {
        self.region.check()?;
        let (from, length) = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let (from, size) = *next;
            if from >= self.end {
                return Ok(false);
            }
            let length = size.min(self.end - from);
            next.0 += length;
            (from, length)
        };
        let begun = Instant::now();
        // Somebody may have protected a page since: it is not there to be loaded from.
        let position = from.saturating_sub(self.region.delta());
        let inside = (from + length - self.region.delta()).min(self.region.len());
        self.region
            .permit(position, inside.saturating_sub(position), false)?;
        self.populate(from, length)?;
        self.region.check()?;
        self.done.fetch_add(length, Ordering::AcqRel);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let took = begun.elapsed();
        if took > SLICE_TIME {
            next.1 = (next.1 / 2).max(SMALLEST);
        } else if took < SLICE_TIME / 8 {
            next.1 = (next.1 * 2).min(LARGEST);
        }
        Ok(next.0 < self.end)
    }

    fn done(&self) -> u64 {
        self.done.load(Ordering::Acquire).min(self.end - self.first) as u64
    }

    fn answer(&self) -> Answer {
        Answer::Nothing
    }

    fn is_foreign(&self) -> bool {
        self.region.is_adopted()
    }
}
