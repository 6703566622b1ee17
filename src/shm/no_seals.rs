//! A system without either.

use std::ffi::CStr;

use super::{File, Outcome};
use crate::errno::code;
use crate::error::Fail;

pub fn memfd_create(_name: &CStr, _flags: u32) -> Outcome<File> {
    Err(Fail::system(code::ENOTSUP, "memfd_create"))
}

pub fn add_seals(_file: &File, _seals: i32) -> Outcome<()> {
    Err(Fail::system(code::ENOTSUP, "fcntl"))
}

pub fn seals(_file: &File) -> Outcome<i32> {
    Err(Fail::system(code::ENOTSUP, "fcntl"))
}
