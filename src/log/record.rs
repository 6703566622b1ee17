//! One record: a word (`length + 1`; 0: the end), its CRC, the payload, zeros up to a multiple of eight. Numbers are in the machine's own byte order.

use memmap_scan::crc;

/// Bytes before the payload.
pub const HEAD: usize = 8;
/// Records begin at multiples of this.
pub const ALIGN: usize = 8;
/// The word after the last record of a segment that another one follows.
pub const SEALED: u32 = u32::MAX;

/// What stands at an offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// A record with so many bytes of payload.
    Record(usize),
    /// The end, so far.
    End,
    /// The end of this segment: go on with the next.
    Sealed,
    /// Neither.
    Invalid,
}

/// The CRC of a record: over its segment's seed, its offset, its word and its payload, so that nothing is valid in another place.
pub fn checksum(seed: u32, offset: u32, word: u32, payload: &[u8]) -> u32 {
    let mut place = [0; 8];
    place[..4].copy_from_slice(&offset.to_ne_bytes());
    place[4..].copy_from_slice(&word.to_ne_bytes());
    crc::append(crc::append(seed, &place), payload)
}

/// Where the record after one with so much payload begins.
pub fn next(offset: usize, length: usize) -> usize {
    (offset + HEAD + length).next_multiple_of(ALIGN)
}

/// Reads what stands at `offset`, a multiple of eight, in a segment. `word`: its first four bytes, read atomically.
pub fn find(segment: &[u8], seed: u32, offset: usize, word: u32) -> Found {
    let Some(rest) = segment.get(offset..).filter(|rest| rest.len() >= HEAD) else {
        return Found::Invalid;
    };
    let stored = number(&rest[4..]);
    match word {
        0 => Found::End,
        SEALED if stored == checksum(seed, offset as u32, SEALED, &[]) => Found::Sealed,
        _ => match rest.get(HEAD..HEAD + (word as usize - 1)) {
            Some(payload) if stored == checksum(seed, offset as u32, word, payload) => {
                Found::Record(payload.len())
            }
            _ => Found::Invalid,
        },
    }
}

/// The four bytes at the start of a slice.
pub fn number(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}
