//! System V shared memory: ftok(3), shmget(2), shmat(2), shmdt(2), shmctl(2); overview in sysvipc(7).
//!
//! A segment has a number (`id`) and perhaps a key, by which other programs find it. It lives until `remove` **and** the last detach, also
//! when every process is gone: `ipcs -m` shows what was left behind. Android kills a process that calls shmget: there, as on Windows, nothing
//! is ever called and all is `ENOTSUP`.
#![allow(unsafe_code, reason = "system calls")]

use crate::error::Outcome;

#[cfg(all(test, unix, not(target_os = "android")))]
pub use calls::attach;
pub use calls::{attach_at, change, control, ftok, remove, shmget, stat};

/// shmctl(`IPC_STAT`), in numbers that are the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The key of shmget; 0 (`IPC_PRIVATE`) for none, also on Linux once the segment is removed.
    pub key: i64,
    /// The length that shmget was given, in bytes.
    pub length: u64,
    /// Who owns it.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// Who made it.
    pub creator_uid: u32,
    /// The maker's group.
    pub creator_gid: u32,
    /// Permission bits; on Linux also `SHM_DEST` and `SHM_LOCKED`.
    pub mode: u32,
    /// The process that made it.
    pub creator: i32,
    /// The process that attached or detached it last; 0: none yet.
    pub last: i32,
    /// How often it is attached now, in all processes.
    pub attached: u64,
    /// Seconds since 1970; 0: never.
    pub attach_time: i64,
    /// Seconds since 1970; 0: never.
    pub detach_time: i64,
    /// When it was made or changed last, in seconds since 1970.
    pub change_time: i64,
}

/// What shmctl(`IPC_SET`) can change; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(
    not(all(unix, not(target_os = "android"))),
    allow(dead_code, reason = "there are no segments to change")
)]
pub struct Change {
    /// The new owner.
    pub uid: Option<u32>,
    /// The new owner's group.
    pub gid: Option<u32>,
    /// The new permission bits (the low nine).
    pub mode: Option<u32>,
}

/// A segment in this process's address space; detached when dropped.
#[derive(Debug)]
pub struct Attachment {
    base: *mut u8,
    length: usize,
}

// SAFETY: an address range belongs to the process, not to a thread; what lies in it is only touched by those who know that others write there.
unsafe impl Send for Attachment {}
// SAFETY: as above; the methods only return numbers.
unsafe impl Sync for Attachment {}

impl Attachment {
    #[cfg(test)]
    /// The first byte; page-aligned.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    #[cfg(test)]
    /// The segment's length in bytes, not rounded to pages.
    pub fn len(&self) -> usize {
        self.length
    }

    /// The range, which the caller detaches from now on.
    pub fn into_range(self) -> (*mut u8, usize) {
        let this = std::mem::ManuallyDrop::new(self);
        (this.base, this.length)
    }

    #[cfg(test)]
    /// shmdt(2), with its error. The pages are gone afterwards: whoever kept `base` must not use it.
    pub fn detach(self) -> Outcome<()> {
        let base = std::mem::ManuallyDrop::new(self).base;
        calls::shmdt(base)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        // It fails only for an address where nothing is attached: then there is nothing to do.
        let _ = calls::shmdt(self.base);
    }
}

#[cfg(all(unix, not(target_os = "android")))]
mod calls {
    use std::ffi::CString;
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use super::{Attachment, Change, Outcome, Status};
    use crate::errno::code;
    use crate::error::Fail;

    /// shmat(2) with this bit replaces what is mapped: that is the reservation's part here.
    #[cfg(target_os = "linux")]
    const REMAP: i32 = libc::SHM_REMAP;
    /// sys/shm.h: `SHM_REMAP`, which the libc crate lacks.
    #[cfg(target_os = "freebsd")]
    const REMAP: i32 = 0o30000;
    #[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
    const REMAP: i32 = 0;

    /// A key from an existing file and the low 8 bits of `id`, the same that C programs get for them.
    pub fn ftok(path: &Path, id: i32) -> Outcome<i64> {
        let text = CString::new(path.as_os_str().as_bytes())
            .map_err(|_| Fail::system(code::EINVAL, "ftok"))?;
        // SAFETY: `text` is NUL-terminated and outlives the call.
        let key = unsafe { libc::ftok(text.as_ptr(), id) };
        // The key of some files *is* -1 (inode ...ffff on device ff with id ff): those that exist are no error.
        if key == -1 {
            std::fs::metadata(path).map_err(|error| Fail::io(&error, "ftok").at(path.to_str()))?;
        }
        Ok(key_number(key))
    }

