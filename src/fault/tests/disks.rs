//! Small file systems, mounted for the test (root only): full ones, and one whose device loses its
//! end.

use std::{fs::File, path::Path, process::Command};

use super::{super::*, *};

struct Mount {
    directory: tempfile::TempDir,
}

impl Mount {
    /// `None`, and says why, where this process may not mount.
    fn new(arguments: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let output = Command::new("mount")
            .args(arguments)
            .arg(directory.path())
            .output();
        match output {
            Ok(output) if output.status.success() => Some(Self { directory }),
            Ok(output) => {
                println!(
                    "skipped: mount: {}",
                    String::from_utf8_lossy(&output.stderr).trim()
                );
                None
            }
            Err(error) => {
                println!("skipped: mount: {error}");
                None
            }
        }
    }

    /// An ext4 of `megabytes` in `image`.
    fn ext4(image: &Path, megabytes: u64) -> Option<Self> {
        File::create(image)
            .unwrap()
            .set_len(megabytes << 20)
            .unwrap();
        let made = Command::new("mkfs.ext4")
            .args(["-q", "-F", "-m", "0", "-O", "^has_journal"])
            .arg(image)
            .output();
        if !made.as_ref().is_ok_and(|output| output.status.success()) {
            println!("skipped: mkfs.ext4: {made:?}");
            return None;
        }
        Self::new(&["-o", "loop,errors=continue", image.to_str().unwrap()])
    }

    fn file(&self) -> File {
        let path = self.directory.path().join("file");
        File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .unwrap()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: the mapping of a failed test may be open still.
        Command::new("umount")
            .arg("-l")
            .arg(self.directory.path())
            .status()
            .unwrap();
    }
}

/// Stores into a hole of 16 MiB on a file system of less.
fn fill_the_disk(mount: &Mount, name: &str) {
    const PAGES: usize = 4096;
    let file = mount.file();
    file.set_len((PAGES * PAGE) as u64).unwrap();
    let mapped = Mapped::file(file, PAGES, WRITE, libc::MAP_SHARED);
    let mut page = 0;
    while mapped.slot().count() == 0 {
        mapped.store(page * PAGE + 9, 1);
        page += 1;
        assert!(page < PAGES, "the disk was not full");
    }
    let fault = mapped.slot().fault().unwrap();
    println!("  {name}: {fault:?}");
    assert_eq!(
        (fault.kind, fault.offset),
        (Kind::NoSpace, (page - 1) * PAGE + 9)
    );
    assert!(
        (0..page).all(|page| mapped.read(page * PAGE + 9) == 1),
        "good pages and the zero page hold what was stored"
    );
    for page in page..PAGES {
        mapped.store(page * PAGE, 2);
    }
    let count = mapped.slot().count();
    assert!(
        (2..=65).contains(&count),
        "64 pages one by one, then the rest: {count}"
    );
    assert!(mappings_in(mapped.base, mapped.len) < 200);
}

#[test]
fn a_store_into_a_hole_on_a_full_tmpfs() {
    if let Some(mount) = Mount::new(&["-t", "tmpfs", "-o", "size=2m", "tmpfs"]) {
        fill_the_disk(&mount, "tmpfs");
    }
}

#[test]
fn a_store_into_a_hole_on_a_full_ext4() {
    let image = tempfile::NamedTempFile::new().unwrap();
    if let Some(mount) = Mount::ext4(image.path(), 8) {
        fill_the_disk(&mount, "ext4");
    }
}

#[test]
fn a_device_that_cannot_be_read_costs_only_its_pages() {
    const PAGES: usize = 1024;
    let image = tempfile::NamedTempFile::new().unwrap();
    let Some(mount) = Mount::ext4(image.path(), 16) else {
        return;
    };
    let mut file = mount.file();
    fill(&mut file, PAGES);
    file.sync_all().unwrap();
    let mapped = Mapped::file(file, PAGES, READ, libc::MAP_SHARED);
    // Kept in memory; everything else is to be read from the device, which has no end any more.
    assert_eq!(mapped.read(0), mark(0));
    mapped.slot().locked(|_| {
        // SAFETY: a hint, about pages of this mapping and this file.
        unsafe {
            libc::madvise(
                (mapped.base + 16 * PAGE) as *mut _,
                mapped.len - 16 * PAGE,
                libc::MADV_DONTNEED,
            );
            libc::posix_fadvise(
                mapped.fd(),
                (16 * PAGE) as i64,
                0,
                libc::POSIX_FADV_DONTNEED,
            );
        }
    });
    image.as_file().set_len(64 << 10).unwrap();
    let last = PAGES - 1;
    let found = mapped.read(last * PAGE + 3);
    let Some(fault) = mapped.slot().fault() else {
        assert_eq!(found, mark(last));
        println!("skipped: the pages could not be driven out of memory");
        return;
    };
    println!("  io: {fault:?}");
    assert_eq!(
        (fault.kind, fault.offset, found),
        (Kind::Io, last * PAGE + 3, 0)
    );
    assert_eq!((mapped.read(0), mapped.slot().count()), (mark(0), 1));
    assert_eq!(mapped.read((last - 2) * PAGE), 0);
    assert_eq!(mapped.slot().count(), 2, "page by page");
    // The device is whole again: so is the file, after clearing.
    image.as_file().set_len(16 << 20).unwrap();
    assert_eq!(mapped.clear(), [(last - 2, 1), (last, 1)]);
}
