//! Searching a mapping: at once on the calling thread, or in slices on several, with the result of one scan from left to right.
#![allow(
    unsafe_code,
    reason = "makes the haystack of a Region, which it keeps alive"
)]

use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Outcome;
use crate::jobs::{Answer, Work};
use crate::os;
use crate::region::Region;
use crate::search::{Cutter, Extents, Haystack, Needle, Solid, Tally, last_of};
use crate::work::SLICE_TIME;

/// First size of a slice in starts, and the bounds of what time makes of it.
const SLICE: usize = 1 << 20;
const SMALLEST: usize = 64 << 10;
const LARGEST: usize = 4 << 20;
/// Slices whose positions are all kept: at most one for each byte.
const SLICE_OF_POSITIONS: usize = 128 << 10;
/// A batch of positions is handed over when it has this many, or one and this age.
const BATCH: usize = 8192;
const BATCH_AGE: Duration = Duration::from_millis(10);

/// The parts of a file that are not holes, as starts of a needle.
struct FileExtents {
    file: Arc<File>,
    /// File offset of the byte of a start 0 that must not lie in a hole.
    origin: u64,
}

impl Extents for FileExtents {
    fn next(&self, at: usize) -> (usize, usize) {
        let (from, to) = os::next_data(&self.file, self.origin + at as u64);
        let start =
            |offset: u64| usize::try_from(offset.saturating_sub(self.origin)).unwrap_or(usize::MAX);
        (start(from), start(to))
    }
}

/// What is searched, for what.
pub struct Query {
    region: Arc<Region>,
    hay: Haystack,
    needle: Needle,
    extents: Box<dyn Extents>,
    from: usize,
    to: usize,
}

impl Query {
    /// Occurrences that lie within the user's `from..end` (checked against the mapping here once more).
    pub fn new(region: Arc<Region>, needle: &[u8], from: usize, end: usize) -> Self {
        let needle = Needle::new(needle);
        let end = end.min(region.len());
        // SAFETY: the Region lives in the same structure; the guard answers for pages that are not there.
        let hay = unsafe { Haystack::new(region.start(), end) };
        let extents: Box<dyn Extents> = match (needle.solid(), region.holes()) {
            (Some(solid), Some(file)) => Box::new(FileExtents {
                file,
                origin: region.offset() + solid as u64,
            }),
            _ => Box::new(Solid),
        };
        let to = hay.limit(&needle);
        Self {
            region,
            hay,
            needle,
            extents,
            from,
            to,
        }
    }

    /// Whether the bytes of the starts `from..to` may be loaded.
    fn permit(&self, from: usize, to: usize) -> Outcome<()> {
        let end = (to + self.needle.len() - 1).min(self.region.len());
        self.region.permit(from, end.saturating_sub(from), false)
    }

    fn cutter(&self) -> Cutter {
        Cutter::new(self.from, self.to)
    }

    /// `indexOf`, on this thread.
    pub fn first(&self) -> Outcome<Option<usize>> {
        let mut cutter = self.cutter();
        while let Some((from, to)) = cutter.take(&*self.extents, LARGEST) {
            let found = self.hay.first(&self.needle, from, to);
            self.region.check()?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// `lastIndexOf`, on this thread: the last start before `to`.
    pub fn last(&self, to: usize) -> Outcome<Option<usize>> {
        last_of(
            self.hay,
            &self.needle,
            &*self.extents,
            (self.from, to.min(self.to)),
            SLICE,
            || self.region.check(),
        )
    }

    /// `count`, on this thread.
    pub fn count(&self) -> Outcome<u64> {
        let mut cutter = self.cutter();
        let (mut count, mut carry) = (0, 0);
        while let Some((from, to)) = cutter.take(&*self.extents, LARGEST) {
            let tally = self.hay.tally(&self.needle, from.max(carry), to);
            self.region.check()?;
            count += tally.count;
            carry = carry.max(tally.end);
        }
        Ok(count)
    }
}

/// What a job wants to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    /// The first start, or -1.
    First,
    /// How many, without overlap.
    Count,
    /// A batch of starts, without overlap.
    Starts,
}

enum Piece {
    First(Option<usize>),
    Count(Tally),
    Starts(Vec<f64>),
}

struct State {
    cutter: Cutter,
    size: usize,
    /// Number of the next slice to hand out, and of the next to add up.
    taken: usize,
    added: usize,
    /// Slices from `added` on, those that are done.
    early: VecDeque<Option<((usize, usize), Piece)>>,
    /// End of the last occurrence.
    carry: usize,
    count: u64,
    found: Option<usize>,
    starts: Vec<f64>,
    /// How many starts there are, also in slices that wait: one slow thread must not let the others pile them up.
    kept: usize,
    /// Nothing more is handed out.
    enough: bool,
}

/// A search in slices.
pub struct Search {
    query: Query,
    want: Want,
    bounds: (usize, usize),
    begun: Instant,
    state: Mutex<State>,
}

impl Search {
    /// `carry`: no occurrence may begin before it (batches: the end of the last one of the batch before is where this one begins).
    pub fn new(query: Query, want: Want) -> Self {
        let bounds = if want == Want::Starts {
            (SMALLEST, SLICE_OF_POSITIONS)
        } else {
            (SMALLEST, LARGEST)
        };
        Self::with_slices(query, want, bounds)
    }

