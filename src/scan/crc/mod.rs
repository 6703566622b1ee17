//! CRC-32C (Castagnoli), by the processor's own instructions where it has them.
#![allow(
    unsafe_code,
    reason = "calls what is compiled for some processors only"
)]

#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(not(target_arch = "x86_64"))]
#[path = "no_lanes.rs"]
mod lanes;

/// 0x1EDC6F41, bits reversed.
#[cfg(any(test, target_arch = "x86_64"))]
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// CRC-32C of `bytes`, continuing from the CRC `seed` of what stands before them (0: nothing).
#[inline(never)]
pub fn append(seed: u32, bytes: &[u8]) -> u32 {
    let (crc, taken) = if lanes::usable() {
        // SAFETY: this processor can.
        unsafe { lanes::blocks(seed, bytes) }
    } else {
        (seed, 0)
    };
    crc32c::crc32c_append(crc, &bytes[taken..])
}

#[cfg(test)]
mod tests {
    use super::{POLYNOMIAL, append};

    /// The definition, bit by bit.
    fn naive(seed: u32, bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!seed, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (POLYNOMIAL * (crc & 1))
            })
        })
    }

    #[test]
    fn the_check_value_of_the_standard() {
        assert_eq!(append(0, b"123456789"), 0xe306_9283);
    }

    #[test]
    fn every_length_alignment_and_seed_is_as_defined() {
        let bytes: Vec<u8> = (0..2000_u32).map(|at| (at * at * 31 / 7) as u8).collect();
        for length in (0..400).chain([511, 512, 513, 640, 767, 768, 1024, 1900]) {
            for from in [0, 1, 7, 8, 15] {
                let some = &bytes[from..from + length];
                let seed = (length * 0x9e37_79b9) as u32;
                assert_eq!(append(seed, some), naive(seed, some), "{length} bytes");
            }
        }
    }

    #[test]
    fn a_crc_can_be_continued_anywhere() {
        let bytes: Vec<u8> = (0..700_u32).map(|at| (at * 13) as u8).collect();
        for at in 0..bytes.len() {
            let (first, rest) = bytes.split_at(at);
            assert_eq!(append(append(3, first), rest), append(3, &bytes));
        }
    }
}
