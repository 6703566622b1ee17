//! What Linux, macOS, FreeBSD and Android share; where they differ, the difference is a function below.
#![allow(unsafe_code, reason = "system calls")]

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::OnceLock;

use super::{FileFacts, FileKind, OpenMode, Pages, offsets};
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::limit;

/// sysconf(_SC_PAGESIZE), in bytes.
pub fn page_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    let ask = || {
        // SAFETY: sysconf only reads a constant of the system.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(size).unwrap_or(4096)
    };
    *SIZE.get_or_init(ask)
}

/// What file offsets of mappings must be a multiple of: the page, on Unix.
pub fn allocation_granularity() -> usize {
    page_size()
}

/// The descriptor's number.
pub fn raw_fd(file: &File) -> i32 {
    file.as_raw_fd()
}

/// open(2). The second value says whether this call created the file.
///
/// `O_NONBLOCK`, because opening a FIFO would otherwise wait for its other end; it has no effect on what can be mapped.
pub fn open_path(path: &Path, mode: OpenMode) -> Outcome<(File, bool)> {
    let name = CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Fail::system(code::EINVAL, "open"))?;
    let base = libc::O_CLOEXEC
        | libc::O_NONBLOCK
        | libc::O_NOCTTY
        | if mode.write {
            libc::O_RDWR
        } else {
            libc::O_RDONLY
        };
    let Some(creation) = mode.create else {
        return open_raw(&name, base, 0).map(|file| (file, false));
    };
    let created = |name: &CString| {
        open_raw(name, base | libc::O_CREAT | libc::O_EXCL, creation).map(|file| (file, true))
    };
    if mode.exclusive {
        return created(&name);
    }
    // Plain O_CREAT would not tell whether the file is new, and a failure later must take a new file back. Whoever loses a race tries the other way.
    for _ in 0..64 {
        match open_raw(&name, base, 0) {
            Err(fail) if fail.errno() == Some(code::ENOENT) => {}
            opened => return opened.map(|file| (file, false)),
        }
        match created(&name) {
            // A dangling symbolic link: O_EXCL refuses it and plain open does not find its target.
            Err(fail) if fail.errno() == Some(code::EEXIST) && path.is_symlink() => {
                return open_raw(&name, base | libc::O_CREAT, creation).map(|file| (file, false));
            }
            Err(fail) if fail.errno() == Some(code::EEXIST) => {}
            opened => return opened,
        }
    }
    Err(Fail::system(code::EAGAIN, "open"))
}

fn open_raw(name: &CString, flags: i32, mode: u32) -> Outcome<File> {
    // SAFETY: `name` is a NUL-terminated string that outlives the call.
    let fd = retry(|| unsafe { libc::open(name.as_ptr(), flags | offsets::O_LARGEFILE, mode) });
    if fd < 0 {
        let fail = Fail::last("open");
        // A socket in the file system cannot be opened at all; to a caller it is as unmappable as a pipe.
        return Err(if fail.errno() == Some(libc::ENXIO) {
            Fail::system(code::ENODEV, "open")
        } else {
            fail
        });
    }
    // SAFETY: the descriptor is new and nobody else owns it.
    Ok(unsafe { File::from_raw_fd(fd) })
}

/// fcntl(F_DUPFD_CLOEXEC): the caller's descriptor stays the caller's.
pub fn duplicate(fd: i32) -> Outcome<File> {
    // SAFETY: fcntl on a number; a bad one is EBADF.
    let copy = retry(|| unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) });
    if copy < 0 {
        return Err(Fail::last("dup"));
    }
    // SAFETY: the descriptor is new and nobody else owns it.
    Ok(unsafe { File::from_raw_fd(copy) })
}

/// Whether the descriptor was opened for writing (fcntl F_GETFL).
pub fn is_writable(file: &File) -> bool {
    // SAFETY: fcntl on an open descriptor.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    flags >= 0 && (flags & libc::O_ACCMODE) != libc::O_RDONLY
}

