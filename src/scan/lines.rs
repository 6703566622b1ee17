//! Cutting text into lines: where the newlines of a block are, and whether the block is plain enough to become a string byte by byte.

use memchr::{memchr, memchr_iter};

/// How many bytes go through the first level of the processor's cache at once: looked at three times, read from memory once.
pub const PIECE: usize = 16 << 10;

/// What there is in the bytes that were looked at so far.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Found {
    /// Newlines, all of them written to the caller's array.
    pub newlines: usize,
    /// Behind the last of them.
    pub end: usize,
    /// Some byte is a carriage return.
    pub returns: bool,
    /// Some byte is not ASCII.
    pub wide: bool,
    /// The array had no room for another newline: what comes after `end` was not looked at.
    pub full: bool,
}

impl Found {
    /// Goes on with the bytes that begin `at` bytes into the block.
    #[inline(never)]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "blocks are much shorter than 4 GiB"
    )]
    pub fn add(&mut self, piece: &[u8], at: usize, ends: &mut [u32]) {
        let mut seen = piece;
        for newline in memchr_iter(b'\n', piece) {
            let Some(slot) = ends.get_mut(self.newlines) else {
                self.full = true;
                seen = &piece[..self.end.saturating_sub(at)];
                break;
            };
            *slot = (at + newline) as u32;
            self.newlines += 1;
            self.end = at + newline + 1;
        }
        self.returns = self.returns || memchr(b'\r', seen).is_some();
        self.wide = self.wide || !seen.is_ascii();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Found;

    #[test]
    fn stops_where_the_array_ends() {
        let mut ends = [0; 2];
        let mut found = Found::default();
        found.add("é\nb\nc\r\nd".as_bytes(), 10, &mut ends);
        assert_eq!(ends, [12, 14]);
        assert_eq!((found.newlines, found.end, found.full), (2, 15, true));
        assert_eq!((found.wide, found.returns), (true, false));
    }

    proptest! {
        #[test]
        fn finds_what_a_loop_finds(text in "[ab\r\né]{0,40}", cut in 0_usize..40) {
            let bytes = text.as_bytes();
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            let mut ends = [0; 64];
            let mut found = Found::default();
            found.add(first, 0, &mut ends);
            found.add(second, first.len(), &mut ends);
            let naive: Vec<u32> = (0..bytes.len())
                .filter(|at| bytes[*at] == b'\n')
                .map(|at| at as u32)
                .collect();
            prop_assert_eq!(&ends[..found.newlines], &naive[..]);
            prop_assert_eq!(found.end as u32, naive.last().map_or(0, |at| at + 1));
            prop_assert_eq!(found.returns, text.contains('\r'));
            prop_assert_eq!(found.wide, !text.is_ascii());
            prop_assert!(!found.full);
        }
    }
}
