//! How the handler wakes the watcher: an event.
#![allow(unsafe_code, reason = "an event of the system's")]

use std::{
    ptr::{null, null_mut},
    sync::atomic::{AtomicPtr, Ordering},
};

use windows_sys::Win32::{
    Foundation::WAIT_OBJECT_0,
    System::Threading::{CreateEventW, INFINITE, SetEvent, WaitForSingleObject},
};

/// The event; null: no watcher. Never closed: the handler may set it at any time.
static BELL: AtomicPtr<core::ffi::c_void> = AtomicPtr::new(null_mut());

/// Whether somebody listens.
pub fn is_started() -> bool {
    !BELL.load(Ordering::Relaxed).is_null()
}

/// Called by the handler.
pub fn ring() {
    let event = BELL.load(Ordering::Acquire);
    if !event.is_null() {
        // SAFETY: an event that is never closed. Set already: then the watcher is awake anyway.
        unsafe { SetEvent(event) };
    }
}

/// The watcher lives as long as the process; module init has pinned its code in memory.
pub fn start(wake: fn()) {
    // SAFETY: no name, no attributes; resets itself when the watcher has seen it.
    let event = unsafe { CreateEventW(null(), 0, 0, null()) };
    if event.is_null() {
        return;
    }
    BELL.store(event, Ordering::Release);
    let started = std::thread::Builder::new()
        .name("memmap-faults".into())
        .stack_size(64 << 10)
        .spawn(move || watch(wake));
    if started.is_err() {
        // Nobody listens; the next subscription tries again. The event stays: a handler may be about to set it.
        BELL.store(null_mut(), Ordering::Release);
    }
}

fn watch(wake: fn()) {
    let event = BELL.load(Ordering::Acquire);
    // SAFETY: an event that is never closed.
    while unsafe { WaitForSingleObject(event, INFINITE) } == WAIT_OBJECT_0 {
        wake();
    }
}
