//! Test builds only: a C ABI for engines that have no Node-API (`scripts/sandbox-test.mjs`: V8 with its sandbox in mini-racer and Chromium). The
//! functions do what `mapping_carrier.rs` does when Node calls it, with the same objects; nothing of it is written twice.
#![allow(unsafe_code, reason = "a C ABI: pointers are the caller's word")]

use std::ffi::{CStr, c_char};
use std::path::PathBuf;

use crate::carrier::overlay::Carrier;
use crate::error::Outcome;
use crate::fault::Fault;
use crate::mapping::NativeMapping;
use crate::open;
use crate::os::Access;
use crate::request::{Request, Target};

/// 0, or the errno.
fn answer(outcome: Outcome<()>) -> i32 {
    match outcome {
        Ok(()) => 0,
        Err(fail) => fail.errno().unwrap_or(-1),
    }
}

/// Maps a whole file. `access`: 0 read, 1 write, 2 copy. Null: not opened.
///
/// # Safety
/// `path` ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmap_test_open(path: *const c_char, access: u32) -> *mut NativeMapping {
    // SAFETY: as the caller promises.
    let path = unsafe { CStr::from_ptr(path) };
    let access = match access {
        0 => Access::Read,
        1 => Access::Write,
        _ => Access::Copy,
    };
    let request = Request {
        target: Target::Path(PathBuf::from(path.to_string_lossy().into_owned())),
        ..Request::of_descriptor(-1, access)
    };
    match open::open(&request) {
        Ok(region) => Box::into_raw(Box::new(NativeMapping::new(region))),
        Err(_) => std::ptr::null_mut(),
    }
}

/// The file over `room` bytes of the engine's. `shared`: a SharedArrayBuffer's. Gives 0 or an errno.
///
/// # Safety
/// `mapping` is one of `memmap_test_open`; the pages are the engine's and stay until `memmap_test_restore` or `memmap_test_forget`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmap_test_place(
    mapping: *mut NativeMapping,
    base: *mut u8,
    room: usize,
    shared: u32,
) -> i32 {
    // SAFETY: as the caller promises.
    let mapping = unsafe { &*mapping };
    let carrier = if shared == 0 {
        Carrier::Own
    } else {
        Carrier::Shared
    };
    answer(
        mapping
            .open_region()
            .and_then(|region| mapping.place(&region, (base, room), (0, carrier), false)),
    )
}

/// First half of `close()`: the file is gone when it returns.
///
/// # Safety
/// `mapping` is one of `memmap_test_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmap_test_close(mapping: *mut NativeMapping) {
    // SAFETY: as the caller promises.
    let mapping = unsafe { &*mapping };
    let region = mapping.region.borrow_mut().take();
    if let Some(region) = region {
        mapping.let_go(region);
        mapping.release(false);
    }
}

/// The engine gets its pages back.
///
/// # Safety
/// `mapping` is one of `memmap_test_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmap_test_restore(mapping: *mut NativeMapping) {
    // SAFETY: as the caller promises.
    unsafe { &*mapping }.restore_overlay();
}

/// What the facade does when the engine moved its memory: the pages are not touched, whatever is there.
///
/// # Safety
/// `mapping` is one of `memmap_test_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmap_test_forget(mapping: *mut NativeMapping) {
    // SAFETY: as the caller promises.
    unsafe { &*mapping }.forget_overlay();
}

/// The fault's kind, 0 for none; -1 when it is closed.
///
/// # Safety
/// `mapping` is one of `memmap_test_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmap_test_fault(mapping: *mut NativeMapping) -> i32 {
    // SAFETY: as the caller promises.
    let region = unsafe { &*mapping }.open_region();
    region.map_or(-1, |region| match region.fault() {
        (Some(Fault { kind, .. }), _) => kind as i32,
        (None, _) => 0,
    })
}

/// Closes what is open, and forgets it.
///
/// # Safety
/// `mapping` is one of `memmap_test_open`, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmap_test_free(mapping: *mut NativeMapping) {
    // SAFETY: as the caller promises.
    drop(unsafe { Box::from_raw(mapping) });
}
