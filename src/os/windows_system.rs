//! Facts about this machine and its file systems.
#![allow(unsafe_code, reason = "system calls that fill structures of ours")]

use std::fs::File;
use std::sync::OnceLock;

use windows_sys::Win32::Storage::FileSystem::{GetDriveTypeW, GetFinalPathNameByHandleW};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::SystemInformation::{
    GetSystemInfo, GlobalMemoryStatusEx, MEMORYSTATUSEX, SYSTEM_INFO,
};

use super::Seal;

fn system() -> &'static (usize, usize) {
    static FACTS: OnceLock<(usize, usize)> = OnceLock::new();
    FACTS.get_or_init(|| {
        // SAFETY: an all-zero structure is a valid value.
        let mut facts: SYSTEM_INFO = unsafe { std::mem::zeroed() };
        // SAFETY: the structure lives on this stack; the call cannot fail.
        unsafe { GetSystemInfo(&raw mut facts) };
        (
            facts.dwPageSize as usize,
            facts.dwAllocationGranularity as usize,
        )
    })
}

/// GetSystemInfo, in bytes.
pub fn page_size() -> usize {
    system().0
}

/// What file offsets of views must be a multiple of, in bytes: 64 KiB. memmap2 hides it.
pub fn allocation_granularity() -> usize {
    system().1
}

/// Large pages need a privilege that processes do not have: the ordinary page.
pub fn huge_page_size() -> usize {
    page_size()
}

/// Physical memory that can be had without swapping, in bytes.
pub fn free_memory() -> u64 {
    // SAFETY: an all-zero structure is a valid value.
    let mut facts: MEMORYSTATUSEX = unsafe { std::mem::zeroed() };
    facts.dwLength = size_of::<MEMORYSTATUSEX>() as u32;
    // SAFETY: the structure lives on this stack and says its own length.
    if unsafe { GlobalMemoryStatusEx(&raw mut facts) } == 0 {
        u64::MAX
    } else {
        facts.ullAvailPhys
    }
}

/// Whether a file can vanish under us: it lies on a share, a network drive or a medium that can be taken out.
pub fn may_vanish(file: &File) -> bool {
    // winbase.h: DRIVE_REMOVABLE, DRIVE_REMOTE, DRIVE_CDROM.
    const FOREIGN: [u32; 3] = [2, 4, 5];
    let mut path = vec![0_u16; 512];
    let mut ask = || {
        // SAFETY: the call is told how much room there is.
        let length = unsafe {
            GetFinalPathNameByHandleW(
                super::windows::handle(file),
                path.as_mut_ptr(),
                path.len() as u32,
                0,
            )
        } as usize;
        let fits = length < path.len();
        if !fits {
            // With the NUL: what the call asks for.
            path.resize(length, 0);
        }
        fits.then_some(length)
    };
    // Twice: a path that is longer than that by now is being moved.
    let Some(length @ 1..) = ask().or_else(ask) else {
        return true;
    };
    let text = String::from_utf16_lossy(&path[..length]);
    if text.starts_with(r"\\?\UNC\") {
        return true;
    }
    let Some(drive) = text.strip_prefix(r"\\?\").and_then(|rest| rest.get(..2)) else {
        return true;
    };
    let root: Vec<u16> = format!("{drive}\\\0").encode_utf16().collect();
    // SAFETY: `root` is NUL-terminated and outlives the call.
    FOREIGN.contains(&unsafe { GetDriveTypeW(root.as_ptr()) })
}

/// GetProcAddress in the program itself: the address of a function that only some versions of an engine have.
pub fn find_symbol(name: &std::ffi::CStr) -> Option<usize> {
    // SAFETY: null means the program's own file; `name` is NUL-terminated.
    unsafe { GetProcAddress(GetModuleHandleW(std::ptr::null()), name.as_ptr().cast()) }
        .map(|function| function as usize)
}

/// Copies the bytes.
///
/// # Safety
/// Both ranges are at least `length` bytes long, readable and writable, and nobody else's.
pub unsafe fn move_pages(from: *mut u8, to: *mut u8, length: usize, _page: usize) {
    // SAFETY: as the caller promises; two mappings never overlap.
    unsafe { std::ptr::copy_nonoverlapping(from, to, length) };
}

/// Nothing can be sealed.
pub fn seal_bits(_seals: &[Seal]) -> i32 {
    0
}
