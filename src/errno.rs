//! System error numbers as Node names them: `code`, libuv's message and libuv's `errno`.
//!
//! Sources: errno(3); libuv `include/uv.h` (`UV_ERRNO_MAP`) for names and messages, `include/uv/errno.h` for the numbers of systems without the errno.

/// One row of libuv's table.
pub struct Errno {
    /// `ENOENT`
    pub name: &'static str,
    /// libuv's text, as `util.getSystemErrorMessage` gives it.
    pub message: &'static str,
    /// What Node shows as `errno` (negative).
    pub uv: i32,
}

macro_rules! table {
    ($($name:ident $fallback:literal $message:literal,)*) => {
        /// The row of a system's errno, if libuv knows it.
        pub fn describe(errno: i32) -> Option<Errno> {
            $(
                if errno == code::$name {
                    return Some(Errno {
                        name: stringify!($name),
                        message: $message,
                        // libuv: the negated errno where the system has one, else a number of its own.
                        uv: if cfg!(unix) { -errno } else { $fallback },
                    });
                }
            )*
            None
        }

        /// The errno numbers of this system.
        #[cfg(unix)]
        pub mod code {
            $(#[allow(dead_code, reason = "one table for every system and every caller")] pub const $name: i32 = libc::$name;)*
        }

        /// Windows has no errno: libuv's own numbers stand for them.
        #[cfg(not(unix))]
        pub mod code {
            $(#[allow(dead_code, reason = "one table for every system and every caller")] pub const $name: i32 = $fallback;)*
        }
    };
}

table! {
    E2BIG -4093 "argument list too long",
    EACCES -4092 "permission denied",
    EAGAIN -4088 "resource temporarily unavailable",
    EBADF -4083 "bad file descriptor",
    EBUSY -4082 "resource busy or locked",
    ECANCELED -4081 "operation canceled",
    EEXIST -4075 "file already exists",
    EFAULT -4074 "bad address in system call argument",
    EFBIG -4036 "file too large",
    EINTR -4072 "interrupted system call",
    EINVAL -4071 "invalid argument",
    EIO -4070 "i/o error",
    EISDIR -4068 "illegal operation on a directory",
    ELOOP -4067 "too many symbolic links encountered",
    EMFILE -4066 "too many open files",
    ENAMETOOLONG -4064 "name too long",
    ENFILE -4061 "file table overflow",
    ENODEV -4059 "no such device",
    ENOENT -4058 "no such file or directory",
    ENOMEM -4057 "not enough memory",
    ENOSPC -4055 "no space left on device",
    ENOSYS -4054 "function not implemented",
    ENOTDIR -4052 "not a directory",
    ENOTSUP -4049 "operation not supported on socket",
    EOVERFLOW -4026 "value too large for defined data type",
    EPERM -4048 "operation not permitted",
    EPIPE -4047 "broken pipe",
    EROFS -4043 "read-only file system",
    ESPIPE -4042 "invalid seek",
    ESRCH -4040 "no such process",
    ETIMEDOUT -4039 "connection timed out",
    ETXTBSY -4038 "text file is busy",
    EXDEV -4037 "cross-device link not permitted",
    ENXIO -4033 "no such device or address",
    ERANGE -4034 "result too large",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_errno_has_node_s_name_message_and_number() {
        let row = describe(code::ENOENT).expect("ENOENT is in the table");
        assert_eq!(row.name, "ENOENT");
        assert_eq!(row.message, "no such file or directory");
        assert_eq!(row.uv, if cfg!(unix) { -code::ENOENT } else { -4058 });
    }

    #[test]
    fn an_unknown_errno_has_no_row() {
        assert!(describe(987_654).is_none());
    }
}
