//! Win32 error codes as the errno names that Node shows: libuv `src/win/error.c` (`uv_translate_sys_error`), with what mapping adds.

use windows_sys::Win32::Foundation as win32;

use crate::errno::code;

/// What `std` calls the system's error number is a Win32 code here.
pub fn errno_of(raw: i32) -> i32 {
    match raw as u32 {
        win32::ERROR_FILE_NOT_FOUND
        | win32::ERROR_PATH_NOT_FOUND
        | win32::ERROR_INVALID_NAME
        | win32::ERROR_INVALID_DRIVE
        | win32::ERROR_BAD_PATHNAME
        | win32::ERROR_DIRECTORY
        | win32::ERROR_MOD_NOT_FOUND => code::ENOENT,
        win32::ERROR_ACCESS_DENIED | win32::ERROR_PRIVILEGE_NOT_HELD => code::EPERM,
        win32::ERROR_NOACCESS | win32::ERROR_ELEVATION_REQUIRED | win32::ERROR_CANT_ACCESS_FILE => {
            code::EACCES
        }
        win32::ERROR_ALREADY_EXISTS | win32::ERROR_FILE_EXISTS => code::EEXIST,
        // Not in libuv's table: the file is longer in somebody's mapping than it is to become.
        win32::ERROR_USER_MAPPED_FILE
        | win32::ERROR_LOCK_VIOLATION
        | win32::ERROR_SHARING_VIOLATION
        | win32::ERROR_PIPE_BUSY => code::EBUSY,
        win32::ERROR_DISK_FULL
        | win32::ERROR_HANDLE_DISK_FULL
        | win32::ERROR_CANNOT_MAKE
        | win32::ERROR_DISK_QUOTA_EXCEEDED => code::ENOSPC,
        win32::ERROR_NOT_ENOUGH_MEMORY
        | win32::ERROR_OUTOFMEMORY
        | win32::ERROR_COMMITMENT_LIMIT
        | win32::ERROR_WORKING_SET_QUOTA => code::ENOMEM,
        win32::ERROR_TOO_MANY_OPEN_FILES => code::EMFILE,
        win32::ERROR_INVALID_HANDLE | win32::ERROR_INVALID_FLAGS => code::EBADF,
        win32::ERROR_FILENAME_EXCED_RANGE | win32::ERROR_BUFFER_OVERFLOW => code::ENAMETOOLONG,
        win32::ERROR_WRITE_PROTECT => code::EROFS,
        win32::ERROR_NOT_SAME_DEVICE => code::EXDEV,
        win32::ERROR_CANT_RESOLVE_FILENAME => code::ELOOP,
        win32::ERROR_NOT_SUPPORTED
        | win32::ERROR_CALL_NOT_IMPLEMENTED
        | win32::ERROR_INVALID_FUNCTION => code::ENOTSUP,
        win32::ERROR_CRC
        | win32::ERROR_IO_DEVICE
        | win32::ERROR_GEN_FAILURE
        | win32::ERROR_SECTOR_NOT_FOUND => code::EIO,
        win32::ERROR_INVALID_PARAMETER
        | win32::ERROR_INVALID_DATA
        | win32::ERROR_FILE_INVALID
        | win32::ERROR_MAPPED_ALIGNMENT => code::EINVAL,
        // Ours already, or unknown: then Node shows UNKNOWN.
        _ => raw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_of_libuv() {
        assert_eq!(errno_of(2), code::ENOENT);
        assert_eq!(errno_of(5), code::EPERM);
        assert_eq!(errno_of(1224), code::EBUSY);
        assert_eq!(errno_of(112), code::ENOSPC);
        assert_eq!(errno_of(code::ENOENT), code::ENOENT);
    }
}
