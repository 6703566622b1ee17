//! As users of the system find it: real objects, real seals.
#![allow(unsafe_code, reason = "system calls that a test asks with")]

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