/// fstat(2).
pub fn facts(file: &File) -> Outcome<FileFacts> {
    let meta = file.metadata().map_err(|error| Fail::io(&error, "fstat"))?;
    let kind = meta.file_type();
    let kind = if kind.is_file() || is_shared_memory(&meta) {
        FileKind::Regular
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_block_device() {
        FileKind::Block
    } else if kind.is_char_device() {
        FileKind::Character
    } else {
        FileKind::Stream
    };
    let size = match kind {
        FileKind::Block => block_size(file, meta.size()),
        FileKind::Character => 0,
        _ => meta.size(),
    };
    // Only file systems with blocks larger than a page are asked twice.
    let huge_page = if meta.blksize() > page_size() as u64 {
        super::huge_page_of(file)
    } else {
        None
    };
    Ok(FileFacts {
        kind,
        size,
        huge_page,
    })
}

/// xnu's `pshm_stat`: an object of shm_open(3) has the mode that it was created with, and no type.
#[cfg(target_vendor = "apple")]
fn is_shared_memory(meta: &std::fs::Metadata) -> bool {
    meta.mode() & u32::from(libc::S_IFMT) == 0
}

/// Elsewhere such an object is a regular file.
#[cfg(not(target_vendor = "apple"))]
fn is_shared_memory(_meta: &std::fs::Metadata) -> bool {
    false
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn block_size(file: &File, fallback: u64) -> u64 {
    // linux/fs.h BLKGETSIZE64 = _IOR(0x12, 114, size_t); lseek would move the offset that a duplicate shares.
    const BLKGETSIZE64: u64 = if cfg!(any(
        target_arch = "powerpc",
        target_arch = "powerpc64",
        target_arch = "mips",
        target_arch = "mips64"
    )) {
        0x4000_1272 | ((size_of::<usize>() as u64) << 16)
    } else {
        0x8000_1272 | ((size_of::<usize>() as u64) << 16)
    };
    let mut bytes: u64 = 0;
    // SAFETY: BLKGETSIZE64 writes one u64 to the pointer, which is valid for it.
    let status = unsafe {
        libc::ioctl(
            file.as_raw_fd(),
            BLKGETSIZE64 as _,
            std::ptr::from_mut(&mut bytes),
        )
    };
    if status == 0 { bytes } else { fallback }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn block_size(_file: &File, fallback: u64) -> u64 {
    fallback
}

/// pread(2) until the slice is full or the file ends; gives what it got.
pub fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> Outcome<usize> {
    use std::os::unix::fs::FileExt;
    let mut done = 0;
    while done < bytes.len() {
        match file.read_at(&mut bytes[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(got) => done += got,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Fail::io(&error, "read")),
        }
    }
    Ok(done)
}

fn check_limit(file: &File, length: u64, call: &'static str) -> Outcome<()> {
    // What is longer already may be cut.
    if limit::forbids(length) && facts(file)?.size < length {
        return Err(Fail::system(code::EFBIG, call));
    }
    Ok(())
}

/// ftruncate(2).
pub fn set_length(file: &File, length: u64) -> Outcome<()> {
    check_limit(file, length, "ftruncate")?;
    let length =
        offsets::off_t::try_from(length).map_err(|_| Fail::system(code::EFBIG, "ftruncate"))?;
    // SAFETY: ftruncate on an open descriptor.
    if retry(|| unsafe { offsets::ftruncate(file.as_raw_fd(), length) }) < 0 {
        return Err(Fail::last("ftruncate"));
    }
    Ok(())
}

/// Extends a file from `old` to `new` bytes with its blocks allocated, so that a full disk is an error here and not a fault later.
///
/// fallocate(2), not posix_fallocate(3): glibc emulates the latter by writing into every block, which races with writers of a mapping.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn allocate(file: &File, old: u64, new: u64) -> Outcome<()> {
    let (Ok(start), Ok(length)) = (
        libc::off64_t::try_from(old),
        libc::off64_t::try_from(new - old),
    ) else {
        return Err(Fail::system(code::EFBIG, "fallocate"));
    };
    check_limit(file, new, "fallocate")?;
    // SAFETY: fallocate on an open descriptor.
    if retry(|| unsafe { libc::fallocate64(file.as_raw_fd(), 0, start, length) }) == 0 {
        return Ok(());
    }
    let fail = Fail::last("fallocate");
    match fail.errno() {
        // The file system cannot allocate ahead (documented: not allocated there). Old containers answer EPERM to calls they do not know.
        Some(libc::EOPNOTSUPP | libc::ENOSYS) => set_length(file, new),
        Some(libc::EPERM) => set_length(file, new).map_err(|_| fail),
        _ => Err(fail),
    }
}

/// As above, by `F_PREALLOCATE` (fcntl(2) of macOS), then ftruncate; where the file system cannot, only ftruncate.
#[cfg(target_vendor = "apple")]
pub fn allocate(file: &File, old: u64, new: u64) -> Outcome<()> {
    let Ok(length) = libc::off_t::try_from(new - old) else {
        return Err(Fail::system(code::EFBIG, "fcntl"));
    };
    let mut store = libc::fstore_t {
        fst_flags: libc::F_ALLOCATEALL,
        fst_posmode: libc::F_PEOFPOSMODE,
        fst_offset: 0,
        fst_length: length,
        fst_bytesalloc: 0,
    };
    // SAFETY: F_PREALLOCATE reads and writes the structure, which lives on this stack.
    let status = unsafe {
        libc::fcntl(
            file.as_raw_fd(),
            libc::F_PREALLOCATE,
            std::ptr::from_mut(&mut store),
        )
    };
    if status < 0 {
        let fail = Fail::last("fcntl");
        if matches!(fail.errno(), Some(libc::ENOSPC | libc::EDQUOT | libc::EIO)) {
            return Err(fail);
        }
    }
    set_length(file, new)
}

/// As above, by posix_fallocate(2), which is a system call on FreeBSD; ZFS refuses it (EINVAL): only ftruncate there.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub fn allocate(file: &File, old: u64, new: u64) -> Outcome<()> {
    let (Ok(start), Ok(length)) = (libc::off_t::try_from(old), libc::off_t::try_from(new - old))
    else {
        return Err(Fail::system(code::EFBIG, "posix_fallocate"));
    };
    // SAFETY: posix_fallocate on an open descriptor; it returns the errno.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), start, length) } {
        0 => Ok(()),
        libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS => set_length(file, new),
        errno => Err(Fail::system(errno, "posix_fallocate")),
    }
}

