//! CRC-32C of a few hundred bytes by carry-less multiplication: four times 16 bytes a step.
//!
//! The crc32 instruction waits three cycles for its predecessor, and the `crc32c` crate interleaves three of them only from 768 bytes on: a record of
//! 512 bytes then costs 64 links of that chain. After "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009).
#![allow(unsafe_code, reason = "instructions that only some processors have")]
#![allow(clippy::cast_ptr_alignment, reason = "loads that ask for no alignment")]

use std::arch::x86_64::{
    __m128i, _mm_clmulepi64_si128, _mm_crc32_u64, _mm_cvtsi32_si128, _mm_cvtsi128_si64,
    _mm_extract_epi64, _mm_loadu_si128, _mm_set_epi64x, _mm_xor_si128,
};

/// Bytes a step.
const STEP: usize = 64;
/// Bytes a register.
const LANE: usize = 16;

/// x^(4*128+32) and x^(4*128-32) modulo the polynomial, bits reversed: what moves a register over a step.
const OVER_STEP: (i64, i64) = (0x740e_ef02, 0x9e4a_ddf8);
/// The same for one register.
const OVER_LANE: (i64, i64) = (0xf20c_0dfe, 0x493c_7d27);

/// This processor has the instructions.
pub fn usable() -> bool {
    is_x86_feature_detected!("pclmulqdq") && is_x86_feature_detected!("sse4.2")
}

/// How many bytes at the start of `bytes` [`fold`] takes.
pub fn taken(bytes: &[u8]) -> usize {
    bytes.len() / STEP * STEP
}

/// The CRC after `bytes`, of which there are a multiple of 64 and not none, continuing from `crc`.
///
/// # Safety
///
/// [`usable`] has returned true, and `bytes` has the length that [`taken`] gives.
#[target_feature(enable = "pclmulqdq,sse4.2")]
pub unsafe fn fold(crc: u32, bytes: &[u8]) -> u32 {
    let mut at = bytes.as_ptr().cast::<__m128i>();
    // Written out, as this crate is compiled for size. SAFETY: the caller has at least one step, and one more each turn.
    let (mut a, mut b, mut c, mut d) = unsafe { load(at) };
    a = _mm_xor_si128(a, _mm_cvtsi32_si128(!crc as i32));
    let over = _mm_set_epi64x(OVER_STEP.1, OVER_STEP.0);
    for _ in 1..bytes.len() / STEP {
        at = at.wrapping_add(STEP / LANE);
        // SAFETY: as above.
        let next = unsafe { load(at) };
        a = _mm_xor_si128(moved(a, over), next.0);
        b = _mm_xor_si128(moved(b, over), next.1);
        c = _mm_xor_si128(moved(c, over), next.2);
        d = _mm_xor_si128(moved(d, over), next.3);
    }
    let over = _mm_set_epi64x(OVER_LANE.1, OVER_LANE.0);
    let all = _mm_xor_si128(moved(a, over), b);
    let all = _mm_xor_si128(moved(all, over), c);
    let all = _mm_xor_si128(moved(all, over), d);
    let low = _mm_crc32_u64(0, _mm_cvtsi128_si64(all) as u64);
    !(_mm_crc32_u64(low, _mm_extract_epi64::<1>(all) as u64) as u32)
}

/// The registers of one step.
///
/// # Safety
///
/// 64 bytes are there; no alignment is asked for.
#[inline]
#[target_feature(enable = "sse4.2")]
unsafe fn load(at: *const __m128i) -> (__m128i, __m128i, __m128i, __m128i) {
    // SAFETY: the caller's.
    unsafe {
        (
            _mm_loadu_si128(at),
            _mm_loadu_si128(at.wrapping_add(1)),
            _mm_loadu_si128(at.wrapping_add(2)),
            _mm_loadu_si128(at.wrapping_add(3)),
        )
    }
}

/// What a register is worth so many bits further on.
#[inline]
#[target_feature(enable = "pclmulqdq,sse4.2")]
fn moved(lane: __m128i, by: __m128i) -> __m128i {
    _mm_xor_si128(
        _mm_clmulepi64_si128::<0x00>(lane, by),
        _mm_clmulepi64_si128::<0x11>(lane, by),
    )
}
