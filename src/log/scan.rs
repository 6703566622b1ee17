//! All records of a segment in order, past whatever is damaged.

use super::record::{ALIGN, Found, HEAD, find, next, number};

/// How a scan ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// At the end of the log, so far.
    Empty = 0,
    /// At the end of the segment: another one follows.
    Sealed = 1,
    /// At something that is no record, where nothing was promised to be.
    Torn = 2,
    /// The visitor had enough.
    Stopped = 3,
}

/// What a scan meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Met {
    /// A record: offset and bytes of payload.
    Record(usize, usize),
    /// Damage: offset and length.
    Damage(usize, usize),
}

/// Walks from record to record. Below `durable` everything was once known to be there, so whatever is no record there is damage, and the walk goes on
/// behind it. `visit` returns false to stop; the offset that is returned is where to go on.
pub fn scan(
    segment: &[u8],
    seed: u32,
    from: usize,
    durable: usize,
    word: impl Fn(usize) -> u32,
    mut visit: impl FnMut(Met) -> bool,
) -> (usize, Ended) {
    let promised = durable > 0 && durable >= segment.len();
    // A mark that was made up may be any number; records begin at multiples of `ALIGN`.
    let durable = durable.min(segment.len()) / ALIGN * ALIGN;
    let mut budget = segment.len().saturating_mul(16);
    let mut offset = from.next_multiple_of(ALIGN);
    loop {
        if offset + HEAD > segment.len() {
            return (
                offset.min(segment.len()),
                if promised { Ended::Sealed } else { Ended::Torn },
            );
        }
        match find(segment, seed, offset, word(offset)) {
            Found::Record(length) => {
                let after = next(offset, length);
                if !visit(Met::Record(offset, length)) {
                    return (after, Ended::Stopped);
                }
                offset = after;
            }
            Found::Sealed => return (offset, Ended::Sealed),
            Found::End if offset >= durable => return (offset, Ended::Empty),
            Found::Invalid if offset >= durable => return (offset, Ended::Torn),
            Found::End | Found::Invalid => {
                let found = behind(segment, seed, offset, word(offset), durable)
                    .unwrap_or_else(|| resume(segment, seed, offset + ALIGN, durable, &mut budget));
                if !visit(Met::Damage(offset, found - offset)) {
                    return (found, Ended::Stopped);
                }
                offset = found;
            }
        }
    }
}

/// Where a broken record ends by its own word, if that is where records go on or end: then its payload need not be searched.
fn behind(segment: &[u8], seed: u32, offset: usize, word: u32, durable: usize) -> Option<usize> {
    if word == 0 || word as usize > segment.len() {
        return None;
    }
    let after = next(offset, word as usize - 1);
    let goes_on = after == durable
        || after + HEAD <= durable
            && matches!(
                find(segment, seed, after, number(&segment[after..])),
                Found::Record(_) | Found::Sealed
            );
    goes_on.then_some(after)
}

/// The next offset below `durable` at which something valid stands, else `durable`, which is where records end or go on.
///
/// `budget` bounds the bytes that are checked in vain, as every eighth byte of a payload may look like a long record.
fn resume(segment: &[u8], seed: u32, from: usize, durable: usize, budget: &mut usize) -> usize {
    let mut offset = from;
    while offset + HEAD <= durable {
        let word = number(&segment[offset..]);
        if word != 0 && (word == u32::MAX || word as usize <= segment.len() - offset - HEAD + 1) {
            if matches!(
                find(segment, seed, offset, word),
                Found::Record(_) | Found::Sealed
            ) {
                return offset;
            }
            let cost = if word == u32::MAX {
                HEAD
            } else {
                word as usize
            };
            *budget = budget.saturating_sub(cost);
            if *budget == 0 {
                break;
            }
        }
        offset += ALIGN;
    }
    durable
}

#[cfg(test)]
mod tests {
    use super::super::record::{SEALED, checksum};
    use super::*;

    const SEED: u32 = 77;

    /// A segment of `size` bytes with records of these lengths, and where the next one would begin.
    fn segment(size: usize, lengths: &[usize]) -> (Vec<u8>, usize) {
        let mut bytes = vec![0; size];
        let mut offset = 0;
        for (index, length) in lengths.iter().enumerate() {
            let payload: Vec<u8> = (0..*length).map(|at| (at * 7 + index) as u8).collect();
            put(&mut bytes, offset, *length as u32 + 1, &payload);
            offset = next(offset, *length);
        }
        (bytes, offset)
    }

