//! CRC-32C of a few hundred bytes: three chains of the crc32 instruction at once.
//!
//! The instruction waits three cycles for the one before it, and the `crc32c` crate interleaves three of them only from 768 bytes on: a record of
//! 512 bytes would be 64 links of one chain. The three CRCs are put together by a carry-less multiplication each. After "Fast CRC Computation for iSCSI
//! Polynomial Using CRC32 Instruction" (Intel, 2011). (Folding by carry-less multiplication alone was measured too: no faster than one chain here.)
#![allow(unsafe_code, reason = "instructions that only some processors have")]
#![allow(clippy::cast_ptr_alignment, reason = "loads that ask for no alignment")]

use std::arch::x86_64::{
    _mm_clmulepi64_si128, _mm_crc32_u64, _mm_cvtsi32_si128, _mm_cvtsi128_si64, _mm_xor_si128,
};

/// Bytes a load.
const WORD: usize = 8;
/// Fewer bytes are one chain.
const LEAST: usize = 64;
/// Most words in each of the three lanes; then the next block begins.
const MOST: usize = 32;

/// `SHIFTS[n]` is x^(64n - 33) modulo the polynomial, bits reversed: a CRC times this is its value `n` words further on.
static SHIFTS: [u32; 2 * MOST + 2] = shifts();

const fn shifts() -> [u32; 2 * MOST + 2] {
    let mut table = [0; 2 * MOST + 2];
    // x^31: x^0 is the highest bit.
    let mut power = 1_u32;
    let mut at = 1;
    while at < table.len() {
        table[at] = power;
        let mut bit = 0;
        while bit < 64 {
            power = (power >> 1) ^ (super::POLYNOMIAL * (power & 1));
            bit += 1;
        }
        at += 1;
    }
    table
}

/// This processor has the instructions.
pub fn usable() -> bool {
    is_x86_feature_detected!("pclmulqdq") && is_x86_feature_detected!("sse4.2")
}

/// The CRC after as many bytes as make whole blocks, and how many these are; `crc` as everywhere else, inverted.
///
/// # Safety
///
/// [`usable`] has returned true.
#[target_feature(enable = "pclmulqdq,sse4.2")]
pub unsafe fn blocks(crc: u32, bytes: &[u8]) -> (u32, usize) {
    let mut crc = u64::from(!crc);
    let mut taken = 0;
    while bytes.len() - taken >= LEAST {
        // The last word of a block takes up what comes from the other lanes.
        let words = ((bytes.len() - taken - WORD) / (3 * WORD)).min(MOST);
        let start = bytes.as_ptr().wrapping_add(taken).cast::<u64>();
        // SAFETY: 3 * words + 1 words from `start` on are inside of `bytes`.
        let word = |at: usize| unsafe { start.wrapping_add(at).read_unaligned() };
        let (mut second, mut third) = (0, 0);
        for at in 0..words {
            crc = _mm_crc32_u64(crc, word(at));
            second = _mm_crc32_u64(second, word(words + at));
            third = _mm_crc32_u64(third, word(2 * words + at));
        }
        let shift = |crc: u64, words: usize| {
            let by = _mm_cvtsi32_si128(SHIFTS[words] as i32);
            _mm_clmulepi64_si128::<0>(_mm_cvtsi32_si128(crc as i32), by)
        };
        let others = _mm_xor_si128(shift(crc, 2 * words + 1), shift(second, words + 1));
        crc = _mm_crc32_u64(third, word(3 * words) ^ _mm_cvtsi128_si64(others) as u64);
        taken += (3 * words + 1) * WORD;
    }
    (!(crc as u32), taken)
}
