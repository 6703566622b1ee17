//! CRC-32C for TypeScript; the native side calls `memmap_scan::crc`.

use napi_derive::napi;

/// CRC-32C (Castagnoli) of `bytes`, continuing from the CRC `seed` of what stands before them (0: nothing).
#[napi(js_name = "crc32c")]
pub fn crc32c(bytes: &[u8], seed: u32) -> u32 {
    memmap_scan::crc::append(seed, bytes)
}
