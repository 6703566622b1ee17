//! A system without named memory.

use std::ffi::CStr;

use super::{File, Outcome};
use crate::errno::code;
use crate::error::Fail;

pub fn create(_name: &CStr, _length: u64, _mode: u32) -> Outcome<File> {
    Err(Fail::system(code::ENOTSUP, "shm_open"))
}

pub fn open(_name: &CStr, _write: bool) -> Outcome<File> {
    Err(Fail::system(code::ENOTSUP, "shm_open"))
}

pub fn shm_open(_name: &CStr, _flags: i32, _mode: u32) -> Outcome<File> {
    Err(Fail::system(code::ENOTSUP, "shm_open"))
}

pub fn shm_unlink(_name: &CStr) -> Outcome<()> {
    Err(Fail::system(code::ENOTSUP, "shm_unlink"))
}

pub fn list() -> Outcome<Vec<String>> {
    Err(Fail::system(code::ENOTSUP, "shm_list"))
}
