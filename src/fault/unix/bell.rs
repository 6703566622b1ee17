//! How the handler wakes the watcher: a byte in a pipe.
#![allow(unsafe_code, reason = "a pipe, and the signals of a thread")]

use std::{
    ffi::c_int,
    mem::MaybeUninit,
    ptr::null_mut,
    sync::atomic::{AtomicI32, Ordering},
};

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
    let mask = block_signals();
    let started = std::thread::Builder::new()
        .name("memmap-faults".into())
        .stack_size(64 << 10)
        .spawn(move || watch(reader, wake));
    // SAFETY: the mask that this thread had a moment ago.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, null_mut()) };
    if started.is_ok() {
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
    // SAFETY: room for two descriptors. (macOS has no pipe2.)
    if unsafe { libc::pipe(ends.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: both are ours.
    unsafe {
        libc::fcntl(ends[0], libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(ends[1], libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(ends[1], libc::F_SETFL, libc::O_NONBLOCK);
    }
    Some((ends[0], ends[1]))
}

/// What a new thread inherits: the signals of the process (SIGTERM, SIGCHLD) are for its own
/// threads. Faults are not blocked: the kernel kills a thread that blocks them.
fn block_signals() -> libc::sigset_t {
    let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
    let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: sigfillset initialises the first, pthread_sigmask the second; all zeros is a value of
    // the type.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        for signal in [
            libc::SIGBUS,
            libc::SIGSEGV,
            libc::SIGILL,
            libc::SIGFPE,
            libc::SIGTRAP,
        ] {
            libc::sigdelset(all.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
        before.assume_init()
    }
}
