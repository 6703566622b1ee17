//! What has become of the pages of one range: which still show the file, which the handler
//! replaced, and what it does with the next one that faults.
//!
//! Everything here runs under the slot's lock; `mend` is the handler's part.

mod mend;

use std::{
    io,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{Backing, Event, Fault, Kind, Range, bits::Bits};

/// Separate runs of private copies in all mappings.
static COPIES: AtomicU32 = AtomicU32::new(0);

/// What the signal, or the exception, says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// There is nothing behind the page.
    Missing,
    /// The memory of the page is broken.
    Poisoned,
    /// The page may not be used so.
    Denied,
}

#[derive(Clone, Copy, Debug)]
pub struct Cause {
    pub signal: Signal,
    /// `None`: this machine does not tell.
    pub store: Option<bool>,
    /// Whether there is no room for the page. `None`: this system does not tell.
    pub full: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was done: perhaps another thread has mended the page. If not, the fault comes again
    /// and is believed.
    Retry,
    /// The page can be used now; nothing to report.
    Mended,
    /// The page can be used now; tell the world.
    Reported(Event),
    /// Not ours, or beyond repair.
    Foreign,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Free,
    Live,
    Retired,
}

/// The books of one range; [`super::Edit`] to the closure of `Slot::locked`.
pub struct Pages {
    phase: Phase,
    range: Range,
    mapping: u64,
    /// Where in its mapping the range begins.
    shift: usize,
    /// A caller has changed something since `register`, so a fault may be older than the change.
    edited: bool,
    /// Bytes `zero_from..zero_to` are zero pages.
    zero_from: usize,
    zero_to: usize,
    /// Bytes below are private copies, where they are not zeros.
    private_to: usize,
    /// Pages replaced one by one.
    replaced: Bits,
    zeros: u32,
    copies: u32,
    opened: u32,
    /// Who came last, with which page, how often.
    last: (usize, usize, u32),
    first_protected: Option<usize>,
    first_lost: Option<Fault>,
    count: u32,
}

impl Pages {
    pub const fn free() -> Self {
        let range = Range {
            base: 0,
            len: 0,
            page: 1,
            fd: -1,
            file_offset: 0,
            backing: Backing::Anonymous,
            writable: false,
        };
        Self::with(Phase::Free, range, 0, 0)
    }

    pub const fn live(range: Range, mapping: u64, shift: usize) -> Self {
        Self::with(Phase::Live, range, mapping, shift)
    }

    const fn with(phase: Phase, range: Range, mapping: u64, shift: usize) -> Self {
        Self {
            phase,
            range,
            mapping,
            shift,
            edited: false,
            zero_from: 0,
            zero_to: 0,
            private_to: 0,
            replaced: Bits::new(),
            zeros: 0,
            copies: 0,
            opened: 0,
            last: (0, 0, 0),
            first_protected: None,
            first_lost: None,
            count: 0,
        }
    }

    /// The range as the guard knows it.
    pub fn range(&self) -> Range {
        self.range
    }

    /// The caller has changed the mapping to this.
    ///
    /// Only `len` or `writable` differ: the replaced pages below the new length stay replaced,
    /// pages past the old length are the file's. Anything else differs: every page is the caller's
    /// new mapping.
    pub fn set_range(&mut self, range: Range) {
        if (Range {
            len: range.len,
            writable: range.writable,
            ..self.range
        }) == range
        {
            let (old, new) = (self.range.len, range.len);
            self.zero_from = self.zero_from.min(new);
            self.zero_to = self.zero_to.min(new);
            self.private_to = self.private_to.min(new);
            self.replaced.put(new / range.page, old / range.page, false);
        } else {
            self.forget_all();
        }
        self.range = range;
    }

