//! One writer: a lock on a file that the kernel drops with its owner, however it dies.
#![allow(unsafe_code, reason = "flock(2)")]

use std::fs::File;
use std::io::Write;

use napi::Env;
use napi_derive::napi;

use crate::error::{Fail, Outcome};

/// An exclusive lock, held until `release()`, collection, or the death of the process.
#[napi]
pub struct NativeLock {
    file: Option<File>,
}

#[napi]
impl NativeLock {
    /// Takes the lock of a file, which is created where it is missing; `EBUSY` if anybody has it. The pid inside is for people.
    #[napi(factory)]
    pub fn acquire(env: &Env, path: String) -> napi::Result<Self> {
        let locked = acquire(&path).map_err(|fail| fail.at(Some(&path)).into_js(env))?;
        Ok(Self { file: Some(locked) })
    }

    /// Gives it back.
    #[napi]
    pub fn release(&mut self) {
        if let Some(file) = self.file.take() {
            unlock(&file);
        }
    }
}

fn acquire(path: &str) -> Outcome<File> {
    let mut file = open(path)?;
    // Only information, so a full disk is no reason to fail.
    let _ = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

/// flock(2) belongs to the open file description: another open of this process is refused too, and a child has no part in it (`O_CLOEXEC`).
#[cfg(unix)]
fn open(path: &str) -> Outcome<File> {
    use std::os::fd::AsRawFd;

    use crate::errno::code;

    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| Fail::io(&error, "open"))?;
    // SAFETY: flock on an open descriptor.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
        return Ok(file);
    }
    let fail = Fail::last("flock");
    Err(if matches!(fail.errno(), Some(libc::EWOULDBLOCK)) {
        Fail::system(code::EBUSY, "flock").hint("another writer has this log open")
    } else {
        fail
    })
}

/// A child that is being spawned at this moment has the descriptor too until its exec: closing ours would not be enough.
#[cfg(unix)]
fn unlock(file: &File) {
    use std::os::fd::AsRawFd;

    // SAFETY: flock on an open descriptor.
    unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_UN) };
}

/// Closing is enough.
#[cfg(not(unix))]
fn unlock(_file: &File) {}

/// A file that is open for writing and shared for reading alone cannot be opened for writing again. Whoever reads the pid in it is no reason to fail.
#[cfg(windows)]
fn open(path: &str) -> Outcome<File> {
    use std::os::windows::fs::OpenOptionsExt;

    use crate::errno::code;

    /// winerror.h
    const ERROR_SHARING_VIOLATION: i32 = 32;
    /// winnt.h
    const FILE_SHARE_READ: u32 = 1;
    let opened = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .share_mode(FILE_SHARE_READ)
        .open(path);
    opened.map_err(|error| match error.raw_os_error() {
        Some(ERROR_SHARING_VIOLATION) => {
            Fail::system(code::EBUSY, "CreateFile").hint("another writer has this log open")
        }
        _ => Fail::io(&error, "CreateFile"),
    })
}

#[cfg(not(any(unix, windows)))]
fn open(_path: &str) -> Outcome<File> {
    Err(Fail::system(crate::errno::code::ENOTSUP, "flock"))
}