    /// `key_t` has 32 bits, or 64 on FreeBSD.
    fn key_number(key: libc::key_t) -> i64 {
        #[allow(clippy::useless_conversion, reason = "of 64 bits on FreeBSD")]
        key.into()
    }

    /// The number of the segment with this key, or of a new one. `flags`: permission bits, `IPC_CREAT`, `IPC_EXCL`, `SHM_` flags.
    pub fn shmget(key: i64, length: usize, flags: i32) -> Outcome<i32> {
        // A long there, of which ftok(3) leaves the upper half empty.
        #[cfg(target_os = "freebsd")]
        let key = libc::key_t::from(key as u32);
        #[cfg(not(target_os = "freebsd"))]
        let key = libc::key_t::try_from(key).map_err(|_| Fail::system(code::EINVAL, "shmget"))?;
        // SAFETY: shmget takes numbers and touches no memory of ours.
        let id = unsafe { libc::shmget(key, length, flags) };
        if id < 0 {
            Err(Fail::last("shmget"))
        } else {
            Ok(id)
        }
    }

    /// Maps the segment where the kernel likes. `flags`: `SHM_RDONLY`, `SHM_EXEC`.
    #[cfg(test)]
    pub fn attach(id: i32, flags: i32) -> Outcome<Attachment> {
        attach_at(id, 0, flags)
    }

    /// Maps the segment where the kernel likes (0), or at an address where nothing is. `flags`: `SHM_RDONLY`, `SHM_EXEC`, `SHM_RND`.
    pub fn attach_at(id: i32, address: usize, flags: i32) -> Outcome<Attachment> {
        // SAFETY: without SHM_REMAP the kernel replaces nothing that is mapped (shmat(2): EINVAL).
        let base = unsafe { libc::shmat(id, address as *const _, flags & !REMAP) };
        if base as isize == -1 {
            return Err(Fail::last("shmat"));
        }
        let mut attachment = Attachment {
            base: base.cast(),
            length: 0,
        };
        // Asked only now: attached, the segment cannot vanish and leave its number to another one. If this fails, the drop detaches.
        attachment.length = usize::try_from(stat(id)?.length)
            .map_err(|_| Fail::system(code::EOVERFLOW, "shmat"))?;
        Ok(attachment)
    }

    pub fn shmdt(base: *mut u8) -> Outcome<()> {
        // SAFETY: `base` came from shmat, and its `Attachment` is being given up: nobody may use the pages any more.
        if unsafe { libc::shmdt(base.cast_const().cast()) } < 0 {
            Err(Fail::last("shmdt"))
        } else {
            Ok(())
        }
    }

    fn raw_stat(id: i32) -> Outcome<libc::shmid_ds> {
        let mut data = MaybeUninit::<libc::shmid_ds>::zeroed();
        // SAFETY: IPC_STAT writes one shmid_ds to the pointer, which is valid for it.
        if unsafe { libc::shmctl(id, libc::IPC_STAT, data.as_mut_ptr()) } < 0 {
            return Err(Fail::last("shmctl"));
        }
        // SAFETY: the kernel has filled it; what it did not write is zero, which is a value of every field.
        Ok(unsafe { data.assume_init() })
    }

    /// shmctl(`IPC_STAT`).
    pub fn stat(id: i32) -> Outcome<Status> {
        // The C types differ from system to system; all of them are integers that fit.
        fn wide(value: impl Into<i64>) -> i64 {
            value.into()
        }
        fn bits(value: impl Into<u32>) -> u32 {
            value.into()
        }
        fn count(value: impl TryInto<u64>) -> u64 {
            value.try_into().unwrap_or(0)
        }
        let data = raw_stat(id)?;
        let owner = data.shm_perm;
        // The libc crate names it differently for each C library; it is the first field of all of them.
        #[cfg(target_os = "linux")]
        // SAFETY: `struct ipc_perm` begins with its key_t on Linux, whose kernel fills it, and `owner` lives on this stack.
        let key = unsafe { (&raw const owner).cast::<libc::key_t>().read() };
        #[cfg(target_vendor = "apple")]
        let key = owner._key;
        #[cfg(target_os = "freebsd")]
        let key = owner.key;
        Ok(Status {
            key: wide(key),
            length: count(data.shm_segsz),
            uid: owner.uid,
            gid: owner.gid,
            creator_uid: owner.cuid,
            creator_gid: owner.cgid,
            mode: bits(owner.mode),
            creator: data.shm_cpid,
            last: data.shm_lpid,
            attached: count(data.shm_nattch),
            attach_time: wide(data.shm_atime),
            detach_time: wide(data.shm_dtime),
            change_time: wide(data.shm_ctime),
        })
    }

