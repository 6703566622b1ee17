//! Processors for which nothing is written: the `crc32c` crate does everything.

/// Never.
pub fn usable() -> bool {
    false
}

/// Never called with anything to do.
pub fn taken(_bytes: &[u8]) -> usize {
    0
}

/// Never called.
///
/// # Safety
///
/// None is needed; the twin needs it.
#[allow(unsafe_code, reason = "the signature of its twin")]
pub unsafe fn fold(crc: u32, _bytes: &[u8]) -> u32 {
    crc
}
