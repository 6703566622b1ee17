//! Systems without mmap(2): the calls of `memmap/posix` are there, and every one is `ENOTSUP`.

use super::Pages;
use crate::errno::code;
use crate::error::{Fail, Outcome};

fn none<T>(syscall: &'static str) -> Outcome<T> {
    Err(Fail::system(code::ENOTSUP, syscall))
}

/// Address space can be reserved, but nothing be placed in it by its address.
pub const CAN_PLACE: bool = false;

/// mmap(2)'s last four arguments.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "callers fill it in, and nothing is mapped")]
pub struct MapArguments {
    pub protection: i32,
    pub flags: i32,
    pub fd: i32,
    pub offset: i64,
}

/// What the flags of a mapping mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapKind {
    pub fixed: bool,
    pub exact: bool,
    pub anonymous: bool,
    pub private: bool,
    pub page: usize,
}

/// No flag has a number here.
pub fn map_kind(_flags: i32) -> MapKind {
    MapKind {
        fixed: false,
        exact: false,
        anonymous: true,
        private: true,
        page: super::page_size(),
    }
}

/// No protection has a number here.
pub fn protection_parts(_protection: i32) -> (bool, bool, bool, bool) {
    (false, false, false, true)
}

pub fn map_raw(_hint: usize, _length: usize, _arguments: MapArguments) -> Outcome<*mut u8> {
    none("mmap")
}

/// Nothing is ever attached here.
pub fn detach_segment(_base: *mut u8, _length: usize) {}

/// A mapping for `move_over`; there is none.
pub struct Fresh(std::convert::Infallible);

impl Fresh {
    pub fn map(_length: usize, _arguments: MapArguments) -> Outcome<Self> {
        none("mmap")
    }

    pub fn discard(self, _length: usize) {
        match self.0 {}
    }

    pub fn adopt(_base: *mut u8, _length: usize) -> Outcome<Self> {
        none("mremap")
    }
}

/// Cannot be called.
///
/// # Safety
/// None here; `unsafe` because it is elsewhere.
#[allow(unsafe_code, reason = "same signature as where mappings are moved")]
pub unsafe fn move_over(fresh: Fresh, _target: *mut u8, _length: usize) -> Outcome<()> {
    match fresh.0 {}
}

/// No call of these gives a file here.
pub fn into_fd(_file: std::fs::File) -> i32 {
    -1
}

pub fn plain_arguments(_form: super::Form, _fd: i32, _offset: u64) -> Outcome<MapArguments> {
    none("mmap")
}

pub fn advise_raw(_pages: Pages, _advice: i32) -> Outcome<()> {
    none("madvise")
}

pub fn sync_raw(_pages: Pages, _flags: i32) -> Outcome<()> {
    none("msync")
}

pub fn lock_raw(_pages: Pages) -> Outcome<()> {
    none("mlock")
}

pub fn unlock_raw(_pages: Pages) -> Outcome<()> {
    none("munlock")
}

pub fn core_raw(_pages: Pages) -> Outcome<Vec<u8>> {
    none("mincore")
}

/// What is said of mremap(2)'s flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemapKind {
    pub may_move: bool,
    pub fixed: bool,
    pub keep: bool,
}

pub fn remap_kind(_flags: i32) -> Outcome<RemapKind> {
    none("mremap")
}

pub fn grow_here(_base: *mut u8, _old: usize, _new: usize) -> Outcome<()> {
    none("mremap")
}

pub fn map_twice(_base: *mut u8, _length: usize) -> Outcome<*mut u8> {
    none("mremap")
}

pub fn move_elsewhere(_base: *mut u8, _old: usize, _new: usize) -> Outcome<*mut u8> {
    none("mremap")
}