    /// With slices of a size between `bounds`.
    fn with_slices(query: Query, want: Want, bounds: (usize, usize)) -> Self {
        let state = State {
            cutter: query.cutter(),
            size: SLICE.clamp(bounds.0, bounds.1),
            taken: 0,
            added: 0,
            early: VecDeque::new(),
            carry: query.from,
            count: 0,
            found: None,
            starts: Vec::new(),
            kept: 0,
            enough: false,
        };
        Self {
            query,
            want,
            bounds,
            begun: Instant::now(),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scan(&self, from: usize, to: usize) -> Piece {
        let Query { hay, needle, .. } = &self.query;
        match self.want {
            Want::First => Piece::First(hay.first(needle, from, to)),
            Want::Count => Piece::Count(hay.tally(needle, from, to)),
            Want::Starts => Piece::Starts(hay.collect(needle, from, to)),
        }
    }

    /// Adds up the slices that are there, in order; those before which one is missing wait.
    fn add_up(&self, state: &mut State) {
        let Query { hay, needle, .. } = &self.query;
        while let Some((range, piece)) = state.early.front_mut().and_then(Option::take) {
            state.early.pop_front();
            state.added += 1;
            match piece {
                Piece::First(found) => state.found = state.found.or(found),
                Piece::Count(guess) => {
                    let tally = hay.resume(needle, range, guess, state.carry);
                    state.count += tally.count;
                    state.carry = state.carry.max(tally.end);
                }
                Piece::Starts(guess) => {
                    let starts = hay.resume_starts(needle, range, guess, state.carry);
                    if let Some(last) = starts.last() {
                        state.carry = *last as usize + needle.len();
                    }
                    state.starts.extend_from_slice(&starts);
                }
            }
        }
    }
}

impl Work for Search {
    fn slice(&self) -> Outcome<bool> {
        let mut state = self.state();
        if state.enough {
            return Ok(false);
        }
        let size = state.size;
        let Some((from, to)) = state.cutter.take(&*self.query.extents, size) else {
            return Ok(false);
        };
        let number = state.taken;
        state.taken += 1;
        state.early.push_back(None);
        // With every earlier slice added up, as always on one thread, the true beginning is known and nothing is guessed.
        let begin = if state.added == number {
            from.max(state.carry)
        } else {
            from
        };
        drop(state);
        let clock = Instant::now();
        // Somebody may have protected a page since.
        self.query.permit(begin, to)?;
        let found = self.scan(begin, to);
        self.query.region.check()?;
        let took = clock.elapsed();
        let mut state = self.state();
        state.enough |= match &found {
            Piece::First(start) => start.is_some(),
            Piece::Count(_) => false,
            Piece::Starts(starts) => {
                state.kept += starts.len();
                state.kept >= BATCH || (state.kept > 0 && self.begun.elapsed() >= BATCH_AGE)
            }
        };
        let index = number - state.added;
        state.early[index] = Some(((begin, to), found));
        self.add_up(&mut state);
        if took > SLICE_TIME {
            state.size = (size / 2).max(self.bounds.0);
        } else if took < SLICE_TIME / 4 {
            state.size = (size * 2).min(self.bounds.1);
        }
        Ok(!state.enough && !state.cutter.is_empty())
    }

    fn is_foreign(&self) -> bool {
        self.query.region.is_adopted()
    }

    fn done(&self) -> u64 {
        (self.state().cutter.position() - self.query.from) as u64
    }

    fn answer(&self) -> Answer {
        let mut state = self.state();
        match self.want {
            Want::First => Answer::Number(state.found.map_or(-1.0, |at| at as f64)),
            Want::Count => Answer::Number(state.count as f64),
            Want::Starts => {
                let ended = state.cutter.is_empty();
                let next = if ended {
                    -1.0
                } else {
                    state.cutter.position().max(state.carry) as f64
                };
                let mut answer = Vec::with_capacity(state.starts.len() + 1);
                answer.push(next);
                answer.append(&mut state.starts);
                Answer::Positions(answer)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "positions are whole numbers")]
#[path = "search_tests.rs"]
mod tests;
