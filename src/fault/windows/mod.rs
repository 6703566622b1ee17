//! The guard where faults are exceptions.

pub mod bell;
mod handler;
pub mod sys;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    os::windows::io::{AsRawHandle, RawHandle},
};

pub use self::handler::{ensure, is_lost};

/// A handle, as a number; -1: none.
pub type RawFile = isize;

/// What the handler is told of a file.
pub fn raw_file(file: Option<&File>) -> RawFile {
    file.map_or(-1, |file| file.as_raw_handle() as isize)
}

fn handle(file: RawFile) -> RawHandle {
    file as RawHandle
}
