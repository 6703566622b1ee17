//! The loops that look at every byte, in a crate of their own so that they are compiled for speed (`[profile.release.package]` of the core, which is
//! itself compiled for size). memchr's are inlined into whoever calls them, so its own profile does not reach them; hence `inline(never)`.

pub mod crc;
mod lines;

pub use lines::{Found, PIECE};

/// How often a byte occurs.
#[inline(never)]
pub fn count(byte: u8, bytes: &[u8]) -> usize {
    bytecount::count(bytes, byte)
}

/// Appends where a byte occurs, counted from `from`.
#[inline(never)]
pub fn positions(byte: u8, bytes: &[u8], from: usize, positions: &mut Vec<f64>) {
    #[allow(
        clippy::cast_precision_loss,
        reason = "positions in a file are below 2^53"
    )]
    positions.extend(memchr::memchr_iter(byte, bytes).map(|at| (from + at) as f64));
}
