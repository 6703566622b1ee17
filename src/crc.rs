//! CRC-32C (Castagnoli), by the processor's own instruction where it has one.

use napi_derive::napi;

/// CRC-32C of `bytes`, continuing from the CRC `seed` of what stands before them (0: nothing).
#[napi(js_name = "crc32c")]
pub fn crc32c(bytes: &[u8], seed: u32) -> u32 {
    crc32c::crc32c_append(seed, bytes)
}

/// The same, for the native side.
pub fn append(seed: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(seed, bytes)
}