    fn put(bytes: &mut [u8], offset: usize, word: u32, payload: &[u8]) {
        bytes[offset..offset + 4].copy_from_slice(&word.to_ne_bytes());
        bytes[offset + 4..offset + 8]
            .copy_from_slice(&checksum(SEED, offset as u32, word, payload).to_ne_bytes());
        bytes[offset + 8..offset + 8 + payload.len()].copy_from_slice(payload);
    }

    fn walk(bytes: &[u8], durable: usize) -> (Vec<Met>, usize, Ended) {
        let mut met = Vec::new();
        let (offset, ended) = scan(
            bytes,
            SEED,
            0,
            durable,
            |at| {
                // The core's loads are atomic.
                assert_eq!(at % ALIGN, 0);
                number(&bytes[at..])
            },
            |one| {
                met.push(one);
                true
            },
        );
        (met, offset, ended)
    }

    #[test]
    fn a_mark_that_is_no_multiple_of_eight_is_rounded() {
        let (mut bytes, _) = segment(4096, &[8, 8, 8]);
        bytes[24] ^= 1;
        for durable in 30..48 {
            let (_, end, _) = walk(&bytes, durable);
            assert_eq!(end % ALIGN, 0);
        }
    }

    #[test]
    fn records_are_found_in_order_up_to_the_zero_word() {
        let (bytes, end) = segment(4096, &[0, 1, 8, 100]);
        let (met, offset, ended) = walk(&bytes, 0);
        assert_eq!(
            met,
            [
                Met::Record(0, 0),
                Met::Record(8, 1),
                Met::Record(24, 8),
                Met::Record(40, 100)
            ]
        );
        assert_eq!((offset, ended), (end, Ended::Empty));
    }

    #[test]
    fn a_seal_ends_the_segment_and_a_forged_one_does_not() {
        let (mut bytes, end) = segment(4096, &[5]);
        put(&mut bytes, end, SEALED, &[]);
        assert_eq!(walk(&bytes, 0).2, Ended::Sealed);
        bytes[end + 4] ^= 1;
        assert_eq!(walk(&bytes, 0).2, Ended::Torn);
    }

    #[test]
    fn below_the_durable_mark_damage_is_reported_and_skipped() {
        let (mut bytes, end) = segment(4096, &[50, 60, 70]);
        bytes[20] ^= 0x40;
        let (met, offset, ended) = walk(&bytes, end);
        assert_eq!(
            met,
            [
                Met::Damage(0, 64),
                Met::Record(64, 60),
                Met::Record(136, 70)
            ]
        );
        assert_eq!((offset, ended), (end, Ended::Empty));
    }

    #[test]
    fn numbers_in_a_damaged_payload_do_not_use_up_the_patience_for_what_follows() {
        let (mut bytes, _) = segment(1 << 16, &[]);
        // Each looks like the word of a record that would fit.
        let payload: Vec<u8> = (0..7000u32)
            .flat_map(|at| (9_000 + at % 7).to_ne_bytes())
            .collect();
        let middle = next(0, 5);
        put(&mut bytes, 0, 6, &[1, 2, 3, 4, 5]);
        put(&mut bytes, middle, payload.len() as u32 + 1, &payload);
        let mut end = next(middle, payload.len());
        let first = end;
        for _ in 0..100 {
            put(&mut bytes, end, 3, &[7, 8]);
            end = next(end, 2);
        }
        bytes[middle + 100] ^= 1;
        let (met, offset, ended) = walk(&bytes, end);
        assert_eq!(
            met[..2],
            [Met::Record(0, 5), Met::Damage(middle, first - middle)]
        );
        assert_eq!(met.len(), 102);
        assert_eq!((offset, ended), (end, Ended::Empty));
    }

    #[test]
    fn above_the_durable_mark_the_first_invalid_record_is_the_end() {
        let (mut bytes, _) = segment(4096, &[50, 60, 70]);
        bytes[64 + 20] ^= 0x40;
        let (met, offset, ended) = walk(&bytes, 64);
        assert_eq!(met, [Met::Record(0, 50)]);
        assert_eq!((offset, ended), (64, Ended::Torn));
    }

    #[test]
    fn a_valid_record_at_another_offset_is_none() {
        let (bytes, _) = segment(4096, &[50]);
        let mut moved = vec![0; 4096];
        moved[8..72].copy_from_slice(&bytes[..64]);
        let (met, ..) = walk(&moved, 4096);
        assert_eq!(met, [Met::Damage(0, 4096)]);
    }
}