/// Removes a file that a failed call created, unless the name stands for another file by now.
pub fn remove_if_same(path: &Path, file: &File) {
    if let (Ok(ours), Ok(there)) = (file.metadata(), path.symlink_metadata())
        && (ours.dev(), ours.ino()) == (there.dev(), there.ino())
    {
        let _ = std::fs::remove_file(path);
    }
}

/// msync(2) of whole pages.
pub fn sync_pages(pages: Pages, wait: bool, invalidate: bool) -> Outcome<()> {
    // FreeBSD does not take MS_ASYNC together with MS_INVALIDATE.
    let wait = wait || (invalidate && cfg!(target_os = "freebsd"));
    let flags = if wait { libc::MS_SYNC } else { libc::MS_ASYNC }
        | if invalidate { libc::MS_INVALIDATE } else { 0 };
    // SAFETY: the caller gives whole pages of a mapping that it keeps alive; msync changes no address space.
    if retry(|| unsafe { libc::msync(pages.base.cast(), pages.length, flags) }) < 0 {
        return Err(Fail::last("msync"));
    }
    Ok(())
}

/// fsync(2); on macOS fcntl(F_FULLFSYNC), as fsync there leaves data in the drive's cache.
pub fn sync_file(file: &File) -> Outcome<()> {
    #[cfg(target_vendor = "apple")]
    {
        // SAFETY: fcntl on an open descriptor.
        if retry(|| unsafe { libc::fcntl(file.as_raw_fd(), libc::F_FULLFSYNC) }) == 0 {
            return Ok(());
        }
        // File systems and objects that have no such call; what goes wrong with the disk must not become a weaker promise.
        let fail = Fail::last("fcntl");
        if !matches!(
            fail.errno(),
            Some(libc::ENOTSUP | libc::ENOTTY | libc::EINVAL | libc::ENODEV | libc::EBADF)
        ) {
            return Err(fail);
        }
    }
    // SAFETY: fsync on an open descriptor.
    if retry(|| unsafe { libc::fsync(file.as_raw_fd()) }) == 0 {
        return Ok(());
    }
    let fail = Fail::last("fsync");
    // Devices and special files have nothing to sync: fsync(2) names EINVAL and EROFS for them. XNU says ENOTSUP of shared memory.
    let is_object = cfg!(target_vendor = "apple") && fail.errno() == Some(libc::ENOTSUP);
    if is_object || matches!(fail.errno(), Some(libc::EINVAL | libc::EROFS)) {
        Ok(())
    } else {
        Err(fail)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) const NORESERVE: i32 = libc::MAP_NORESERVE;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) const NORESERVE: i32 = 0;

fn retry(mut call: impl FnMut() -> i32) -> i32 {
    loop {
        let status = call();
        if status >= 0 || std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return status;
        }
    }
}

/// What `std` calls the system's error number is the errno.
pub fn errno_of(raw: i32) -> i32 {
    raw
}
