//! System calls, one file a system with the same signatures. docs/design.md says where else there is a `cfg`.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod mremap;
#[cfg(unix)]
mod offsets;
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

#[cfg(windows)]
mod windows;
#[cfg(windows)]
mod windows_abilities;
#[cfg(windows)]
mod windows_calls;
#[cfg(windows)]
mod windows_control;
#[cfg(windows)]
mod windows_errno;
#[cfg(windows)]
mod windows_place;
#[cfg(windows)]
mod windows_placeholders;
#[cfg(windows)]
mod windows_sections;
#[cfg(windows)]
mod windows_strict;
#[cfg(windows)]
mod windows_system;
#[cfg(windows)]
mod windows_views;
#[cfg(windows)]
pub use self::{
    windows::*,
    windows_abilities::{make_private, make_writable, page_abilities},
    windows_control::*,
    windows_errno::*,
    windows_place::*,
    windows_sections::*,
    windows_system::*,
    windows_views::Shown,
};

#[cfg(unix)]
mod posix;
#[cfg(unix)]
pub use posix::*;
#[cfg(not(unix))]
mod no_posix;
#[cfg(not(unix))]
pub use no_posix::*;

#[cfg(unix)]
mod paging;
#[cfg(unix)]
pub use paging::*;
#[cfg(not(unix))]
mod paging_stub;
#[cfg(not(unix))]
pub use paging_stub::*;

#[cfg(not(any(unix, windows)))]
mod stub;
#[cfg(not(any(unix, windows)))]
pub use stub::*;

mod pages;
pub use pages::{Access, Eviction, Form, Pages};

/// Whether a file that is mapped can be made shorter; Windows refuses it, whoever maps it and however little.
pub const CUTS_MAPPED_FILES: bool = cfg!(not(windows));

/// Whether private pages can be given up in place; elsewhere `MADV_DONTNEED` is a hint that keeps their bytes.
pub const DROPS_PRIVATE_PAGES: bool = !cfg!(any(target_vendor = "apple", target_os = "freebsd"));

/// Whether there may be huge pages; whether there are any, Linux says itself. Large pages of Windows need a privilege that processes do not have.
pub const HAS_HUGE_PAGES: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Whether so many bytes can be asked for: memmap2 takes no more than `isize::MAX` where addresses have 32 bits, and calls that invalid data.
pub const fn is_mappable(length: usize) -> bool {
    size_of::<usize>() > 4 || length <= isize::MAX as usize
}

/// Only on Windows there is such memory.
#[cfg(not(windows))]
pub fn keeps_length(_file: &std::fs::File) -> bool {
    false
}

/// Only Windows has to be told so: elsewhere a file has holes where nobody has written.
#[cfg(not(windows))]
pub fn make_sparse(_file: &std::fs::File) {}

/// Whether a file must have been opened for it, where its bytes are to be executed: see `for_exec`.
pub const EXECUTION_IS_ASKED_FOR: bool = cfg!(windows);

/// What is opened elsewhere may be executed, if the file system lets it.
#[cfg(not(windows))]
#[allow(clippy::unnecessary_wraps, reason = "on Windows it can fail")]
pub fn for_exec(file: std::fs::File) -> crate::error::Outcome<std::fs::File> {
    Ok(file)
}

/// What a target is, as far as mapping cares.
#[cfg_attr(
    not(unix),
    allow(dead_code, reason = "some systems have no device files")
)]
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

/// How a path is opened.
#[derive(Clone, Copy, Debug)]
pub struct OpenMode {
    /// `O_RDWR` instead of `O_RDONLY`.
    pub write: bool,
    /// `Some(mode)`: create it when it is not there.
    pub create: Option<u32>,
    /// `O_EXCL`: it must not be there.
    pub exclusive: bool,
}

/// What a page may be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    /// Nothing.
    None,
    /// Loads.
    Read,
    /// Loads and stores.
    Write,
    /// Loads and execution; never stores.
    Exec,
    /// Whatever these bits of mprotect(2) say.
    Raw(i32),
}

impl Protection {
    /// Whether stores are allowed: `PROT_WRITE` is 2 on every system.
    pub fn allows_stores(self) -> bool {
        matches!(self, Self::Write) || matches!(self, Self::Raw(bits) if bits & 2 != 0)
    }
}

/// A right that is taken away from everybody for ever: `F_ADD_SEALS` of fcntl(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seal {
    /// It cannot become shorter.
    Shrink,
    /// It cannot become longer.
    Grow,
    /// Nobody writes any more.
    Write,
    /// Nobody else writes any more; writable mappings that are there stay.
    FutureWrite,
    /// No more seals.
    More,
}

impl Seal {
    /// The facade's names; it has checked them.
    pub fn of(names: &[String]) -> Vec<Self> {
        let one = |name: &String| match name.as_str() {
            "shrink" => Self::Shrink,
            "grow" => Self::Grow,
            "write" => Self::Write,
            "futureWrite" => Self::FutureWrite,
            _ => Self::More,
        };
        names.iter().map(one).collect()
    }
}
