//! The guard where faults are signals.

pub mod bell;
mod chain;
mod handler;
pub mod sys;

use std::{
    fs::File,
    os::fd::{AsRawFd, RawFd},
};

pub use self::chain::{ensure, is_lost};

/// A descriptor; -1: none.
pub type RawFile = RawFd;

/// What the handler is told of a file.
pub fn raw_file(file: Option<&File>) -> RawFile {
    file.map_or(-1, AsRawFd::as_raw_fd)
}