    /// The caller has mapped its file (or fresh memory) over `offset..offset + len`: nothing of the
    /// guard's is there any more.
    ///
    /// # Errors
    /// ENOMEM: no memory for the books. The pages count as replaced still; map them again.
    pub fn remapped(&mut self, offset: usize, len: usize) -> io::Result<()> {
        let (from, to) = (offset, offset + len);
        let page = self.range.page;
        if from == 0 && to >= self.private_to {
            self.private_to = 0;
        }
        if from <= self.zero_from && to >= self.zero_to {
            (self.zero_from, self.zero_to) = (0, 0);
        }
        let in_private = from < self.private_to;
        let in_zeros = from < self.zero_to && to > self.zero_from;
        if in_private || in_zeros {
            // A hole in a run: from here on bits say which pages are ours.
            if !self.replaced.reserve(self.range.len.div_ceil(page)) {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            self.replaced.put(0, self.private_to / page, true);
            self.replaced
                .put(self.zero_from / page, self.zero_to / page, true);
            self.private_to = 0;
            (self.zero_from, self.zero_to) = (0, 0);
        }
        self.replaced.put(from / page, to.div_ceil(page), false);
        Ok(())
    }

    /// The first fault since `clear`; one that lost data goes before an earlier one that did not.
    pub fn fault(&self) -> Option<Fault> {
        self.first_lost.or(self.first_protected.map(|offset| Fault {
            kind: Kind::Protected,
            offset,
        }))
    }

    pub fn count(&self) -> u32 {
        self.count
    }

    /// A caller is about to change something, or just has.
    pub fn touch(&mut self) {
        self.edited = true;
        self.last = (0, 0, 0);
    }

    /// The books of a new range are the file's own story: no change of a caller's can be older than
    /// a fault in it.
    pub fn settle(&mut self) {
        self.edited = false;
    }

    pub fn contains(&self, address: usize) -> bool {
        self.phase != Phase::Free && address.wrapping_sub(self.range.base) < self.range.len
    }

    /// Close: from now on nothing is the file's, and nothing is reported.
    pub fn retire(&mut self) {
        self.forget_all();
        self.phase = Phase::Retired;
        // Closed now or soon, and then another file's number.
        self.range.fd = -1;
    }

    pub fn set_free(&mut self) {
        self.forget_all();
        *self = Self::free();
    }

    /// Hands every replaced run to `remap(offset, len)`, which maps the file there again, and
    /// forgets the fault.
    pub fn clear(
        &mut self,
        mut remap: impl FnMut(usize, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.phase == Phase::Live {
            let mut from = self.next(0, true);
            while from < self.range.len {
                let to = self.next(from, false);
                remap(from, to - from)?;
                // At once: were this run taken for a copy, a store to it would be let through to
                // the file.
                self.remapped(from, to - from)?;
                from = self.next(to, true);
            }
        }
        self.forget_all();
        self.first_protected = None;
        self.first_lost = None;
        self.count = 0;
        Ok(())
    }

    fn forget_all(&mut self) {
        self.replaced.drop_all();
        COPIES.fetch_sub(self.copies, Ordering::Relaxed);
        (self.zero_from, self.zero_to, self.private_to) = (0, 0, 0);
        (self.zeros, self.copies, self.opened) = (0, 0, 0);
    }

    fn is_zero_run(&self, offset: usize) -> bool {
        offset >= self.zero_from && offset < self.zero_to
    }

    fn is_replaced(&self, offset: usize) -> bool {
        offset < self.private_to
            || self.is_zero_run(offset)
            || self.replaced.get(offset / self.range.page)
    }

    /// The first byte at or after `from`, a page boundary, where replaced pages begin (`replaced`)
    /// or end; else the length.
    fn next(&self, from: usize, replaced: bool) -> usize {
        let Range { len, page, .. } = self.range;
        let mut at = from;
        while at < len {
            // Runs first, bits between them.
            let run_end = match at {
                _ if at < self.private_to => Some(self.private_to),
                _ if self.is_zero_run(at) => Some(self.zero_to),
                _ => None,
            };
            if let Some(end) = run_end {
                if replaced {
                    return at;
                }
                at = end;
                continue;
            }
            let limit = if self.zero_from > at && self.zero_to > self.zero_from {
                self.zero_from
            } else {
                len
            };
            let found = self
                .replaced
                .next(at / page, limit.div_ceil(page), replaced)
                * page;
            if found < limit {
                return found;
            }
            at = limit;
        }
        len
    }
}
