//! sysconf(3): limits and sizes of the system.
#![allow(unsafe_code, reason = "system calls")]

use crate::error::Outcome;

/// The value of `name` (a `_SC_` constant); `None` where the system sets no limit or lacks the facility. A name that it does not know is `EINVAL`.
#[cfg(unix)]
pub fn sysconf(name: i32) -> Outcome<Option<i64>> {
    use crate::error::Fail;

    // A C long is narrower on some systems, and the same type on others.
    fn wide(value: impl Into<i64>) -> i64 {
        value.into()
    }
    // "If the result is indeterminate, -1 is returned and errno is not changed" (POSIX): so it must be known before.
    // SAFETY: the pointer is to this thread's errno, which lives as long as the thread.
    unsafe { *errno() = 0 };
    // SAFETY: sysconf takes any number and touches no memory of ours.
    let value = unsafe { libc::sysconf(name) };
    if value != -1 {
        return Ok(Some(wide(value)));
    }
    // SAFETY: as above.
    match unsafe { *errno() } {
        0 => Ok(None),
        number => Err(Fail::system(number, "sysconf")),
    }
}

#[cfg(target_os = "linux")]
unsafe fn errno() -> *mut libc::c_int {
    // SAFETY: it only returns an address.
    unsafe { libc::__errno_location() }
}

#[cfg(target_os = "android")]
unsafe fn errno() -> *mut libc::c_int {
    // SAFETY: it only returns an address.
    unsafe { libc::__errno() }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
unsafe fn errno() -> *mut libc::c_int {
    // SAFETY: it only returns an address.
    unsafe { libc::__error() }
}

/// Windows has no sysconf.
#[cfg(not(unix))]
pub fn sysconf(_name: i32) -> Outcome<Option<i64>> {
    Err(crate::error::Fail::system(
        crate::errno::code::ENOTSUP,
        "sysconf",
    ))
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "in a test the panic is the message")]
mod tests {
    use super::*;
    use crate::errno::code;

    #[test]
    fn the_page_size_is_the_one_that_mappings_use() {
        let size = sysconf(libc::_SC_PAGESIZE).unwrap().unwrap();
        assert_eq!(usize::try_from(size).unwrap(), crate::os::page_size());
    }

    #[test]
    fn a_name_that_no_system_has_is_einval() {
        assert_eq!(sysconf(1_000_000).unwrap_err().errno(), Some(code::EINVAL));
    }

    /// Whatever an earlier call left in errno must not turn "no limit" into an error.
    #[test]
    fn an_old_errno_is_not_taken_for_a_failure() {
        std::fs::metadata("/there is no such file").unwrap_err();
        let without_limit = (0..200)
            .filter_map(|name| sysconf(name).ok())
            .filter(Option::is_none)
            .count();
        assert!(
            without_limit > 0,
            "some names have no limit on every system"
        );
    }
}
