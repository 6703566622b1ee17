//! `shm_open(3)`, `shm_unlink(3)`, `memfd_create(2)` and file seals (fcntl(2)): shared memory with the face of a file. On Windows: sections.
//!
//! Names arrive here checked (one leading slash, no other, no NUL, not too long): that is TypeScript's part, whose errors name the argument.
//! What a system lacks is `ENOTSUP` under the name of its call.
#![allow(unsafe_code, reason = "system calls")]

use std::fs::File;

use crate::error::Outcome;

pub use calls::{create, list, open, shm_open, shm_unlink};
pub use nameless::nameless;
pub use sealed::{add_seals, memfd_create, seals};

/// POSIX shared memory; Android's C library has none, Windows names sections.
#[cfg(all(unix, not(target_os = "android")))]
mod calls {
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
    pub fn shm_unlink(name: &CStr) -> Outcome<()> {
        // SAFETY: `name` is NUL-terminated and outlives the call.
        if unsafe { libc::shm_unlink(name.as_ptr()) } < 0 {
            return Err(Fail::last("shm_unlink").at(name.to_str().ok()));
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
}

#[cfg(windows)]
mod calls {
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
}

#[cfg(not(any(windows, all(unix, not(target_os = "android")))))]
mod calls {
    use std::ffi::CStr;

    use super::{File, Outcome};
    use crate::errno::code;
    use crate::error::Fail;

    pub fn create(_name: &CStr, _length: u64, _mode: u32) -> Outcome<File> {
        Err(Fail::system(code::ENOTSUP, "shm_open"))
    }

    pub fn open(_name: &CStr, _write: bool) -> Outcome<File> {
        Err(Fail::system(code::ENOTSUP, "shm_open"))
    }

    pub fn shm_open(_name: &CStr, _flags: i32, _mode: u32) -> Outcome<File> {
        Err(Fail::system(code::ENOTSUP, "shm_open"))
    }

    pub fn shm_unlink(_name: &CStr) -> Outcome<()> {
        Err(Fail::system(code::ENOTSUP, "shm_unlink"))
    }

    pub fn list() -> Outcome<Vec<String>> {
        Err(Fail::system(code::ENOTSUP, "shm_list"))
    }
}

/// Memory that has no name.
mod nameless {
    use super::{File, Outcome};

    /// memfd_create(2), of no size yet.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    pub fn nameless(_length: u64) -> Outcome<File> {
        super::memfd_create(c"memmap", libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)
    }

    /// shm_open(3) under a name that nobody else has, which is taken away at once. Of no size yet.
    #[cfg(target_vendor = "apple")]
    pub fn nameless(_length: u64) -> Outcome<File> {
        use std::sync::atomic::{AtomicU32, Ordering};
        use std::time::{SystemTime, UNIX_EPOCH};

        use crate::errno::code;

        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            // Of at most 31 bytes: PSHMNAMLEN.
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let name = format!(
                "/mm{:x}.{:x}.{:x}",
                std::process::id(),
                NEXT.fetch_add(1, Ordering::Relaxed),
                now.map_or(0, |now| now.subsec_nanos())
            );
            let name = std::ffi::CString::new(name).unwrap_or_default();
            match super::create(&name, 0, 0o600) {
                Err(fail) if fail.errno() == Some(code::EEXIST) => {}
                made => {
                    let file = made?;
                    super::shm_unlink(&name)?;
                    return Ok(file);
                }
            }
        }
    }

    /// A section: for the threads of this process, as no descriptor of the C library's can stand for it.
    #[cfg(windows)]
    pub fn nameless(length: u64) -> Outcome<File> {
        crate::os::create_section(None, length.max(1))
    }

