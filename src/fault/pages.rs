//! What has become of the pages of one range: which still show the file, which the handler replaced, and what it does with the next one that faults.
//!
//! Everything here runs under the slot's lock, much of it inside the signal handler: no allocation but of whole pages by `mmap`, no panic path.
//!
//! The number of mappings a process may have is bounded (Linux: `vm.max_map_count`, 65,530), and every replaced page that stands alone costs two.
//! So each way of replacing pages one by one ends, after a number of them, with replacing all the rest at once.

use std::{
    io,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{Backing, Event, Fault, Kind, Range, bits::Bits, sys};

/// Pages replaced by zeros one by one (I/O errors, full disk) before all to the end of the range follow.
const ZEROS_APART: u32 = 64;
/// Separate runs of private copies in one range before every other page becomes private, too.
const COPIES_APART: u32 = 256;
/// The same where the process has `MANY_COPIES` such runs already, in other mappings.
const COPIES_APART_OF_MANY: u32 = 8;
const MANY_COPIES: u32 = 8192;
/// Pages made writable one by one before the whole range is.
const OPENED_APART: u32 = 256;
/// How often one thread may come back with one page, while no caller changed anything, before the guard gives up on it.
const TRIES: u32 = 6;

static COPIES: AtomicU32 = AtomicU32::new(0);

/// What the signal says.
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was done: perhaps another thread has mended the page. If not, the fault comes again and is believed.
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
        Self::with(Phase::Free, range, 0)
    }

    pub const fn live(range: Range, mapping: u64) -> Self {
        Self::with(Phase::Live, range, mapping)
    }

    const fn with(phase: Phase, range: Range, mapping: u64) -> Self {
        Self {
            phase,
            range,
            mapping,
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
    /// Only `len` or `writable` differ: the replaced pages below the new length stay replaced, pages past the old length are the file's.
    /// Anything else differs: every page is the caller's new mapping.
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

    /// The caller has mapped its file (or fresh memory) over `offset..offset + len`: nothing of the guard's is there any more.
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
                return Err(io::Error::from_raw_os_error(libc::ENOMEM));
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

    /// The books of a new range are the file's own story: no change of a caller's can be older than a fault in it.
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
    }

    pub fn set_free(&mut self) {
        self.forget_all();
        *self = Self::free();
    }

    /// Hands every replaced run to `remap(offset, len)`, which maps the file there again, and forgets the fault.
    pub fn clear(
        &mut self,
        mut remap: impl FnMut(usize, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.phase == Phase::Live {
            let mut from = self.next(0, true);
            while from < self.range.len {
                let to = self.next(from, false);
                remap(from, to - from)?;
                // At once: were this run taken for a copy, a store to it would be let through to the file.
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

    /// The first byte at or after `from`, a page boundary, where replaced pages begin (`replaced`) or end; else the length.
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

    /// The handler's work: make the page at `address` usable for `thread`, or say that it is not ours.
    pub fn mend(&mut self, cause: Cause, address: usize, thread: usize) -> Outcome {
        let exact = address - self.range.base;
        let page = exact - exact % self.range.page;
        let tries = if (self.last.0, self.last.1) == (page, thread) {
            self.last.2 + 1
        } else {
            1
        };
        self.last = (page, thread, tries);
        if tries > TRIES {
            return Outcome::Foreign;
        }
        let denied =
            cause.signal == Signal::Denied || (sys::DENIED_IS_MISSING && !self.range.writable);
        if self.phase == Phase::Retired {
            return if self.zero_page(page) {
                Outcome::Mended
            } else {
                Outcome::Foreign
            };
        }
        if cause.signal == Signal::Missing
            && let Some(end) = self.end_of_file()
            && page >= end
            && !self.is_zero_run(page)
        {
            return self.report(Kind::Truncated, exact, |pages| pages.zeros_from(end));
        }
        // Another thread may have mended it, or the file may have grown again: only who comes back is believed.
        let doubtful = if denied {
            self.edited || self.is_replaced(page)
        } else {
            cause.signal == Signal::Missing
        };
        if doubtful && tries == 1 {
            return Outcome::Retry;
        }
        if cause.signal == Signal::Poisoned {
            return self.report(Kind::Io, exact, |pages| pages.zero_page(page));
        }
        if denied {
            return self.report(Kind::Protected, exact, |pages| pages.open_page(page));
        }
        let kind = if self.is_full(cause.store) {
            Kind::NoSpace
        } else {
            Kind::Io
        };
        self.report(kind, exact, |pages| pages.zero_page(page))
    }

    fn report(
        &mut self,
        kind: Kind,
        offset: usize,
        mend: impl FnOnce(&mut Self) -> bool,
    ) -> Outcome {
        if !mend(self) {
            return Outcome::Foreign;
        }
        let fault = Fault { kind, offset };
        if kind == Kind::Protected {
            self.first_protected.get_or_insert(offset);
        } else {
            self.first_lost.get_or_insert(fault);
        }
        self.count = self.count.saturating_add(1);
        Outcome::Reported(Event {
            mapping: self.mapping,
            fault,
        })
    }

    /// The first page past the end of the file, in bytes from `base`.
    fn end_of_file(&self) -> Option<usize> {
        if self.range.backing == Backing::Anonymous {
            return None;
        }
        let rest = sys::file_size(self.range.fd)?.saturating_sub(self.range.file_offset);
        let end = rest
            .div_ceil(self.range.page as u64)
            .saturating_mul(self.range.page as u64);
        Some(usize::try_from(end).unwrap_or(usize::MAX))
    }

    /// A load cannot run out of space. Memory without a file faults so where the system has no huge page left.
    fn is_full(&self, store: Option<bool>) -> bool {
        store != Some(false)
            && (self.range.backing == Backing::Anonymous || sys::disk_is_full(self.range.fd))
    }

    /// Zeros in one page; in all from it on, if too many pages had the same fate.
    fn zero_page(&mut self, page: usize) -> bool {
        let Range {
            base,
            len,
            page: size,
            ..
        } = self.range;
        self.zeros += 1;
        if self.zeros > ZEROS_APART && !self.is_zero_run(page) {
            return self.zeros_from(page);
        }
        let done = self.replaced.reserve(len / size) && sys::replace_by_zeros(base + page, size);
        if done {
            self.replaced.put(page / size, page / size + 1, true);
            return true;
        }
        // Out of mappings, perhaps: one large replacement joins many into one.
        self.zeros_from(page)
    }

    /// Zeros from `from` to the end, in one mapping. What is zeros already stays: something may have been stored there since.
    fn zeros_from(&mut self, from: usize) -> bool {
        let Range { base, len, .. } = self.range;
        let reaches_end = self.zero_to == len && self.zero_from < len;
        let start = if self.is_zero_run(from) {
            self.zero_to
        } else {
            from
        };
        let end = if reaches_end && self.zero_from >= start {
            self.zero_from
        } else {
            len
        };
        if start < end && !sys::replace_by_zeros(base + start, end - start) {
            return false;
        }
        if self.zero_to > self.zero_from && self.zero_to < from {
            // The range has grown since the first run of zeros, and good pages lie between: bits remember that one.
            let Range { page, .. } = self.range;
            if !self.replaced.reserve(len / page) {
                return false;
            }
            self.replaced
                .put(self.zero_from / page, self.zero_to / page, true);
            self.zero_from = from;
        } else if self.zero_to == self.zero_from || from < self.zero_from {
            self.zero_from = from;
        }
        self.zero_to = len;
        true
    }

    /// A store is let through, but not to the file.
    fn open_page(&mut self, page: usize) -> bool {
        let Range {
            base,
            len,
            page: size,
            fd,
            file_offset,
            backing,
            ..
        } = self.range;
        if backing != Backing::Shared || self.is_replaced(page) {
            // Nobody's but ours: the contents stay.
            self.opened += 1;
            return if self.opened <= OPENED_APART {
                sys::make_writable(base + page, size) || self.open_all()
            } else {
                self.open_all()
            };
        }
        let beside = (page > 0 && self.is_replaced(page - size)) || self.is_replaced(page + size);
        if !beside {
            self.copies += 1;
            let all = COPIES.fetch_add(1, Ordering::Relaxed);
            let limit = if all < MANY_COPIES {
                COPIES_APART
            } else {
                COPIES_APART_OF_MANY
            };
            if self.copies > limit {
                return self.copy_rest();
            }
        }
        let done = self.replaced.reserve(len / size)
            && sys::replace_by_copy(base + page, size, fd, file_offset + page as u64);
        if done {
            self.replaced.put(page / size, page / size + 1, true);
        }
        done || self.copy_rest()
    }

    /// Private copies of all pages that are not replaced yet, with as few mappings as the replaced ones leave room for.
    fn copy_rest(&mut self) -> bool {
        let Range {
            base,
            len,
            fd,
            file_offset,
            ..
        } = self.range;
        let mut from = self.next(0, false);
        while from < len {
            let to = self.next(from, true);
            if !sys::replace_by_copy(base + from, to - from, fd, file_offset + from as u64) {
                return false;
            }
            self.private_to = self.private_to.max(to);
            from = self.next(to, false);
        }
        self.private_to = len;
        true
    }

    fn open_all(&mut self) -> bool {
        let Range {
            base, len, backing, ..
        } = self.range;
        // Never the file's own pages: a store to them would reach the file.
        (backing != Backing::Shared || self.copy_rest()) && sys::make_writable(base, len)
    }
}
