//! The guard, provoked. What may kill the process, or changes its signal handlers or the handler's
//! delay, runs in a child: this test binary again.
#![allow(unsafe_code, reason = "maps memory, and breaks it")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod bounds;
mod chains;
mod disks;
mod kinds;
mod news;
mod races;

use std::{
    fs::File,
    io::Write,
    os::fd::AsRawFd,
    process::{Command, Output},
    sync::atomic::{AtomicU64, Ordering},
};

use super::{Backing, Range, Slot, ensure, register};

pub const PAGE: usize = 4096;
const CHILD: &str = "MEMMAP_FAULT_TEST_CHILD";

pub const READ: i32 = libc::PROT_READ;
pub const WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;

/// A guarded mapping, as region.rs would hold it.
pub struct Mapped {
    pub base: usize,
    pub len: usize,
    pub file: Option<File>,
    pub slot: Option<Slot>,
    pub range: Range,
    pub protection: i32,
    pub flags: i32,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

pub fn mmap(at: usize, len: usize, protection: i32, flags: i32, fd: i32, offset: usize) -> usize {
    // SAFETY: the tests map where the kernel chooses, or over pages of their own.
    let found = unsafe { libc::mmap(at as *mut _, len, protection, flags, fd, offset as i64) };
    assert_ne!(
        found,
        libc::MAP_FAILED,
        "mmap: {}",
        std::io::Error::last_os_error()
    );
    found as usize
}

pub fn munmap(at: usize, len: usize) {
    // SAFETY: a mapping of the test's own.
    assert_eq!(unsafe { libc::munmap(at as *mut _, len) }, 0);
}

pub fn mprotect(at: usize, len: usize, protection: i32) {
    // SAFETY: a mapping of the test's own.
    assert_eq!(unsafe { libc::mprotect(at as *mut _, len, protection) }, 0);
}

impl Mapped {
    pub fn guard(
        base: usize,
        len: usize,
        page: usize,
        file: Option<File>,
        protection: i32,
        flags: i32,
    ) -> Self {
        assert!(ensure());
        let backing = match (&file, flags & libc::MAP_PRIVATE) {
            (None, _) => Backing::Anonymous,
            (_, 0) => Backing::Shared,
            _ => Backing::Private,
        };
        let fd = file.as_ref().map_or(-1, AsRawFd::as_raw_fd);
        let range = Range {
            base,
            len,
            page,
            fd,
            file_offset: 0,
            backing,
            writable: protection == WRITE,
        };
        // SAFETY: the mapping is this struct's, which changes it through the slot only.
        let slot = unsafe { register(range, NEXT_ID.fetch_add(1, Ordering::Relaxed)) };
        assert!(slot.is_some(), "a guarded process");
        Self {
            base,
            len,
            file,
            slot,
            range,
            protection,
            flags,
        }
    }

    pub fn file(file: File, pages: usize, protection: i32, flags: i32) -> Self {
        let len = pages * PAGE;
        let base = mmap(0, len, protection, flags, file.as_raw_fd(), 0);
        Self::guard(base, len, PAGE, Some(file), protection, flags)
    }

    /// The first byte of page i is i % 251 + 1.
    pub fn filled(pages: usize, protection: i32, flags: i32) -> Self {
        Self::file(filled_file(pages), pages, protection, flags)
    }

    pub fn slot(&self) -> &Slot {
        self.slot.as_ref().unwrap()
    }

    pub fn fd(&self) -> i32 {
        self.range.fd
    }

    pub fn read(&self, offset: usize) -> u8 {
        // SAFETY: inside the mapping; the guard answers for the rest.
        unsafe { std::ptr::read_volatile((self.base + offset) as *const u8) }
    }

    pub fn store(&self, offset: usize, value: u8) {
        // SAFETY: as in `read`.
        unsafe { std::ptr::write_volatile((self.base + offset) as *mut u8, value) };
    }

    pub fn truncate(&self, len: usize) {
        self.file.as_ref().unwrap().set_len(len as u64).unwrap();
    }

    /// clearFault: gives the runs that were mapped again.
    pub fn clear(&self) -> Vec<(usize, usize)> {
        let mut runs = Vec::new();
        self.slot()
            .clear(|offset, len| {
                runs.push((offset / PAGE, len / PAGE));
                let flags = self.flags | libc::MAP_FIXED;
                mmap(
                    self.base + offset,
                    len,
                    self.protection,
                    flags,
                    self.fd(),
                    offset,
                );
                Ok(())
            })
            .unwrap();
        runs
    }

    pub fn retire(&self, protection: i32) {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
        self.slot()
            .retire(|| mmap(self.base, self.len, protection, flags, -1, 0));
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.release(|| munmap(self.base, self.len));
        }
    }
}

pub fn filled_file(pages: usize) -> File {
    let mut file = tempfile::tempfile().unwrap();
    fill(&mut file, pages);
    file
}

pub fn fill(file: &mut File, pages: usize) {
    let mut bytes = vec![0; pages * PAGE];
    for page in 0..pages {
        bytes[page * PAGE..(page + 1) * PAGE].fill(mark(page));
    }
    file.write_all(&bytes).unwrap();
}

pub fn mark(page: usize) -> u8 {
    (page % 251) as u8 + 1
}

/// Every page of the file is as `fill` wrote it.
pub fn assert_intact(file: &File, pages: usize) {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; PAGE];
    for page in 0..pages {
        file.read_exact_at(&mut bytes, (page * PAGE) as u64)
            .unwrap();
        assert!(
            bytes.iter().all(|byte| *byte == mark(page)),
            "page {page} of the file has changed"
        );
    }
}

/// Mappings of this process inside an address range.
pub fn mappings_in(base: usize, len: usize) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let starts = maps
        .lines()
        .map(|line| usize::from_str_radix(line.split('-').next().unwrap(), 16).unwrap());
    starts
        .filter(|start| (base..base + len).contains(start))
        .count()
}

/// The name of the running test's child part, in the child.
pub fn is_child(test: &str) -> bool {
    std::env::var(CHILD).is_ok_and(|name| name == test)
}

/// Runs one test of this binary again, alone, with `is_child` true for it.
pub fn run_child(test: &str, environment: &[(&str, &str)]) -> Output {
    let path = format!("fault::tests::{test}");
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &path, "--nocapture", "--test-threads=1"])
        .env(CHILD, test)
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

/// Runs `body` in a child, which must live and pass.
pub fn in_child(test: &str, body: fn()) {
    if is_child(test) {
        return body();
    }
    let output = run_child(test, &[]);
    assert!(
        output.status.success(),
        "{test}: {}\n{}",
        output.status,
        text(&output)
    );
    assert!(
        text(&output).contains("1 passed"),
        "{test} ran nothing:\n{}",
        text(&output)
    );
    // Counts, for `--nocapture`: libtest has begun the line with the test's name.
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some((_, count)) = line.split_once("...   ") {
            println!("  {count}");
        }
    }
}

/// Runs `body` in a child, which must be killed by `signal` and nothing else.
pub fn dies(test: &str, signal: i32, environment: &[(&str, &str)], body: fn()) {
    use std::os::unix::process::ExitStatusExt;
    if is_child(test) {
        // No core files, please.
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: a valid limit.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
        body();
        println!("SURVIVED");
        return;
    }
    let output = run_child(test, environment);
    assert_eq!(
        output.status.signal(),
        Some(signal),
        "{test}: {}\n{}",
        output.status,
        text(&output)
    );
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
