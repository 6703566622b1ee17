//! Every function against a scan that compares byte by byte.

use proptest::prelude::*;

use super::*;

pub fn naive_starts(hay: &[u8], needle: &[u8], from: usize, to: usize) -> Vec<usize> {
    let to = to.min((hay.len() + 1).saturating_sub(needle.len()));
    let mut starts = Vec::new();
    let mut at = from;
    while at < to {
        if hay[at..].starts_with(needle) {
            starts.push(at);
            at += needle.len();
        } else {
            at += 1;
        }
    }
    starts
}

fn naive_last(hay: &[u8], needle: &[u8], from: usize, to: usize) -> Option<usize> {
    let to = to.min((hay.len() + 1).saturating_sub(needle.len()));
    (from..to).rev().find(|at| hay[*at..].starts_with(needle))
}

fn haystack(bytes: &[u8]) -> Haystack {
    // SAFETY: the tests keep the bytes while they use the haystack.
    unsafe { Haystack::new(bytes.as_ptr(), bytes.len()) }
}

/// Few letters and short needles: overlaps, matches at every boundary, none at all.
pub fn bytes_and_needle() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    (1_u8..4).prop_flat_map(|letters| {
        (
            prop::collection::vec(0..letters, 0..300),
            prop::collection::vec(0..letters, 1..6),
        )
    })
}

/// Holes of zeros in the bytes, and what tells of them.
pub struct Sparse(Vec<(usize, usize)>, usize);

impl Sparse {
    pub fn punch(bytes: &mut [u8], cuts: &[usize], solid: usize) -> Self {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let (mut data, mut at) = (Vec::new(), 0);
        for hole in cuts.chunks_exact(2) {
            bytes[hole[0]..hole[1]].fill(0);
            if at < hole[0] {
                data.push((at, hole[0]));
            }
            at = hole[1];
        }
        data.push((at, usize::MAX));
        Self(data, solid)
    }
}

impl Extents for Sparse {
    fn next(&self, at: usize) -> (usize, usize) {
        let byte = at + self.1;
        let (from, to) = self
            .0
            .iter()
            .copied()
            .find(|(_, to)| *to > byte)
            .unwrap_or((usize::MAX, usize::MAX));
        (
            from.max(byte).saturating_sub(self.1),
            to.saturating_sub(self.1),
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn one_piece_is_what_a_naive_scan_finds((bytes, needle) in bytes_and_needle(), from in 0_usize..310, length in 0_usize..310) {
        let (hay, wanted) = (haystack(&bytes), Needle::new(&needle));
        let to = from + length;
        let starts = naive_starts(&bytes, &needle, from, to);
        prop_assert_eq!(hay.first(&wanted, from, to), starts.first().copied());
        prop_assert_eq!(hay.last(&wanted, from, to), naive_last(&bytes, &needle, from, to));
        prop_assert_eq!(hay.collect(&wanted, from, to), starts.iter().map(|start| *start as f64).collect::<Vec<_>>());
        let tally = hay.tally(&wanted, from, to);
        prop_assert_eq!(tally.count, starts.len() as u64);
        if needle.len() > 1 {
            prop_assert_eq!(tally.first, starts.first().copied());
            prop_assert_eq!(tally.end, starts.last().map_or(0, |start| start + needle.len()));
        }
    }

    #[test]
    fn pieces_that_were_scanned_apart_add_up_to_one_scan((bytes, needle) in bytes_and_needle(), size in 1_usize..40, cuts in prop::collection::vec(0_usize..400, 0..7)) {
        let mut bytes = bytes;
        let wanted = Needle::new(&needle);
        let extents = wanted.solid().map(|solid| Sparse::punch(&mut bytes, &cuts, solid));
        let extents: &dyn Extents = extents.as_ref().map_or(&Solid, |sparse| sparse);
        let hay = haystack(&bytes);
        let mut cutter = Cutter::new(0, hay.limit(&wanted));
        let (mut count, mut carry, mut starts, mut carried) = (0, 0, Vec::new(), 0);
        while let Some((from, to)) = cutter.take(extents, size) {
            // Guessed from the piece's own beginning, as a thread that knows nothing of the others does.
            let tally = hay.resume(&wanted, (from, to), hay.tally(&wanted, from, to), carry);
            count += tally.count;
            carry = carry.max(tally.end);
            let found = hay.resume_starts(&wanted, (from, to), hay.collect(&wanted, from, to), carried);
            carried = found.last().map_or(carried, |last| *last as usize + needle.len());
            starts.extend(found);
        }
        let truth = naive_starts(&bytes, &needle, 0, usize::MAX);
        prop_assert_eq!(count, truth.len() as u64);
        prop_assert_eq!(starts, truth.iter().map(|start| *start as f64).collect::<Vec<_>>());
    }

    #[test]
    fn the_last_one_is_found_past_holes_and_over_blocks((bytes, needle) in bytes_and_needle(), slice in 1_usize..40, from in 0_usize..200, cuts in prop::collection::vec(0_usize..400, 0..7)) {
        let mut bytes = bytes;
        let wanted = Needle::new(&needle);
        let extents = wanted.solid().map(|solid| Sparse::punch(&mut bytes, &cuts, solid));
        let extents: &dyn Extents = extents.as_ref().map_or(&Solid, |sparse| sparse);
        let hay = haystack(&bytes);
        let found = last_of(hay, &wanted, extents, (from, hay.limit(&wanted)), slice, || Ok::<(), ()>(()));
        prop_assert_eq!(found, Ok(naive_last(&bytes, &needle, from, usize::MAX)));
    }
}

#[test]
fn a_hole_of_any_length_is_one_step() {
    struct Far;
    impl Extents for Far {
        fn next(&self, at: usize) -> (usize, usize) {
            const DATA: usize = 1 << 45;
            if at < DATA + 10 {
                (at.max(DATA), DATA + 10)
            } else {
                (usize::MAX, usize::MAX)
            }
        }
    }
    let mut cutter = Cutter::new(0, 1 << 46);
    assert_eq!(cutter.take(&Far, 8), Some((1 << 45, (1 << 45) + 8)));
    assert_eq!(cutter.take(&Far, 8), Some(((1 << 45) + 8, (1 << 45) + 10)));
    assert_eq!(cutter.take(&Far, 8), None);
    assert!(cutter.is_empty());
}

#[test]
fn the_last_one_is_found_when_a_block_is_full_of_them() {
    let bytes = vec![b'a'; 200_000];
    let hay = haystack(&bytes);
    assert_eq!(hay.last(&Needle::new(b"aaa"), 0, usize::MAX), Some(199_997));
    assert_eq!(hay.last(&Needle::new(b"a"), 0, 5), Some(4));
    assert_eq!(hay.last(&Needle::new(b"ab"), 0, usize::MAX), None);
}
