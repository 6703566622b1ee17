//! memmem(3) over mapped bytes: the memchr crate's, in slices, past holes, and cut so that pieces found on several threads add up to one scan.
//!
//! All positions are *starts* of occurrences. A piece of work is a range of starts `from..to`; the bytes it looks at reach `needle - 1` further, so
//! that what crosses a page, a slice or a thread's boundary is found exactly once, by the piece in which it begins.
#![allow(
    unsafe_code,
    reason = "memchr takes a slice. This is the one place that makes a `&[u8]` of mapped bytes: others may change them meanwhile, and the compiler \
              does not know. What memchr then says may be wrong, so it is only ever used as a position after a check of its bounds, never trusted \
              as an index, and no reference outlives one call"
)]

use memchr::memmem::Finder;

/// What is looked for. Never empty: TypeScript answers for empty needles.
pub struct Needle {
    finder: Finder<'static>,
    /// Index of the first byte that is not zero: that byte of an occurrence is never in a hole.
    solid: Option<usize>,
}

impl Needle {
    /// Prepares the search (memchr's prefilters).
    pub fn new(bytes: &[u8]) -> Self {
        Self {
            finder: Finder::new(bytes).into_owned(),
            solid: bytes.iter().position(|byte| *byte != 0),
        }
    }

    /// In bytes.
    pub fn len(&self) -> usize {
        self.finder.needle().len()
    }

    /// See the field.
    pub fn solid(&self) -> Option<usize> {
        self.solid
    }
}

/// Bytes to search. Whoever makes one keeps the memory mapped while it is used.
#[derive(Clone, Copy)]
pub struct Haystack {
    start: *const u8,
    len: usize,
}

// SAFETY: the pointer is only read through; see the head of this file.
unsafe impl Send for Haystack {}
// SAFETY: as above.
unsafe impl Sync for Haystack {}

/// The greedy scan of one piece: leftmost occurrence, then the leftmost that does not overlap it, and so on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Start of the first one.
    pub first: Option<usize>,
    /// End of the last one; 0 without one.
    pub end: usize,
}

impl Haystack {
    /// # Safety
    /// `start..start + len` stays readable (or guarded) while this and its copies are used.
    pub unsafe fn new(start: *const u8, len: usize) -> Self {
        Self { start, len }
    }

    /// The bytes of the starts `from..to`, with what the last start needs.
    fn window(&self, needle: &Needle, from: usize, to: usize) -> &[u8] {
        let end = to.saturating_add(needle.len() - 1).min(self.len);
        if from >= end {
            return &[];
        }
        // SAFETY: inside the haystack, which the maker keeps readable. That others change the bytes is the risk named at the head of this file.
        unsafe { std::slice::from_raw_parts(self.start.add(from), end - from) }
    }

    /// One past the last start at which the needle fits.
    pub fn limit(&self, needle: &Needle) -> usize {
        (self.len + 1).saturating_sub(needle.len())
    }

    /// The first occurrence.
    pub fn first(&self, needle: &Needle, from: usize, to: usize) -> Option<usize> {
        let at = from + needle.finder.find(self.window(needle, from, to))?;
        (at < to.min(self.limit(needle))).then_some(at)
    }

    /// The last occurrence. Forwards in blocks from the end: memchr's backward searcher has no vector form.
    pub fn last(&self, needle: &Needle, from: usize, to: usize) -> Option<usize> {
        const BLOCK: usize = 64 << 10;
        let mut high = to.min(self.limit(needle));
        if let [byte] = needle.finder.needle() {
            return memchr::memrchr(*byte, self.window(needle, from, high))
                .map(|at| from + at)
                .filter(|at| *at < high);
        }
        while high > from {
            let low = high.saturating_sub(BLOCK).max(from);
            let mut found = None;
            let mut next = low;
            while let Some(at) = self.first(needle, next, high) {
                found = Some(at);
                next = at + 1;
            }
            if found.is_some() {
                return found;
            }
            high = low;
        }
        None
    }

    /// Counts without overlap, left to right.
    pub fn tally(&self, needle: &Needle, from: usize, to: usize) -> Tally {
        let mut tally = Tally::default();
        if let [byte] = needle.finder.needle() {
            // One byte never overlaps itself: nobody asks where the first one is.
            tally.count = memmap_scan::count(*byte, self.window(needle, from, to)) as u64;
            return tally;
        }
        self.walk(needle, from, to, |at| {
            tally.first.get_or_insert(at);
            tally.count += 1;
            tally.end = at + needle.len();
        });
        tally
    }

    /// The starts of the same scan, in order.
    pub fn collect(&self, needle: &Needle, from: usize, to: usize) -> Vec<f64> {
        let mut starts = Vec::new();
        if let [byte] = needle.finder.needle() {
            memmap_scan::positions(*byte, self.window(needle, from, to), from, &mut starts);
            return starts;
        }
        self.walk(needle, from, to, |at| starts.push(at as f64));
        starts
    }

