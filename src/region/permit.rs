//! What is left to do with the bytes of a Region after mprotect(2), munmap(2) of a part, and mappings placed over a part. Whoever touches memory
//! asks here, as other mappings of the same memory, in other threads, may have changed it.

use std::sync::atomic::Ordering;

use super::Region;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::fault;
use crate::os::{self, Protection};

/// What may be done with a run of pages, as `lib/core.ts` counts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Right {
    /// Nothing.
    None = 0,
    /// Loads.
    Read = 1,
    /// Loads and stores.
    Write = 2,
    /// The pages are another mapping's.
    Gone = 4,
}

/// A run of pages, in bytes from the base.
pub type Run = (usize, usize, Right);

fn right(protection: Protection) -> Right {
    match protection {
        Protection::None => Right::None,
        Protection::Read | Protection::Exec => Right::Read,
        Protection::Write => Right::Write,
        Protection::Raw(bits) => match os::protection_parts(bits) {
            (_, true, ..) => Right::Write,
            (true, ..) | (_, _, true, _) => Right::Read,
            _ => Right::None,
        },
    }
}

impl Region {
    /// Counts the changes; 0: everything may be used as it was opened for.
    pub fn changes(&self) -> u32 {
        self.changes.load(Ordering::Acquire)
    }

    /// Rights have changed: the facades of all threads look again before they touch anything.
    pub(super) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        fault::announce();
    }

    /// Runs of pages whose rights were changed, in order, apart from each other; all runs, where not all pages could be stored to before.
    pub fn rights(&self, from: usize, to: usize) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let sealed = self.sealed.load(Ordering::Acquire);
        let fill = !self.form().writable;
        let mut at = from;
        for (start, end, protection) in self.protections().within(from, to) {
            if fill && start > at {
                runs.push((at, start, Right::Read));
            }
            at = end;
            let right = match right(protection) {
                Right::Write if sealed => Right::Read,
                right => right,
            };
            runs.push((start, end, right));
        }
        if fill && at < to {
            runs.push((at, to, Right::Read));
        }
        let Some(pieces) = self.pieces(from, to) else {
            return runs;
        };
        let mut left = Vec::new();
        let mut at = from;
        for (start, end, hole) in pieces {
            // What no part has is another mapping's.
            if start > at {
                left.push((at, start, Right::Gone));
            }
            at = end;
            if hole {
                left.push((start, end, Right::None));
                continue;
            }
            for &(first, last, right) in &runs {
                let (first, last) = (first.max(start), last.min(end));
                if first < last {
                    left.push((first, last, right));
                }
            }
        }
        if at < to {
            left.push((at, to, Right::Gone));
        }
        left
    }

    /// Fails where bytes of a range may not be loaded, or not be stored to.
    pub fn permit(&self, position: usize, length: usize, store: bool) -> Outcome<()> {
        let usual = !store || self.form().writable;
        let refused = if self.changes() == 0 {
            !usual
        } else {
            let (from, to) = (self.delta + position, self.delta + position + length);
            let runs = self.rights(from, to);
            let has = |right| runs.iter().any(|run| run.2 == right);
            if has(Right::Gone) {
                return Err(Fail::system(code::ENOMEM, "mmap")
                    .hint("a part of the range is another mapping's")
                    .at(self.path()));
            }
            has(Right::None) || store && has(Right::Read)
        };
        if refused {
            let call = if store { "write" } else { "read" };
            return Err(Fail::system(code::EACCES, call).at(self.path()));
        }
        Ok(())
    }
}
