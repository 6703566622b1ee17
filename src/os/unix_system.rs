//! Facts about this machine and its file systems.
#![allow(unsafe_code, reason = "system calls that fill structures of ours")]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

use super::Seal;

/// The default size of huge pages (`/proc/meminfo`), in bytes; the ordinary page where there are none.
pub fn huge_page_size() -> usize {
    number_of("/proc/meminfo", "Hugepagesize:").map_or_else(super::page_size, |kib| kib * 1024)
}

/// Memory that can be had without swapping (`MemAvailable` of `/proc/meminfo`), in bytes; unlimited where the system does not say.
pub fn free_memory() -> u64 {
    number_of("/proc/meminfo", "MemAvailable:").map_or(u64::MAX, |kib| kib as u64 * 1024)
}

fn number_of(file: &str, name: &str) -> Option<usize> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// fstatfs(2): type and block size.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn file_system(file: &File) -> Option<(u32, usize)> {
    // SAFETY: an all-zero statfs is a valid value of the structure.
    let mut facts: libc::statfs64 = unsafe { std::mem::zeroed() };
    // SAFETY: fstatfs fills the structure, which lives on this stack.
    let status = unsafe { libc::fstatfs64(file.as_raw_fd(), &raw mut facts) };
    // The type is a signed word on some systems and unsigned on others; all magic numbers have 32 bits.
    (status == 0).then_some((facts.f_type as u32, facts.f_bsize as usize))
}

/// The page size of a hugetlbfs file.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn huge_page_of(file: &File) -> Option<usize> {
    /// linux/magic.h
    const HUGETLBFS_MAGIC: u32 = 0x9584_58f6;
    match file_system(file) {
        Some((HUGETLBFS_MAGIC, page)) => Some(page),
        _ => None,
    }
}

/// The page size of a hugetlbfs file: Linux only.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn huge_page_of(_file: &File) -> Option<usize> {
    None
}

/// Whether a file can vanish under us: it lies on a network, FUSE or removable file system.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn may_vanish(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    // statfs(2) and linux/magic.h.
    const FOREIGN: [u32; 17] = [
        0x6969,      // NFS
        0x517b,      // SMB
        0xff53_4d42, // CIFS
        0xfe53_4d42, // SMB2
        0x6573_5546, // FUSE
        0x0102_1997, // 9P (v9fs)
        0x00c3_6400, // Ceph
        0x5346_414f, // AFS
        0x6b41_4653, // kAFS
        0x7375_7245, // Coda
        0x0bd0_0bd0, // Lustre
        0x564c,      // NCP
        0x4d44,      // FAT: memory cards and sticks
        0x2011_bab0, // exFAT
        0x9660,      // ISO 9660
        0x1501_3346, // UDF
        0x786f_4256, // VirtualBox shared folders
    ];
    file_system(file).is_some_and(|(magic, _)| FOREIGN.contains(&magic))
        || file.metadata().is_ok_and(|meta| is_removable(meta.dev()))
}

/// `/sys/dev/block/…/removable`, of the device or of the disk that its partition is on.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_removable(device: u64) -> bool {
    let (major, minor) = (libc::major(device), libc::minor(device));
    ["removable", "../removable"].iter().any(|name| {
        std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/{name}"))
            .is_ok_and(|text| text.trim() == "1")
    })
}

/// Whether a file can vanish under us: `MNT_LOCAL` and `MNT_REMOVABLE` of statfs(2).
#[cfg(target_vendor = "apple")]
pub fn may_vanish(file: &File) -> bool {
    /// sys/mount.h
    const MNT_REMOVABLE: u32 = 0x0000_0200;
    // SAFETY: an all-zero statfs is a valid value of the structure.
    let mut facts: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: fstatfs fills the structure, which lives on this stack.
    let status = unsafe { libc::fstatfs(file.as_raw_fd(), &raw mut facts) };
    status != 0 || facts.f_flags & libc::MNT_LOCAL as u32 == 0 || facts.f_flags & MNT_REMOVABLE != 0
}

/// Whether a file can vanish under us: `MNT_LOCAL` of statfs(2).
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub fn may_vanish(file: &File) -> bool {
    // SAFETY: an all-zero statfs is a valid value of the structure.
    let mut facts: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: fstatfs fills the structure, which lives on this stack.
    let status = unsafe { libc::fstatfs(file.as_raw_fd(), &raw mut facts) };
    status != 0 || facts.f_flags & libc::MNT_LOCAL == 0
}

/// dlsym(3) in everything that is loaded: the address of a function that only some versions of an engine have.
pub fn find_symbol(name: &std::ffi::CStr) -> Option<usize> {
    // SAFETY: `name` is a NUL-terminated string; RTLD_DEFAULT searches what is loaded and loads nothing.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address as usize)
}

/// Whether waits know a word of another process by its key (`futex::Key`), not by its page.
pub const WORDS_HAVE_KEYS: bool = false;

/// Device, inode and offset: the kernel finds a word by its page, and this process its own waits before the kernel knows them.
pub fn object_key(file: Option<&File>, _name: Option<&str>, offset: u64) -> crate::futex::Key {
    file.and_then(|file| file.metadata().ok())
        .map_or([0; 3], |facts| [facts.dev(), facts.ino(), offset])
}

/// Shared memory has descriptors here, which memmap2 maps as files.
pub fn map_section(
    _file: &File,
    _form: super::Form,
    _length: usize,
) -> Option<crate::error::Outcome<*mut u8>> {
    None
}

/// Their bits.
pub fn seal_bits(seals: &[Seal]) -> i32 {
    // linux/fcntl.h; libc names them for Linux only.
    let bit = |seal: &Seal| match seal {
        Seal::More => 1,
        Seal::Shrink => 2,
        Seal::Grow => 4,
        Seal::Write => 8,
        Seal::FutureWrite => 16,
    };
    seals.iter().map(bit).fold(0, |all, one| all | one)
}

/// The same file, through a description that cannot write.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn reopen_read_only(file: &File) -> crate::error::Outcome<File> {
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
        .map_err(|error| crate::error::Fail::io(&error, "open"))
}

/// As above: what is sealed has no path here, and /dev/fd gives the same description again.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn reopen_read_only(_file: &File) -> crate::error::Outcome<File> {
    Err(crate::error::Fail::system(
        crate::errno::code::ENOTSUP,
        "open",
    ))
}
