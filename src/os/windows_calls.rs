//! VirtualAlloc2, MapViewOfFile3 and UnmapViewOfFile2, found at run time, so that the binary loads where they are missing.
#![allow(
    unsafe_code,
    reason = "system calls on address space that the callers hold"
)]

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::Memory as memory;
use windows_sys::Win32::System::Threading::GetCurrentProcess;
use windows_sys::w;

type VirtualAlloc2 = unsafe extern "system" fn(
    HANDLE,
    *const c_void,
    usize,
    u32,
    u32,
    *mut c_void,
    u32,
) -> *mut c_void;
type MapViewOfFile3 = unsafe extern "system" fn(
    HANDLE,
    HANDLE,
    *const c_void,
    u64,
    usize,
    u32,
    u32,
    *mut c_void,
    u32,
) -> *mut c_void;
type UnmapViewOfFile2 = unsafe extern "system" fn(HANDLE, *const c_void, u32) -> i32;

/// The calls of kernelbase.dll that know placeholders.
#[derive(Clone, Copy)]
pub(super) struct Calls {
    allocate: VirtualAlloc2,
    pub(super) map: MapViewOfFile3,
    pub(super) unmap: UnmapViewOfFile2,
}

impl Calls {
    /// `None` where they are missing, or (wine 8) there in name only.
    pub(super) fn get() -> Option<Self> {
        static FOUND: OnceLock<Option<Calls>> = OnceLock::new();
        *FOUND.get_or_init(|| {
            let calls = Self::look_up()?;
            let base = calls.reserve(super::allocation_granularity())?;
            // SAFETY: reserved just now.
            unsafe { release(base) };
            Some(calls)
        })
    }

    fn look_up() -> Option<Self> {
        // SAFETY: every process has this library, and never unloads it.
        let library = unsafe { GetModuleHandleW(w!("kernelbase.dll")) };
        let find = |name: &std::ffi::CStr| {
            // SAFETY: the name is NUL-terminated.
            unsafe { GetProcAddress(library, name.as_ptr().cast()) }.map(|found| found as usize)
        };
        let (allocate, map, unmap) = (
            find(c"VirtualAlloc2")?,
            find(c"MapViewOfFile3")?,
            find(c"UnmapViewOfFile2")?,
        );
        // SAFETY: memoryapi.h declares them so.
        unsafe {
            Some(Self {
                allocate: std::mem::transmute::<usize, VirtualAlloc2>(allocate),
                map: std::mem::transmute::<usize, MapViewOfFile3>(map),
                unmap: std::mem::transmute::<usize, UnmapViewOfFile2>(unmap),
            })
        }
    }

    /// A new placeholder where the system likes.
    pub(super) fn reserve(self, length: usize) -> Option<usize> {
        let kind = memory::MEM_RESERVE | memory::MEM_RESERVE_PLACEHOLDER;
        // SAFETY: takes address space that is free.
        let base = unsafe { self.allocate_at(0, length, kind, memory::PAGE_NOACCESS) };
        (base != 0).then_some(base)
    }

    pub(super) unsafe fn allocate_at(
        self,
        at: usize,
        length: usize,
        kind: u32,
        protection: u32,
    ) -> usize {
        let (process, place) = (current_process(), at as *const c_void);
        // SAFETY: as the caller promises.
        unsafe { (self.allocate)(process, place, length, kind, protection, null_mut(), 0) as usize }
    }
}

pub(super) fn current_process() -> HANDLE {
    // SAFETY: has no preconditions; a pseudo handle.
    unsafe { GetCurrentProcess() }
}

/// VirtualFree of a whole placeholder or piece of private memory.
pub(super) unsafe fn release(base: usize) {
    // SAFETY: as the caller promises.
    unsafe { memory::VirtualFree(base as *mut _, 0, memory::MEM_RELEASE) };
}
