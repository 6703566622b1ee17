//! Named sections.

use std::ffi::CStr;

use super::{File, Outcome};
use crate::errno::code;
use crate::error::Fail;
use crate::os;

fn text(name: &CStr) -> Outcome<&str> {
    name.to_str()
        .map_err(|_| Fail::system(code::EINVAL, "shm_open"))
}

/// There is no call that gives a section as a descriptor of the C library's.
pub fn shm_open(_name: &CStr, _flags: i32, _mode: u32) -> Outcome<File> {
    Err(Fail::system(code::ENOTSUP, "shm_open"))
}

/// CreateFileMappingW. Rights are those of the user who makes it; there is no mode.
pub fn create(name: &CStr, length: u64, _mode: u32) -> Outcome<File> {
    os::create_section(Some(text(name)?), length).map_err(|fail| fail.at(name.to_str().ok()))
}

/// OpenFileMappingW.
pub fn open(name: &CStr, write: bool) -> Outcome<File> {
    os::open_section(text(name)?, write).map_err(|fail| fail.at(name.to_str().ok()))
}

/// A name goes with the last handle of its section, and nothing takes it away before: this only says whether it is there.
pub fn shm_unlink(name: &CStr) -> Outcome<()> {
    match open(name, false) {
        Err(fail) if fail.errno() == Some(code::ENOENT) => {
            Err(Fail::system(code::ENOENT, "shm_unlink").at(name.to_str().ok()))
        }
        _ => Ok(()),
    }
}

/// The sections of this session.
pub fn list() -> Outcome<Vec<String>> {
    os::section_names()
}
