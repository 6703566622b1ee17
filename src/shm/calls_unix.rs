//! POSIX shared memory: `shm_overview(7)`.
#![allow(unsafe_code, reason = "system calls")]

use std::ffi::CStr;
use std::os::fd::FromRawFd;

use super::{File, Outcome};
use crate::error::Fail;

/// `flags`: `O_RDONLY` or `O_RDWR`, with `O_CREAT`, `O_EXCL`, `O_TRUNC`. The descriptor is close-on-exec, as POSIX says.
pub fn shm_open(name: &CStr, flags: i32, mode: u32) -> Outcome<File> {
    // macOS declares it with `...`, where a mode is promoted to int.
    #[cfg(target_vendor = "apple")]
    let mode = libc::c_uint::from(mode);
    #[cfg(not(target_vendor = "apple"))]
    let mode = mode as libc::mode_t;
    loop {
        // SAFETY: `name` is NUL-terminated and outlives the call.
        let fd = unsafe { libc::shm_open(name.as_ptr(), flags, mode) };
        if fd >= 0 {
            // SAFETY: the descriptor is new and nobody else owns it.
            return Ok(unsafe { File::from_raw_fd(fd) });
        }
        let fail = Fail::last("shm_open");
        if fail.errno() != Some(libc::EINTR) {
            return Err(fail.at(name.to_str().ok()));
        }
    }
}

/// An object of no size yet, which must not be there. Where the size is part of the making, `length` is it.
pub fn create(name: &CStr, _length: u64, mode: u32) -> Outcome<File> {
    shm_open(
        name,
        libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC,
        mode,
    )
}

/// An object that is there.
pub fn open(name: &CStr, write: bool) -> Outcome<File> {
    let access = if write { libc::O_RDWR } else { libc::O_RDONLY };
    shm_open(name, access | libc::O_CLOEXEC, 0)
}

/// The name goes at once; the memory when the last mapping and descriptor of it are gone.
///
/// "EACCES: permission is denied to unlink" (POSIX). musl passes on what unlink(2) says of another's file in a sticky folder, EPERM.
pub fn shm_unlink(name: &CStr) -> Outcome<()> {
    // SAFETY: `name` is NUL-terminated and outlives the call.
    if unsafe { libc::shm_unlink(name.as_ptr()) } < 0 {
        let error = match std::io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::EPERM) => {
                std::io::Error::from_raw_os_error(libc::EACCES)
            }
            error => error,
        };
        return Err(Fail::io(&error, "shm_unlink").at(name.to_str().ok()));
    }
    Ok(())
}

/// The objects that there are, as names for `shm_open`, sorted. `shm_overview(7)`: on Linux they are the files of /dev/shm.
///
/// Named semaphores (`sem.*`, `sem_overview(7)`) lie there too and are left out, as is what no name of `shm_open` can mean.
#[cfg(target_os = "linux")]
pub fn list() -> Outcome<Vec<String>> {
    const FOLDER: &str = "/dev/shm";
    let failed = |error: &std::io::Error| Fail::io(error, "scandir").at(Some(FOLDER));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(FOLDER).map_err(|error| failed(&error))? {
        let entry = entry.map_err(|error| failed(&error))?;
        // One that went away meanwhile is no object any more.
        let regular = entry.file_type().is_ok_and(|kind| kind.is_file());
        if let (true, Ok(name)) = (regular, entry.file_name().into_string())
            && !name.starts_with("sem.")
        {
            names.push(format!("/{name}"));
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// macOS keeps its objects where nothing lists them; FreeBSD's are in a sysctl whose layout is not stable.
#[cfg(not(target_os = "linux"))]
pub fn list() -> Outcome<Vec<String>> {
    Err(Fail::system(crate::errno::code::ENOTSUP, "shm_list"))
}
