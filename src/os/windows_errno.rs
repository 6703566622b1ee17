//! Win32 error codes as the errno names that Node shows: libuv `src/win/error.c` (`uv_translate_sys_error`), with what mapping adds.

use windows_sys::Win32::Foundation as win32;

use crate::errno::code;

/// What `std` calls the system's error number is a Win32 code here.
pub fn errno_of(raw: i32) -> i32 {
    // Ours (libuv's, below 0) already.
    let Ok(error) = u32::try_from(raw) else {
        return raw;
    };
    match error {
        win32::ERROR_BAD_PATHNAME
        | win32::ERROR_DIRECTORY
        | win32::ERROR_FILE_NOT_FOUND
        | win32::ERROR_INVALID_DRIVE
        | win32::ERROR_INVALID_NAME
        | win32::ERROR_INVALID_REPARSE_DATA
        | win32::ERROR_MOD_NOT_FOUND
        | win32::ERROR_PATH_NOT_FOUND
        // Not in libuv's table: the server or the share of a UNC path.
        | win32::ERROR_BAD_NETPATH
        | win32::ERROR_BAD_NET_NAME => code::ENOENT,
        // What Node 20 to 26 say; later versions of libuv call ERROR_ACCESS_DENIED EACCES.
        win32::ERROR_ACCESS_DENIED | win32::ERROR_PRIVILEGE_NOT_HELD => code::EPERM,
        win32::ERROR_CANT_ACCESS_FILE | win32::ERROR_ELEVATION_REQUIRED | win32::ERROR_NOACCESS => {
            code::EACCES
        }
        win32::ERROR_ALREADY_EXISTS | win32::ERROR_FILE_EXISTS => code::EEXIST,
        win32::ERROR_LOCK_VIOLATION
        | win32::ERROR_PIPE_BUSY
        | win32::ERROR_SHARING_VIOLATION
        // Not in libuv's table: the file is longer in somebody's mapping than it is to become.
        | win32::ERROR_USER_MAPPED_FILE => code::EBUSY,
        win32::ERROR_CANNOT_MAKE
        | win32::ERROR_DISK_FULL
        | win32::ERROR_EA_TABLE_FULL
        | win32::ERROR_END_OF_MEDIA
        | win32::ERROR_HANDLE_DISK_FULL
        // Not in libuv's table.
        | win32::ERROR_DISK_QUOTA_EXCEEDED => code::ENOSPC,
        win32::ERROR_NOT_ENOUGH_MEMORY
        | win32::ERROR_OUTOFMEMORY
        // Not in libuv's table: address space, page file and working set.
        | win32::ERROR_COMMITMENT_LIMIT
        | win32::ERROR_NO_SYSTEM_RESOURCES
        | win32::ERROR_PAGEFILE_QUOTA
        | win32::ERROR_WORKING_SET_QUOTA => code::ENOMEM,
        win32::ERROR_TOO_MANY_OPEN_FILES => code::EMFILE,
        win32::ERROR_INVALID_FLAGS | win32::ERROR_INVALID_HANDLE => code::EBADF,
        win32::ERROR_FILENAME_EXCED_RANGE => code::ENAMETOOLONG,
        win32::ERROR_BUFFER_OVERFLOW => code::EFAULT,
        win32::ERROR_META_EXPANSION_TOO_LONG => code::E2BIG,
        win32::ERROR_WRITE_PROTECT => code::EROFS,
        win32::ERROR_NOT_SAME_DEVICE => code::EXDEV,
        win32::ERROR_CANT_RESOLVE_FILENAME => code::ELOOP,
        win32::ERROR_OPERATION_ABORTED => code::ECANCELED,
        win32::ERROR_SEM_TIMEOUT => code::ETIMEDOUT,
        win32::ERROR_BAD_PIPE
        | win32::ERROR_BROKEN_PIPE
        | win32::ERROR_NO_DATA
        | win32::ERROR_PIPE_NOT_CONNECTED => code::EPIPE,
        win32::ERROR_NOT_SUPPORTED
        // libuv: EISDIR, as read(2) of a directory. Here: a device or a file system that does not know a control code.
        | win32::ERROR_INVALID_FUNCTION
        | win32::ERROR_CALL_NOT_IMPLEMENTED => code::ENOTSUP,
        win32::ERROR_NOT_READY | win32::ERROR_BAD_UNIT => code::ENODEV,
        win32::ERROR_BEGINNING_OF_MEDIA
        | win32::ERROR_BUS_RESET
        | win32::ERROR_CRC
        | win32::ERROR_DEVICE_DOOR_OPEN
        | win32::ERROR_DEVICE_REQUIRES_CLEANING
        | win32::ERROR_DISK_CORRUPT
        | win32::ERROR_EOM_OVERFLOW
        | win32::ERROR_FILEMARK_DETECTED
        | win32::ERROR_GEN_FAILURE
        | win32::ERROR_INVALID_BLOCK_LENGTH
        | win32::ERROR_IO_DEVICE
        | win32::ERROR_NO_DATA_DETECTED
        | win32::ERROR_NO_SIGNAL_SENT
        | win32::ERROR_OPEN_FAILED
        | win32::ERROR_SETMARK_DETECTED
        | win32::ERROR_SIGNAL_REFUSED
        // Not in libuv's table (or a socket's there): a page could not be read from the disk or the share.
        | win32::ERROR_FILE_CORRUPT
        | win32::ERROR_NETNAME_DELETED
        | win32::ERROR_SECTOR_NOT_FOUND
        | win32::ERROR_SWAPERROR
        | win32::ERROR_UNEXP_NET_ERR => code::EIO,
        win32::ERROR_INSUFFICIENT_BUFFER
        | win32::ERROR_INVALID_DATA
        | win32::ERROR_INVALID_PARAMETER
        | win32::ERROR_SYMLINK_NOT_SUPPORTED
        // Not in libuv's table: mapping's own.
        | win32::ERROR_FILE_INVALID
        | win32::ERROR_INVALID_ADDRESS
        | win32::ERROR_MAPPED_ALIGNMENT => code::EINVAL,
        // Then Node shows UNKNOWN.
        _ => raw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_of_libuv() {
        for (error, errno) in [
            (2, code::ENOENT),
            (3, code::ENOENT),
            (4, code::EMFILE),
            (5, code::EPERM),
            (6, code::EBADF),
            (8, code::ENOMEM),
            (17, code::EXDEV),
            (19, code::EROFS),
            (23, code::EIO),
            (32, code::EBUSY),
            (50, code::ENOTSUP),
            (80, code::EEXIST),
            (87, code::EINVAL),
            (112, code::ENOSPC),
            (123, code::ENOENT),
            (183, code::EEXIST),
            (206, code::ENAMETOOLONG),
            (998, code::EACCES),
            (1117, code::EIO),
            (1314, code::EPERM),
        ] {
            assert_eq!(errno_of(error), errno, "{error}");
        }
    }

    #[test]
    fn what_mapping_adds_has_the_name_that_mmap_gives_it() {
        for (error, errno) in [
            (1006, code::EINVAL),
            (1132, code::EINVAL),
            (1224, code::EBUSY),
            (1450, code::ENOMEM),
            (1453, code::ENOMEM),
            (1455, code::ENOMEM),
        ] {
            assert_eq!(errno_of(error), errno, "{error}");
        }
    }

    #[test]
    fn an_errno_stays_what_it_is_and_the_unknown_stays_unknown() {
        assert_eq!(errno_of(code::ENOENT), code::ENOENT);
        assert!(crate::errno::describe(errno_of(12_345)).is_none());
    }
}
