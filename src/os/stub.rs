//! Systems without a backend: the crate compiles and loads there, so that the loader can say what is missing, and every call answers `ENOTSUP`.

use std::fs::File;
use std::path::Path;

use super::{FileFacts, FileKind, Replacement};
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::region::Form;

fn unsupported<T>(syscall: &'static str) -> Outcome<T> {
    Err(Fail::system(code::ENOTSUP, syscall).hint("memmap has no backend for this system yet"))
}

/// The smallest page of any system that Node runs on: nothing is mapped here, so that arithmetic alone uses it.
pub fn page_size() -> usize {
    4096
}

/// As the page.
pub fn allocation_granularity() -> usize {
    page_size()
}

/// How a path is opened.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "callers fill it in, and nothing is opened")]
pub struct OpenMode {
    /// For writing too.
    pub write: bool,
    /// `Some(mode)`: create it when it is not there.
    pub create: Option<u32>,
    /// It must not be there.
    pub exclusive: bool,
}

/// Refused before anything is touched, `create` included.
pub fn open_path(_path: &Path, _mode: OpenMode) -> Outcome<(File, bool)> {
    unsupported("open")
}

/// Refused.
pub fn duplicate(_fd: i32) -> Outcome<File> {
    unsupported("dup")
}

/// None: nothing is opened here.
pub fn raw_fd(_file: &File) -> i32 {
    -1
}

/// No file was opened for writing here.
pub fn is_writable(_file: &File) -> bool {
    false
}

/// What `std` knows of a file.
pub fn facts(file: &File) -> Outcome<FileFacts> {
    let meta = file.metadata().map_err(|error| Fail::io(&error, "fstat"))?;
    let kind = if meta.is_file() {
        FileKind::Regular
    } else if meta.is_dir() {
        FileKind::Directory
    } else {
        FileKind::Stream
    };
    Ok(FileFacts { kind, size: meta.len() })
}

/// Refused.
pub fn set_length(_file: &File, _length: u64) -> Outcome<()> {
    unsupported("ftruncate")
}

/// Refused.
pub fn allocate(_file: &File, _old: u64, _new: u64) -> Outcome<()> {
    unsupported("fallocate")
}

/// Nothing was created here.
pub fn remove_if_same(_path: &Path, _file: &File) {}

/// Refused.
pub fn sync_pages(_base: *mut u8, _length: usize, _wait: bool, _invalidate: bool) -> Outcome<()> {
    unsupported("msync")
}

/// Refused.
pub fn sync_file(_file: &File) -> Outcome<()> {
    unsupported("fsync")
}

/// Leaves the pages as they are: anonymous memory is all that is ever mapped here, and it stays readable until its last view goes.
///
/// # Safety
/// None here; `unsafe` because it is elsewhere.
#[allow(unsafe_code, reason = "same signature as where pages are replaced")]
pub unsafe fn replace(_base: *mut u8, _length: usize, _with: Replacement) {}

/// Refused.
///
/// # Safety
/// None here; `unsafe` because it is elsewhere.
#[allow(unsafe_code, reason = "same signature as where pages are mapped again")]
pub unsafe fn map_again(_base: *mut u8, _length: usize, _file: Option<&File>, _offset: u64, _form: Form) -> Outcome<()> {
    unsupported("mmap")
}
