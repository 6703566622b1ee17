//! Systems without a backend: the crate compiles and loads there, so that the loader can say what is missing, and every call answers `ENOTSUP`.

use std::fs::File;
use std::path::Path;

use super::{FileFacts, FileKind, Form, OpenMode, Pages, Protection, Replacement, Seal};
use crate::errno::code;
use crate::error::{Fail, Outcome};

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
    Ok(FileFacts {
        kind,
        size: meta.len(),
        huge_page: None,
    })
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
pub fn sync_pages(_pages: Pages, _wait: bool, _invalidate: bool) -> Outcome<()> {
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
#[allow(unsafe_code, reason = "same signature as where pages are replaced")]
pub unsafe fn shorten(
    _base: *mut u8,
    _from: usize,
    _to: usize,
    _file: Option<&File>,
    _offset: u64,
    _form: Form,
) -> Outcome<()> {
    unsupported("mmap")
}

/// None.
pub fn holds_places() -> bool {
    false
}

/// Nothing is mapped here.
pub const SWALLOWS_STORES: bool = false;

/// Refused.
pub fn map_view(
    _options: &memmap2::MmapOptions,
    _file: &File,
    _form: Form,
) -> std::io::Result<memmap2::MmapRaw> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Refused.
///
/// # Safety
/// None here; `unsafe` because it is elsewhere.
#[allow(unsafe_code, reason = "same signature as where pages are mapped again")]
pub unsafe fn map_again(
    _base: *mut u8,
    _length: usize,
    _file: Option<&File>,
    _offset: u64,
    _form: Form,
) -> Outcome<()> {
    unsupported("mmap")
}

/// Nothing lies over pages of the engine here.
pub fn peek(_at: *const u8) -> Option<[usize; 3]> {
    None
}

/// Refused.
///
/// # Safety
/// None here; `unsafe` because it is elsewhere.
#[allow(unsafe_code, reason = "same signature as where pages are shared")]
pub unsafe fn share_again(_base: *mut u8, _target: *mut u8, _length: usize) -> Outcome<()> {
    unsupported("mremap")
}

/// Refused.
pub fn read_at(_file: &File, _bytes: &mut [u8], _offset: u64) -> Outcome<usize> {
    unsupported("read")
}

/// No advice has a number here.
pub fn advice(_name: &str) -> Option<i32> {
    None
}

/// Refused.
pub fn advise(_pages: Pages, _advice: i32) -> Outcome<()> {
    unsupported("madvise")
}

/// None is known.
pub fn knows_advice(_advice: i32) -> bool {
    false
}

/// Refused.
pub fn drop_private(_pages: Pages) -> Outcome<()> {
    unsupported("madvise")
}

/// Refused.
pub fn punch(_pages: Pages, _file: &File, _offset: u64) -> Outcome<()> {
    unsupported("madvise")
}

/// Refused.
pub fn lock(_pages: Pages, _private: bool) -> Outcome<()> {
    unsupported("mlock")
}

/// Only makes things faster elsewhere.
pub fn populate_read(_pages: Pages) {}

/// Refused.
pub fn unlock(_pages: Pages) -> Outcome<()> {
    unsupported("munlock")
}

/// Refused.
pub fn protect(_pages: Pages, _protection: Protection) -> Outcome<()> {
    unsupported("mprotect")
}

/// Refused.
pub fn residency(_pages: Pages, _page: usize) -> Outcome<Vec<u8>> {
    unsupported("mincore")
}

/// Nothing is told, so nothing is told exactly.
pub fn residency_is_exact(_file: Option<&File>) -> bool {
    false
}

/// Address space taken in advance: none can be taken here.
pub struct Reserved(std::convert::Infallible);

impl Reserved {
    /// Refused.
    pub fn new(_length: usize) -> Outcome<Self> {
        unsupported("mmap")
    }

    /// Cannot be asked.
    pub fn base(&self) -> *mut u8 {
        match self.0 {}
    }

    /// Cannot be asked.
    pub fn length(&self) -> usize {
        match self.0 {}
    }
}

/// Copies the bytes.
///
/// # Safety
/// Both ranges are at least `length` bytes long, readable and writable, and nobody else's.
#[allow(unsafe_code, reason = "raw pages of two mappings")]
pub unsafe fn move_pages(from: *mut u8, to: *mut u8, length: usize, _page: usize) {
    // SAFETY: as the caller promises; two mappings never overlap.
    unsafe { std::ptr::copy_nonoverlapping(from, to, length) };
}

/// No huge pages: the ordinary page.
pub fn huge_page_size() -> usize {
    page_size()
}

/// The system is not asked.
pub fn free_memory() -> u64 {
    u64::MAX
}

/// The system is not asked: no file is mapped here.
pub fn may_vanish(_file: &File) -> bool {
    false
}

/// No function of the engine is looked up here.
pub fn find_symbol(_name: &std::ffi::CStr) -> Option<usize> {
    None
}

/// Nothing is ever mapped by hand here.
pub fn unmap(_base: *mut u8, _length: usize) {}

/// Whether waits know a word of another process by its key (`futex::Key`), not by its page.
pub const WORDS_HAVE_KEYS: bool = false;

/// None: the kernel finds the word by its page.
pub fn object_key(_file: Option<&File>, _name: Option<&str>, _offset: u64) -> crate::futex::Key {
    [0; 3]
}

/// Shared memory is files here.
pub fn map_section(_file: &File, _form: super::Form, _length: usize) -> Option<Outcome<*mut u8>> {
    None
}

/// Nothing can be sealed.
pub fn seal_bits(_seals: &[Seal]) -> i32 {
    0
}

/// Refused.
pub fn reopen_read_only(_file: &File) -> Outcome<File> {
    unsupported("open")
}

/// `std` keeps what numbers it has; they are shown as unknown.
pub fn errno_of(raw: i32) -> i32 {
    raw
}
