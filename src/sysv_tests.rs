//! Segments of our own, removed again: `ipcs` shows nothing afterwards.
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::*;
use crate::errno::code;

const PRIVATE: i64 = 0; // IPC_PRIVATE
const CREATE: i32 = libc::IPC_CREAT | libc::IPC_EXCL | 0o600;

/// Removed at the end however the test ends, so that `ipcs` shows nothing of ours.
struct Segment(i32);

impl Segment {
    fn new(key: i64, length: usize) -> Self {
        Self(shmget(key, length, CREATE).unwrap())
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        let _ = remove(self.0);
    }
}

fn errno<T>(outcome: Outcome<T>) -> Option<i32> {
    outcome.err().and_then(|fail| fail.errno())
}

/// Linux says EINVAL for a number that was never there, and EIDRM where its place has been taken since.
fn is_gone<T>(outcome: Outcome<T>) -> bool {
    matches!(errno(outcome), Some(libc::EINVAL | libc::EIDRM))
}

#[test]
fn two_attachments_are_the_same_memory() {
    let segment = Segment::new(PRIVATE, 10_000);
    let (one, two) = (
        attach(segment.0, 0).unwrap(),
        attach(segment.0, libc::SHM_RDONLY).unwrap(),
    );
    assert_ne!(one.base(), two.base());
    assert_eq!((one.len(), two.len()), (10_000, 10_000));
    // SAFETY: the last byte of two live attachments that only this test has.
    unsafe {
        one.base().add(9_999).write_volatile(42);
        assert_eq!(two.base().add(9_999).read_volatile(), 42);
    }
    assert_eq!(stat(segment.0).unwrap().attached, 2);
    one.detach().unwrap();
    drop(two);
    assert_eq!(stat(segment.0).unwrap().attached, 0);
}

#[test]
fn the_status_says_who_made_it_how_long_it_is_and_what_happened() {
    let segment = Segment::new(PRIVATE, 1);
    let fresh = stat(segment.0).unwrap();
    let pid = i32::try_from(std::process::id()).unwrap();
    assert_eq!(
        (
            fresh.key,
            fresh.length,
            fresh.mode & 0o777,
            fresh.creator,
            fresh.last
        ),
        (PRIVATE, 1, 0o600, pid, 0)
    );
    assert_eq!(
        (fresh.attached, fresh.attach_time, fresh.detach_time),
        (0, 0, 0)
    );
    // SAFETY: both only return numbers.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    assert_eq!(
        (fresh.uid, fresh.gid, fresh.creator_uid, fresh.creator_gid),
        (uid, gid, uid, gid)
    );
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert!(fresh.change_time.abs_diff(i64::try_from(now).unwrap()) < 60);

    attach(segment.0, 0).unwrap().detach().unwrap();
    let used = stat(segment.0).unwrap();
    assert_eq!(used.last, pid);
    assert!(used.attach_time >= fresh.change_time && used.detach_time >= used.attach_time);
}

#[test]
fn a_change_of_the_mode_leaves_the_owner_and_the_other_way_round() {
    let segment = Segment::new(PRIVATE, 1);
    let before = stat(segment.0).unwrap();
    change(
        segment.0,
        Change {
            mode: Some(0o100_640),
            ..Change::default()
        },
    )
    .unwrap();
    let after = stat(segment.0).unwrap();
    assert_eq!(
        (after.mode & 0o777, after.uid, after.gid),
        (0o640, before.uid, before.gid)
    );
    change(
        segment.0,
        Change {
            uid: Some(before.uid),
            gid: Some(before.gid),
            mode: None,
        },
    )
    .unwrap();
    assert_eq!(stat(segment.0).unwrap().mode & 0o777, 0o640);
}

#[test]
fn a_removed_segment_lives_until_the_last_detach() {
    let segment = Segment::new(PRIVATE, 4096);
    let attachment = attach(segment.0, 0).unwrap();
    remove(segment.0).unwrap();
    // SAFETY: the first byte of a live attachment that only this test has.
    unsafe {
        attachment.base().write_volatile(1);
        assert_eq!(attachment.base().read_volatile(), 1);
    }
    attachment.detach().unwrap();
    assert!(
        is_gone(stat(segment.0)) && is_gone(attach(segment.0, 0)) && is_gone(remove(segment.0))
    );
    assert!(is_gone(change(segment.0, Change::default())));
}

#[test]
fn a_key_finds_its_segment_and_only_one_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let key = ftok(folder.path(), i32::from(b'm')).unwrap();
    assert_eq!(errno(shmget(key, 0, 0)), Some(code::ENOENT));
    let segment = Segment::new(key, 4096);
    assert_eq!(shmget(key, 0, 0).unwrap(), segment.0);
    assert_eq!(stat(segment.0).unwrap().key, key);
    assert_eq!(errno(shmget(key, 4096, CREATE)), Some(code::EEXIST));
    assert_eq!(
        errno(shmget(key, 4097, 0)),
        Some(code::EINVAL),
        "it is shorter than asked for"
    );
}

#[test]
fn lengths_that_no_segment_can_have_are_refused_by_the_kernel() {
    assert_eq!(errno(shmget(PRIVATE, 0, CREATE)), Some(code::EINVAL));
    assert!(matches!(
        errno(shmget(PRIVATE, usize::MAX, CREATE)),
        Some(code::EINVAL | code::ENOSPC | code::ENOMEM)
    ));
    assert_eq!(
        errno(shmget(i64::MAX, 4096, 0)),
        if cfg!(target_os = "freebsd") {
            Some(code::ENOENT)
        } else {
            Some(code::EINVAL)
        }
    );
}

#[test]
fn a_number_that_no_segment_has_is_einval() {
    assert_eq!(errno(attach(-1, 0)), Some(code::EINVAL));
    assert_eq!(errno(stat(-1)), Some(code::EINVAL));
    assert_eq!(errno(remove(-1)), Some(code::EINVAL));
}

/// ftok(3): "the least significant 8 bits of `proj_id`", so that C programs and this one meet.
#[cfg(target_os = "linux")]
#[test]
fn a_key_is_made_as_c_makes_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let facts = file.as_file().metadata().unwrap();
    let expected = (facts.ino() & 0xffff) | ((facts.dev() & 0xff) << 16) | (0xa7 << 24);
    let key = i32::try_from(ftok(file.path(), 0x1a7).unwrap()).unwrap();
    assert_eq!(u64::from(key.cast_unsigned()), expected);
    assert_eq!(
        ftok(file.path(), 0x1a7).unwrap(),
        ftok(file.path(), 0xa7).unwrap()
    );
}

#[test]
fn a_file_that_is_not_there_has_no_key() {
    let fail = ftok(Path::new("/memmap-cargo/nobody"), 1).unwrap_err();
    assert_eq!(fail.errno(), Some(code::ENOENT));
    assert!(format!("{fail:?}").contains("ftok"));
    assert_eq!(errno(ftok(Path::new("nul\0nul"), 1)), Some(code::EINVAL));
}