    /// None.
    #[cfg(not(any(
        windows,
        target_vendor = "apple",
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd"
    )))]
    pub fn nameless(_length: u64) -> Outcome<File> {
        super::memfd_create(c"memmap", 0)
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod sealed {
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
            let errno =
                |number, flags| translate(Fail::system(number, "memfd_create"), flags).errno();
            assert_eq!(errno(libc::ENOSYS, 0), Some(code::ENOTSUP));
            assert_eq!(errno(libc::EPERM, libc::MFD_CLOEXEC), Some(code::ENOTSUP));
            assert_eq!(errno(libc::EPERM, libc::MFD_HUGETLB), Some(code::EPERM));
            assert_eq!(errno(libc::EMFILE, 0), Some(code::EMFILE));
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
mod sealed {
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
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "in a test the panic is the message")]
mod tests {
    use std::ffi::{CStr, CString};
    use std::io::{Read, Seek, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::PermissionsExt;

    use memmap2::{MmapOptions, MmapRaw};

    use super::*;
    use crate::errno::code;

    const CREATE: i32 = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;

    /// A name that no other test has, unlinked at the end however the test ends.
    struct Name(CString);

    impl Name {
        fn new(test: &str) -> Self {
            Self(CString::new(format!("/memmap-cargo-{}-{test}", std::process::id())).unwrap())
        }

        fn listed(&self) -> bool {
            list()
                .unwrap()
                .iter()
                .any(|name| name.as_bytes() == self.0.as_bytes())
        }
    }

    impl Drop for Name {
        fn drop(&mut self) {
            let _ = shm_unlink(&self.0);
        }
    }

    fn memfd(flags: u32) -> File {
        memfd_create(c"memmap-test", flags | libc::MFD_CLOEXEC).unwrap()
    }

    fn errno<T>(outcome: Outcome<T>) -> Option<i32> {
        outcome.err().and_then(|fail| fail.errno())
    }

    fn is_cloexec(file: &File) -> bool {
        // SAFETY: fcntl on an open descriptor.
        unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFD) & libc::FD_CLOEXEC != 0 }
    }

    #[test]
    fn what_one_descriptor_writes_the_other_reads_until_the_name_is_gone() {
        let name = Name::new("share");
        let mut writer = shm_open(&name.0, CREATE, 0o700).unwrap();
        writer.write_all(b"shared").unwrap();
        let mut text = String::new();
        shm_open(&name.0, libc::O_RDONLY, 0)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "shared");
        assert_eq!(
            writer.metadata().unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert!(is_cloexec(&writer));

        shm_unlink(&name.0).unwrap();
        assert_eq!(
            errno(shm_open(&name.0, libc::O_RDONLY, 0)),
            Some(code::ENOENT)
        );
        writer.rewind().unwrap();
        text.clear();
        writer.read_to_string(&mut text).unwrap();
        assert_eq!(text, "shared", "the memory outlives its name");
    }

    #[test]
    fn a_name_is_created_once_and_unlinked_once() {
        let name = Name::new("once");
        let first = shm_open(&name.0, CREATE, 0o600).unwrap();
        assert_eq!(errno(shm_open(&name.0, CREATE, 0o600)), Some(code::EEXIST));
        shm_unlink(&name.0).unwrap();
        assert_eq!(errno(shm_unlink(&name.0)), Some(code::ENOENT));
        drop(first);
    }

    #[test]
    fn the_kernel_s_limit_of_names_is_enametoolong() {
        let long = CString::new(format!("/{}", "n".repeat(256))).unwrap();
        assert_eq!(
            errno(shm_open(&long, CREATE, 0o600)),
            Some(code::ENAMETOOLONG)
        );
    }

    #[test]
    fn the_list_has_the_objects_that_are_there_and_no_semaphores() {
        let name = Name::new("list");
        assert!(!name.listed());
        drop(shm_open(&name.0, CREATE, 0o600).unwrap());
        assert!(name.listed());
        shm_unlink(&name.0).unwrap();
        assert!(!name.listed());

        let semaphore =
            Name(CString::new(format!("/sem.memmap-cargo-{}", std::process::id())).unwrap());
        drop(shm_open(&semaphore.0, CREATE, 0o600).unwrap());
        assert!(!semaphore.listed());
    }

    #[test]
    fn a_memfd_is_memory_without_a_name() {
        let mut file = memfd(0);
        file.write_all(b"nameless").unwrap();
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "nameless");
        assert!(is_cloexec(&file));
        let link = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
        assert_eq!(link.to_str(), Some("/memfd:memmap-test (deleted)"));
    }

    #[test]
    fn unknown_flags_and_long_names_of_a_memfd_are_einval() {
        assert_eq!(errno(memfd_create(c"x", 1 << 20)), Some(code::EINVAL));
        let long = CString::new("n".repeat(250)).unwrap();
        assert_eq!(errno(memfd_create(&long, 0)), Some(code::EINVAL));
    }

    #[test]
    fn seals_hold_and_the_last_one_holds_the_others() {
        let mut file = memfd(libc::MFD_ALLOW_SEALING);
        assert_eq!(seals(&file).unwrap(), 0);
        file.set_len(4096).unwrap();
        add_seals(&file, libc::F_SEAL_SHRINK | libc::F_SEAL_GROW).unwrap();
        assert_eq!(
            file.set_len(0).unwrap_err().raw_os_error(),
            Some(code::EPERM)
        );
        assert_eq!(
            file.set_len(8192).unwrap_err().raw_os_error(),
            Some(code::EPERM)
        );
        add_seals(&file, libc::F_SEAL_WRITE | libc::F_SEAL_SEAL).unwrap();
        assert_eq!(
            file.write(b"x").unwrap_err().raw_os_error(),
            Some(code::EPERM)
        );
        assert_eq!(
            seals(&file).unwrap(),
            libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL
        );
        assert_eq!(
            errno(add_seals(&file, libc::F_SEAL_GROW)),
            Some(code::EPERM)
        );
    }

    #[test]
    fn a_memfd_that_was_not_made_for_seals_refuses_them_and_a_file_has_none() {
        let file = memfd(0);
        assert_eq!(seals(&file).unwrap(), libc::F_SEAL_SEAL);
        assert_eq!(
            errno(add_seals(&file, libc::F_SEAL_SHRINK)),
            Some(code::EPERM)
        );
        // /proc cannot be sealed; a file of tmpfs can be.
        assert_eq!(
            errno(seals(&File::open("/proc/self/status").unwrap())),
            Some(code::EINVAL)
        );
    }

    #[test]
    fn a_live_writable_mapping_stops_the_write_seal_and_not_the_seal_on_future_writes() {
        let file = memfd(libc::MFD_ALLOW_SEALING);
        file.set_len(4096).unwrap();
        let pages = MmapOptions::new().map_raw(&file).unwrap();
        assert_eq!(
            errno(add_seals(&file, libc::F_SEAL_WRITE)),
            Some(code::EBUSY)
        );
        add_seals(&file, libc::F_SEAL_FUTURE_WRITE).unwrap();
        // SAFETY: one byte of a mapping that lives to the end of this test, and which only this test has.
        unsafe { pages.as_mut_ptr().write_volatile(7) };
        assert_eq!(
            MmapRaw::map_raw(&file).unwrap_err().raw_os_error(),
            Some(code::EPERM)
        );
        drop(pages);
        add_seals(&file, libc::F_SEAL_WRITE).unwrap();
    }

    #[test]
    fn a_failure_names_its_call_and_its_object() {
        let missing: &CStr = c"/memmap-cargo-nobody-made-this";
        let fail = format!("{:?}", shm_open(missing, libc::O_RDONLY, 0).unwrap_err());
        assert!(
            fail.contains("\"shm_open\"") && fail.contains("memmap-cargo-nobody-made-this"),
            "{fail}"
        );
    }
}
