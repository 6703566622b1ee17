//! `paging` where none of its calls exists: everything is data, and touching loads.

use std::fs::File;

use super::{Eviction, Pages};
use crate::error::Outcome;

/// No such call: touch the pages instead.
#[allow(
    clippy::unnecessary_wraps,
    reason = "same signature as where it can fail"
)]
pub fn populate(_pages: Pages) -> Outcome<bool> {
    Ok(false)
}

/// The system takes pages back by itself.
pub fn unload(_pages: Pages, _eviction: Eviction) {}

/// As above.
pub fn uncache(_file: &File, _offset: u64, _length: u64) {}

/// Everything is searched.
pub fn open_for_holes(_file: &File) -> Option<File> {
    None
}

/// Everything is data.
pub fn next_data(_file: &File, at: u64) -> (u64, u64) {
    (at, u64::MAX)
}

/// There are none.
pub fn block_signals() {}