    fn walk(&self, needle: &Needle, from: usize, to: usize, mut each: impl FnMut(usize)) {
        let mut next = from;
        while let Some(at) = self.first(needle, next, to) {
            each(at);
            next = at + needle.len();
        }
    }

    /// What the true scan, which arrives at this piece with `carry` (the end of its last occurrence), makes of a piece that was tallied from its beginning.
    ///
    /// Two greedy scans that choose one common start are the same from there on. So both are followed, the one behind first, until they meet; what
    /// comes after is known already. They may never meet ("aaa" in a row of a's): then this has counted the piece once more.
    pub fn resume(
        &self,
        needle: &Needle,
        piece: (usize, usize),
        guess: Tally,
        carry: usize,
    ) -> Tally {
        match guess.first {
            // Nothing begins in the piece, or nothing that the scan before could have covered.
            None => return guess,
            Some(first) if first >= carry => return guess,
            Some(_) => {}
        }
        let step =
            |at: Option<usize>| at.and_then(|at| self.first(needle, at + needle.len(), piece.1));
        let mut truth = Tally::default();
        let mut wrong = 0;
        let mut guessed = guess.first;
        let mut right = self.first(needle, carry, piece.1);
        truth.first = right;
        while let Some(at) = right {
            while guessed.is_some_and(|start| start < at) {
                wrong += 1;
                guessed = step(guessed);
            }
            if guessed == right {
                return Tally {
                    count: truth.count + guess.count.saturating_sub(wrong),
                    end: guess.end,
                    ..truth
                };
            }
            truth.count += 1;
            truth.end = at + needle.len();
            right = step(right);
        }
        truth
    }

    /// As `resume`, for the starts themselves: drops the guesses that are wrong and puts the true ones in their place.
    pub fn resume_starts(
        &self,
        needle: &Needle,
        piece: (usize, usize),
        guess: Vec<f64>,
        carry: usize,
    ) -> Vec<f64> {
        if guess.first().is_none_or(|first| *first >= carry as f64) {
            return guess;
        }
        let mut truth = Vec::new();
        let mut next = carry;
        while let Some(at) = self.first(needle, next, piece.1) {
            if let Ok(index) = guess.binary_search_by(|start| start.total_cmp(&(at as f64))) {
                truth.extend_from_slice(&guess[index..]);
                break;
            }
            truth.push(at as f64);
            next = at + needle.len();
        }
        truth
    }
}

/// Where there is something to search: a run of data, as starts.
pub trait Extents: Send + Sync {
    /// The first run that ends after `at`, cut to begin there.
    fn next(&self, at: usize) -> (usize, usize);
}

/// No holes.
pub struct Solid;

impl Extents for Solid {
    fn next(&self, at: usize) -> (usize, usize) {
        (at, usize::MAX)
    }
}

/// Cuts a range of starts into slices, leaving out what lies in holes.
pub struct Cutter {
    next: usize,
    to: usize,
    known: usize,
}

impl Cutter {
    /// Over the starts `from..to`.
    pub fn new(from: usize, to: usize) -> Self {
        Self {
            next: from,
            to,
            known: from,
        }
    }

    /// How far it has come.
    pub fn position(&self) -> usize {
        self.next.min(self.to)
    }

    /// Nothing is left, whatever `take` is asked for.
    pub fn is_empty(&self) -> bool {
        self.next >= self.to
    }

    /// The next slice of at most `size` starts.
    pub fn take(&mut self, extents: &dyn Extents, size: usize) -> Option<(usize, usize)> {
        if self.next < self.to && self.next >= self.known {
            let (from, to) = extents.next(self.next);
            self.next = from.max(self.next);
            self.known = to.max(self.next.saturating_add(1));
        }
        if self.next >= self.to {
            return None;
        }
        let from = self.next;
        self.next = from
            .saturating_add(size.max(1))
            .min(self.known)
            .min(self.to);
        Some((from, self.next))
    }
}

/// The last occurrence in `from..to`, asking `check` after each slice. Stretches without data are jumped in doubling steps.
pub fn last_of<E>(
    hay: Haystack,
    needle: &Needle,
    extents: &dyn Extents,
    (from, to): (usize, usize),
    slice: usize,
    mut check: impl FnMut() -> Result<(), E>,
) -> Result<Option<usize>, E> {
    let mut high = to;
    let mut size = slice;
    while high > from {
        let low = high.saturating_sub(size).max(from);
        let (data, _) = extents.next(low);
        if data >= high {
            high = low;
            size = size.saturating_mul(2);
        } else if high - low > slice {
            size = slice.max(size / 2);
        } else {
            let found = hay.last(needle, data.max(low), high);
            check()?;
            if found.is_some() {
                return Ok(found);
            }
            high = low;
        }
    }
    Ok(None)
}

#[cfg(test)]
#[path = "search_tests.rs"]
pub mod tests;
