//! `memfd_create(2)`, and rights that are taken away for ever: `F_ADD_SEALS` of fcntl(2).
#![allow(unsafe_code, reason = "system calls")]

use std::ffi::CStr;
use std::os::fd::{AsRawFd, FromRawFd};

use super::{File, Outcome};
use crate::errno::code;
use crate::error::Fail;

/// Memory without a name; `name` is only for /proc. `flags`: `MFD_` constants.
///
/// The call is made by number: glibc 2.17, which the binaries must still load on, has no function for it.
pub fn memfd_create(name: &CStr, flags: u32) -> Outcome<File> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // SAFETY: `name` is NUL-terminated and outlives the call.
    let fd = unsafe { libc::syscall(libc::SYS_memfd_create, name.as_ptr(), flags) };
    #[cfg(target_os = "freebsd")]
    // SAFETY: as above.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), flags) };
    if fd < 0 {
        return Err(translate(Fail::last("memfd_create"), flags));
    }
    // SAFETY: the descriptor is new and nobody else owns it.
    Ok(unsafe { File::from_raw_fd(fd as i32) })
}

/// Kernels before 3.17 answer ENOSYS and old containers EPERM to a call that they do not know. Only huge pages give a true EPERM.
fn translate(fail: Fail, flags: u32) -> Fail {
    match fail.errno() {
        Some(libc::ENOSYS) => Fail::system(code::ENOTSUP, "memfd_create"),
        Some(libc::EPERM) if flags & libc::MFD_HUGETLB == 0 => {
            Fail::system(code::ENOTSUP, "memfd_create")
        }
        _ => fail,
    }
}

/// fcntl(`F_ADD_SEALS`). `F_SEAL_WRITE` while somebody has the file mapped writable is `EBUSY`; `F_SEAL_FUTURE_WRITE` is not.
pub fn add_seals(file: &File, seals: i32) -> Outcome<()> {
    // SAFETY: fcntl on an open descriptor, with a number.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } < 0 {
        return Err(Fail::last("fcntl"));
    }
    Ok(())
}

/// fcntl(`F_GET_SEALS`). A file that cannot have seals is `EINVAL`.
pub fn seals(file: &File) -> Outcome<i32> {
    // SAFETY: fcntl on an open descriptor.
    let seals = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) };
    if seals < 0 {
        Err(Fail::last("fcntl"))
    } else {
        Ok(seals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_the_system_does_not_know_is_enotsup_and_missing_rights_to_huge_pages_are_eperm()
    {
        let errno = |number, flags| translate(Fail::system(number, "memfd_create"), flags).errno();
        assert_eq!(errno(libc::ENOSYS, 0), Some(code::ENOTSUP));
        assert_eq!(errno(libc::EPERM, libc::MFD_CLOEXEC), Some(code::ENOTSUP));
        assert_eq!(errno(libc::EPERM, libc::MFD_HUGETLB), Some(code::EPERM));
        assert_eq!(errno(libc::EMFILE, 0), Some(code::EMFILE));
    }
}
