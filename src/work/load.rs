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
use crate::os;
use crate::region::{Pages, Region};
use crate::work::SLICE_TIME;

/// First size of a slice in bytes, and the bounds of what time makes of it. A slow disk gives 40 MB/s.
const SLICE: usize = 2 << 20;
const SMALLEST: usize = 256 << 10;
const LARGEST: usize = 8 << 20;
/// The disk is asked for this much beyond the slice that is being populated.
const AHEAD: usize = 16 << 20;

/// Loads whole pages `at..end`, counted from the Region's base.
pub struct Load {
    region: Arc<Region>,
    first: usize,
    end: usize,
    next: Mutex<(usize, usize, usize)>,
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
            next: Mutex::new((first, SLICE, first)),
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
        for at in (from..from + length).step_by(self.region.page()) {
            // SAFETY: a byte of the Region, which the Arc keeps mapped; volatile, as the load is all that is wanted. A missing page is the guard's.
            unsafe { std::ptr::read_volatile(self.region.base().wrapping_add(at)) };
        }
    }
}

impl Work for Load {
    fn slice(&self) -> Outcome<bool> {
        self.region.check()?;
        let (from, length, ahead) = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let (from, size, ahead) = *next;
            if from >= self.end {
                return Ok(false);
            }
            let length = size.min(self.end - from);
            next.0 += length;
            // One hint for many slices: it costs a look at the page cache each time.
            let ahead = (ahead < from + length + AHEAD / 2 && ahead < self.end).then(|| {
                let start = ahead.max(from);
                let stop = (from + length + AHEAD).min(self.end);
                next.2 = stop;
                (start, stop - start)
            });
            (from, length, ahead)
        };
        let begun = Instant::now();
        if let Some((start, length)) = ahead {
            os::read_ahead(self.pages(start, length));
        }
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
