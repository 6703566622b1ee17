//! System calls, one file a system with the same signatures; no `cfg` outside this folder and `fault`.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::*;
#[cfg(unix)]
mod unix_control;
#[cfg(unix)]
pub use unix_control::*;
#[cfg(unix)]
mod unix_place;
#[cfg(unix)]
pub use unix_place::*;
#[cfg(unix)]
mod unix_reserve;
#[cfg(unix)]
mod unix_system;
#[cfg(unix)]
pub use unix_reserve::*;
#[cfg(unix)]
pub use unix_system::*;

#[cfg(not(unix))]
mod stub;
#[cfg(not(unix))]
pub use stub::*;

pub use crate::region::Pages;

/// What a target is, as far as mapping cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A block device: has a size.
    Block,
    /// A character device: has none.
    Character,
    /// A directory.
    Directory,
    /// A pipe, socket or anything else that cannot be mapped.
    Stream,
}

/// `fstat` of a target.
#[derive(Clone, Copy, Debug)]
pub struct FileFacts {
    /// What it is.
    pub kind: FileKind,
    /// Its length in bytes; 0 for a character device.
    pub size: u64,
    /// The page size of a file on a file system of huge pages.
    pub huge_page: Option<usize>,
}

/// What lies in the pages of a mapping after `close()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replacement {
    /// Nothing: system calls in flight stop with a short count or `EFAULT`.
    None,
    /// Readable and writable zeros, for views that cannot be detached.
    Zeros,
}