    /// shmctl(`IPC_SET`). Only the owner, the maker and root may: `EPERM` for others.
    pub fn change(id: i32, to: Change) -> Outcome<()> {
        // IPC_SET sets all three, so what stays must be what is there.
        let mut data = raw_stat(id)?;
        data.shm_perm.uid = to.uid.unwrap_or(data.shm_perm.uid);
        data.shm_perm.gid = to.gid.unwrap_or(data.shm_perm.gid);
        if let Some(mode) = to.mode {
            data.shm_perm.mode = (mode & 0o777) as _;
        }
        // SAFETY: IPC_SET reads one shmid_ds, which lives on this stack.
        if unsafe { libc::shmctl(id, libc::IPC_SET, &raw mut data) } < 0 {
            Err(Fail::last("shmctl"))
        } else {
            Ok(())
        }
    }

    /// shmctl(2) with a command that takes no structure: `SHM_LOCK`, `SHM_UNLOCK`. Those that take one are the functions beside this one.
    #[cfg(target_os = "linux")]
    pub fn control(id: i32, command: i32) -> Outcome<()> {
        if !matches!(command, libc::SHM_LOCK | libc::SHM_UNLOCK) {
            return Err(Fail::system(code::EINVAL, "shmctl"));
        }
        // SAFETY: these commands read no structure.
        if unsafe { libc::shmctl(id, command, std::ptr::null_mut()) } < 0 {
            Err(Fail::last("shmctl"))
        } else {
            Ok(())
        }
    }

    /// Locking segments is Linux's.
    #[cfg(not(target_os = "linux"))]
    pub fn control(_id: i32, _command: i32) -> Outcome<()> {
        Err(Fail::system(code::EINVAL, "shmctl"))
    }

    /// shmctl(`IPC_RMID`): no process finds it any more; the memory goes with the last detach.
    pub fn remove(id: i32) -> Outcome<()> {
        // SAFETY: IPC_RMID reads no structure.
        if unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) } < 0 {
            Err(Fail::last("shmctl"))
        } else {
            Ok(())
        }
    }
}

#[cfg(not(all(unix, not(target_os = "android"))))]
mod calls {
    use std::path::Path;

    use super::{Attachment, Change, Outcome, Status};
    use crate::errno::code;
    use crate::error::Fail;

    fn none<T>(syscall: &'static str) -> Outcome<T> {
        Err(Fail::system(code::ENOTSUP, syscall))
    }

    pub fn ftok(_path: &Path, _id: i32) -> Outcome<i64> {
        none("ftok")
    }

    pub fn shmget(_key: i64, _length: usize, _flags: i32) -> Outcome<i32> {
        none("shmget")
    }

    pub fn attach_at(_id: i32, _address: usize, _flags: i32) -> Outcome<Attachment> {
        none("shmat")
    }

    pub fn control(_id: i32, _command: i32) -> Outcome<()> {
        none("shmctl")
    }

    pub fn shmdt(_base: *mut u8) -> Outcome<()> {
        none("shmdt")
    }

    pub fn stat(_id: i32) -> Outcome<Status> {
        none("shmctl")
    }

    pub fn change(_id: i32, _to: Change) -> Outcome<()> {
        none("shmctl")
    }

    pub fn remove(_id: i32) -> Outcome<()> {
        none("shmctl")
    }
}

#[cfg(all(test, unix, not(target_os = "android")))]
#[allow(clippy::unwrap_used, reason = "in a test the panic is the message")]
#[path = "sysv_tests.rs"]
mod tests;
