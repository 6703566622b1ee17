//! What the signal handler does with a page that faulted: no allocation but of whole pages by
//! `mmap`, no panic path.
//!
//! The number of mappings a process may have is bounded (Linux: `vm.max_map_count`, 65,530), and
//! every replaced page that stands alone costs two. So each way of replacing pages one by one ends,
//! after a number of them, with replacing all the rest at once.

use std::sync::atomic::Ordering;

use super::{
    super::{Backing, Event, Fault, Kind, Range, system::sys},
    COPIES, Cause, Outcome, Pages, Phase, Signal,
};

/// Pages replaced by zeros one by one (I/O errors, full disk) before all to the end of the range
/// follow.
const ZEROS_APART: u32 = 64;
/// Separate runs of private copies in one range before every other page becomes private, too.
const COPIES_APART: u32 = 256;
/// The same where the process has `MANY_COPIES` such runs already, in other mappings.
const COPIES_APART_OF_MANY: u32 = 8;
const MANY_COPIES: u32 = 8192;
/// Pages made writable one by one before the whole range is.
const OPENED_APART: u32 = 256;
/// How often one thread may come back with one page, while no caller changed anything, before the
/// guard gives up on it.
const TRIES: u32 = 6;

impl Pages {
    /// The handler's work: make the page at `address` usable for `thread`, or say that it is not
    /// ours.
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
            cause.signal == Signal::Denied || sys::refuses(self.range.base + page, cause.store);
        if self.phase == Phase::Retired {
            // Where a system could not replace the pages at close they are still the file's: then
            // they become private.
            return if self.zero_page(page) || (denied && self.open_page(page)) {
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
        // Another thread may have mended it, or the file may have grown again: only who comes back
        // is believed.
        let doubtful = if denied {
            sys::REPLACING_LEAVES_GAPS || self.edited || self.is_replaced(page)
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
        let kind = if self.is_full(cause) {
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
        let offset = offset + self.shift;
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
        if self.has_no_file() {
            return None;
        }
        let rest = sys::file_size(self.range.fd)?.saturating_sub(self.range.file_offset);
        let end = rest
            .div_ceil(self.range.page as u64)
            .saturating_mul(self.range.page as u64);
        Some(usize::try_from(end).unwrap_or(usize::MAX))
    }

    fn has_no_file(&self) -> bool {
        matches!(self.range.backing, Backing::Anonymous | Backing::Memory)
    }

    /// A load cannot run out of space. Memory without a file faults so where the system has no huge
    /// page left.
    fn is_full(&self, cause: Cause) -> bool {
        cause.full.unwrap_or_else(|| {
            cause.store != Some(false) && (self.has_no_file() || sys::disk_is_full(self.range.fd))
        })
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
        let done = self.replaced.reserve(len / size)
            && sys::replace_by_zeros(base + page, size, &self.range);
        if done {
            self.replaced.put(page / size, page / size + 1, true);
            return true;
        }
        // Out of mappings, perhaps: one large replacement joins many into one.
        self.zeros_from(page)
    }

    /// Zeros from `from` to the end, in one mapping. What is zeros already stays: something may
    /// have been stored there since.
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
        if start < end && !sys::replace_by_zeros(base + start, end - start, &self.range) {
            return false;
        }
        if self.zero_to > self.zero_from && self.zero_to < from {
            // The range has grown since the first run of zeros, and good pages lie between: bits
            // remember that one.
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
            let one = !sys::RUNS_ARE_FEW || self.opened <= OPENED_APART;
            let done = one
                && (self.is_ours(page) && sys::make_writable(base + page, size)
                    || sys::replace_by_snapshot(base + page, size));
            if !done {
                return sys::RUNS_ARE_FEW && self.open_all();
            }
            if self.is_restored() && self.replaced.reserve(len / size) {
                self.replaced.put(page / size, page / size + 1, true);
            }
            return true;
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
            if sys::RUNS_ARE_FEW && self.copies > limit {
                return self.copy_rest();
            }
        }
        let done = self.replaced.reserve(len / size)
            && sys::replace_by_copy(base + page, size, fd, file_offset + page as u64);
        if done {
            self.replaced.put(page / size, page / size + 1, true);
        }
        done || (sys::RUNS_ARE_FEW && self.copy_rest())
    }

    /// Private copies of all pages that are not replaced yet, with as few mappings as the replaced
    /// ones leave room for.
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
        // Never the file's own pages, nor what others have, too: a store to them would be seen.
        let done = match backing {
            Backing::Shared => self.copy_rest() && sys::make_writable(base, len),
            Backing::Memory => sys::replace_by_snapshot(base, len),
            Backing::Private | Backing::Anonymous => sys::make_writable(base, len),
        };
        if done && self.is_restored() {
            self.private_to = len;
        }
        done
    }

    /// Whether `clear` has pages that were opened mapped again: those that were only to be read, and hold nobody's edits, or that others share.
    fn is_restored(&self) -> bool {
        match self.range.backing {
            Backing::Private => !self.range.writable,
            Backing::Memory => true,
            Backing::Shared | Backing::Anonymous => false,
        }
    }

    /// Whether nobody else sees what is stored in a page.
    fn is_ours(&self, page: usize) -> bool {
        self.range.backing != Backing::Memory || self.is_replaced(page)
    }
}
