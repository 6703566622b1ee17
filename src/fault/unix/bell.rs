//! How the handler wakes the watcher: a byte in a pipe.
#![allow(unsafe_code, reason = "a pipe")]

use std::{
    ffi::c_int,
    sync::atomic::{AtomicI32, Ordering},
};

use crate::thread;

/// Where the handler writes; -1: no watcher.
static BELL: AtomicI32 = AtomicI32::new(-1);

/// Whether somebody listens.
pub fn is_started() -> bool {
    BELL.load(Ordering::Relaxed) >= 0
}

/// Called by the handler.
pub fn ring() {
    let bell = BELL.load(Ordering::Acquire);
    if bell >= 0 {
        // SAFETY: one byte of a static. A full pipe refuses it, and then the watcher is awake
        // anyway. write is async-signal-safe by POSIX.
        unsafe { libc::write(bell, b"!".as_ptr().cast(), 1) };
    }
}

/// The watcher lives as long as the process; module init has pinned its code in memory.
pub fn start(wake: fn()) {
    let Some((reader, writer)) = pipe() else {
        return;
    };
    let work = Box::new(move || watch(reader, wake));
    if thread::spawn("memmap-faults", 64 << 10, work).is_ok() {
        BELL.store(writer, Ordering::Release);
    } else {
        // SAFETY: both are ours and nobody knows them.
        unsafe {
            libc::close(reader);
            libc::close(writer);
        }
    }
}

fn watch(reader: c_int, wake: fn()) {
    let mut bytes = [0_u8; 256];
    loop {
        // SAFETY: `bytes` has room for 256.
        let count = unsafe { libc::read(reader, bytes.as_mut_ptr().cast(), bytes.len()) };
        if count > 0 {
            wake();
        } else if count == 0
            || std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted
        {
            return;
        }
    }
}

/// Both ends close at exec; the handler's end never blocks.
fn pipe() -> Option<(c_int, c_int)> {
    let mut ends = [-1; 2];
    // SAFETY: room for two descriptors.
    #[cfg(not(target_vendor = "apple"))]
    let failed = unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0;
    // SAFETY: as above; then both are ours. Here a child that another thread starts in between inherits them: there is no pipe2.
    #[cfg(target_vendor = "apple")]
    let failed = unsafe {
        libc::pipe(ends.as_mut_ptr()) != 0
            || libc::fcntl(ends[0], libc::F_SETFD, libc::FD_CLOEXEC) != 0
            || libc::fcntl(ends[1], libc::F_SETFD, libc::FD_CLOEXEC) != 0
    };
    if failed {
        return None;
    }
    // SAFETY: it is ours.
    unsafe { libc::fcntl(ends[1], libc::F_SETFL, libc::O_NONBLOCK) };
    Some((ends[0], ends[1]))
}
