//! Memory that processes share: sections backed by the page file, named in the session's `Local\` namespace or nameless.
//!
//! A section's handle travels as a `File`, as a descriptor of shm_open(3) does elsewhere: both are closed by the same call, and each function
//! that is given one asks which of the two it has. A name is gone with the last handle of its section; nothing removes it earlier.
#![allow(unsafe_code, reason = "system calls")]

use std::ffi::c_void;
use std::fs::File;
use std::os::windows::io::FromRawHandle;

use windows_sys::Wdk::Foundation::{NtQueryObject, OBJECT_ATTRIBUTES, ObjectBasicInformation};
use windows_sys::Wdk::Storage::FileSystem::{NtOpenDirectoryObject, NtQueryDirectoryObject};
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_ALREADY_EXISTS, ERROR_INVALID_HANDLE, GetLastError, HANDLE,
    INVALID_HANDLE_VALUE, UNICODE_STRING,
};
use windows_sys::Win32::System::Memory as memory;
use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;
use windows_sys::Win32::System::WindowsProgramming::PUBLIC_OBJECT_BASIC_INFORMATION;

use super::windows::handle;
use super::{Form, Pages};
use crate::errno::code;
use crate::error::{Fail, Outcome};

/// winnt.h
const SECTION_QUERY: u32 = 1;
const DIRECTORY_QUERY: u32 = 1;
/// ntdef.h
const OBJ_CASE_INSENSITIVE: u32 = 0x40;

/// `SECTION_BASIC_INFORMATION`, class 0 of NtQuerySection.
#[repr(C)]
struct SectionFacts {
    base: *mut c_void,
    attributes: u32,
    size: i64,
}

// windows-sys has no NtQuerySection.
#[cfg_attr(
    target_arch = "x86",
    link(name = "ntdll", kind = "raw-dylib", import_name_type = "undecorated")
)]
#[cfg_attr(not(target_arch = "x86"), link(name = "ntdll", kind = "raw-dylib"))]
unsafe extern "system" {
    fn NtQuerySection(
        section: HANDLE,
        class: i32,
        facts: *mut c_void,
        length: usize,
        got: *mut usize,
    ) -> i32;
}

/// NUL-terminated UTF-16.
pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// `/name` in the namespace of this session, where services and other users do not meet it.
fn local(name: &str) -> Vec<u16> {
    wide(&format!("Local\\{}", &name[1..]))
}

/// CreateFileMappingW without a file: zeros, charged to the page file at once. A name that is taken is `EEXIST`.
pub fn create_section(name: Option<&str>, length: u64) -> Outcome<File> {
    let name = name.map(local);
    let name = name.as_ref().map_or(std::ptr::null(), Vec::as_ptr);
    // SAFETY: no file, default rights (this user's), and a NUL-terminated name or none.
    let section = unsafe {
        memory::CreateFileMappingW(
            INVALID_HANDLE_VALUE,
            std::ptr::null(),
            memory::PAGE_READWRITE,
            (length >> 32) as u32,
            length as u32,
            name,
        )
    };
    // SAFETY: the error of the call above, on this thread.
    let error = unsafe { GetLastError() };
    if section.is_null() {
        // Not EEXIST, which says that there is something to open.
        if error == ERROR_INVALID_HANDLE {
            return Err(Fail::system(code::EINVAL, "shm_open")
                .hint("the name is that of an event, a mutex or another object"));
        }
        let fail = Fail::system(super::errno_of(error as i32), "shm_open");
        // As a full /dev/shm: the page file has no room.
        return Err(if fail.errno() == Some(code::ENOMEM) {
            Fail::system(code::ENOSPC, "shm_open").hint("the page file has no room for it")
        } else {
            fail
        });
    }
    // SAFETY: the handle is new and nobody else owns it.
    let file = unsafe { File::from_raw_handle(section) };
    if error == ERROR_ALREADY_EXISTS {
        Err(Fail::system(code::EEXIST, "shm_open"))
    } else {
        Ok(file)
    }
}

/// OpenFileMappingW.
pub fn open_section(name: &str, write: bool) -> Outcome<File> {
    let rights = memory::FILE_MAP_READ | if write { memory::FILE_MAP_WRITE } else { 0 };
    // SAFETY: a NUL-terminated name; the handle is not inherited.
    let section =
        unsafe { memory::OpenFileMappingW(rights | SECTION_QUERY, 0, local(name).as_ptr()) };
    if section.is_null() {
        let fail = Fail::last("shm_open");
        // libuv's name for "access is denied" is EPERM; shm_open(3) says EACCES.
        return Err(match fail.errno() {
            Some(code::EPERM) => Fail::system(code::EACCES, "shm_open"),
            // Another kind of object has the name.
            Some(code::EBADF) => Fail::system(code::ENOENT, "shm_open"),
            _ => fail,
        });
    }
    // SAFETY: the handle is new and nobody else owns it.
    Ok(unsafe { File::from_raw_handle(section) })
}

/// The length of a section, in whole pages as the system keeps it; `None` for a file.
pub(super) fn section_length(file: &File) -> Option<u64> {
    length_of_section(handle(file))
}

/// The same of a handle.
pub(super) fn length_of_section(handle: HANDLE) -> Option<u64> {
    // SAFETY: an all-zero structure is a valid value.
    let mut facts: SectionFacts = unsafe { std::mem::zeroed() };
    // SAFETY: the structure lives on this stack; a handle of something else is refused by its type.
    let status = unsafe {
        NtQuerySection(
            handle,
            0,
            (&raw mut facts).cast(),
            size_of::<SectionFacts>(),
            std::ptr::null_mut(),
        )
    };
    (status >= 0).then(|| (facts.size as u64).next_multiple_of(super::page_size() as u64))
}

/// Whether the handle of a section may map it for writing.
pub(super) fn section_is_writable(file: &File) -> bool {
    // SAFETY: an all-zero structure is a valid value.
    let mut facts: PUBLIC_OBJECT_BASIC_INFORMATION = unsafe { std::mem::zeroed() };
    // SAFETY: the structure lives on this stack.
    let status = unsafe {
        NtQueryObject(
            handle(file),
            ObjectBasicInformation,
            (&raw mut facts).cast(),
            size_of_val(&facts) as u32,
            std::ptr::null_mut(),
        )
    };
    status >= 0 && facts.GrantedAccess & memory::SECTION_MAP_WRITE != 0
}

/// Whether it is a section, whose length nobody changes.
pub fn keeps_length(file: &File) -> bool {
    section_length(file).is_some()
}

/// Maps a section, from its start: the first page. `None` for a file, which memmap2 maps.
pub fn map_section(file: &File, form: Form, length: usize) -> Option<Outcome<*mut u8>> {
    section_length(file)?;
    let rights = match (form.private, form.writable) {
        (false, true) => memory::FILE_MAP_READ | memory::FILE_MAP_WRITE,
        (false, false) if super::page_abilities().copy => memory::FILE_MAP_READ,
        // Without that ability the guard needs such a view to make a page a private copy.
        (_, _) => memory::FILE_MAP_COPY,
    };
    // SAFETY: the kernel chooses the place; the caller owns what comes back.
    let view = unsafe { memory::MapViewOfFile(handle(file), rights, 0, 0, length) };
    if view.Value.is_null() {
        return Some(Err(Fail::last("mmap")));
    }
    let base: *mut u8 = view.Value.cast();
    let pages = Pages {
        base,
        length: length.next_multiple_of(super::page_size()),
    };
    if !form.writable
        && let Err(fail) = super::protect(pages, super::Protection::Read)
    {
        unmap(base, length);
        return Some(Err(fail));
    }
    Some(Ok(base))
}

/// UnmapViewOfFile.
pub fn unmap(base: *mut u8, _length: usize) {
    // SAFETY: the base of a view that `map_section` made, whose only owner calls this once.
    unsafe {
        memory::UnmapViewOfFile(memory::MEMORY_MAPPED_VIEW_ADDRESS { Value: base.cast() });
    }
}

/// A wait has to know its word in another process by itself: no call does.
pub const WORDS_HAVE_KEYS: bool = true;

/// What a word of a file or a named section is to every process; zeros where only this one has it.
pub fn object_key(file: Option<&File>, name: Option<&str>, offset: u64) -> crate::futex::Key {
    /// Tells the numbers of volumes, names and processes apart.
    const FILE: u64 = 1 << 61;
    const SECTION: u64 = 1 << 62;
    let Some(file) = file else {
        return [0; 3];
    };
    if section_length(file).is_none() {
        return super::windows::identity(file).map_or([0; 3], |(volume, high, low)| {
            [
                FILE | u64::from(volume),
                u64::from(high) << 32 | u64::from(low),
                offset,
            ]
        });
    }
    // FNV-1a. Two names of one number would wake each other's waiters, who may return early anyway.
    let hash = |name: &str| {
        name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    name.map_or([0; 3], |name| [SECTION, hash(name), offset])
}

/// The names of the session's sections, sorted: those that this package can open.
pub fn section_names() -> Outcome<Vec<String>> {
    let directory = open_directory()?;
    let mut names = Vec::new();
    // u64s, as the entries begin with pointers.
    let mut buffer = vec![0_u64; 8192];
    let (mut context, mut first) = (0_u32, true);
    loop {
        // SAFETY: the buffer is as long as the call is told; the place in the list lives on this stack.
        let status = unsafe {
            NtQueryDirectoryObject(
                directory,
                buffer.as_mut_ptr().cast(),
                (buffer.len() * 8) as u32,
                // One at a time: older systems and wine give no more.
                true,
                first,
                &raw mut context,
                std::ptr::null_mut(),
            )
        };
        first = false;
        // STATUS_NO_MORE_ENTRIES, and whatever else ends the list.
        if status < 0 || status == 0x8000_001A_u32.cast_signed() {
            break;
        }
        // SAFETY: the call wrote one `OBJECT_DIRECTORY_INFORMATION`: two counted strings, whose characters follow in the same buffer.
        let [name, kind] = unsafe { *buffer.as_ptr().cast::<[UNICODE_STRING; 2]>() };
        // SAFETY: as above.
        let (name, kind) = unsafe { (text(name), text(kind)) };
        if kind == "Section" && !name.contains('/') && (1..256).contains(&name.len()) {
            names.push(format!("/{name}"));
        }
    }
    // SAFETY: opened above, and used no more.
    unsafe { CloseHandle(directory) };
    names.sort_unstable();
    Ok(names)
}

/// # Safety
/// `string` points at as many bytes as it says.
unsafe fn text(string: UNICODE_STRING) -> String {
    if string.Buffer.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    let units =
        unsafe { std::slice::from_raw_parts(string.Buffer, usize::from(string.Length) / 2) };
    String::from_utf16_lossy(units)
}

/// The directory of the kernel that `Local\` stands for.
fn open_directory() -> Outcome<HANDLE> {
    let mut session = 0;
    // SAFETY: a place on this stack for the number.
    unsafe { ProcessIdToSessionId(std::process::id(), &raw mut session) };
    let path = if session == 0 {
        "\\BaseNamedObjects".to_owned()
    } else {
        format!("\\Sessions\\{session}\\BaseNamedObjects")
    };
    let mut units = wide(&path);
    let bytes = ((units.len() - 1) * 2) as u16;
    let name = UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes + 2,
        Buffer: units.as_mut_ptr(),
    };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: std::ptr::null_mut(),
        ObjectName: &raw const name,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: std::ptr::null(),
        SecurityQualityOfService: std::ptr::null(),
    };
    let mut directory: HANDLE = std::ptr::null_mut();
    // SAFETY: the name and the attributes outlive the call.
    let status = unsafe {
        NtOpenDirectoryObject(&raw mut directory, DIRECTORY_QUERY, &raw const attributes)
    };
    if status < 0 {
        Err(Fail::system(code::EACCES, "shm_list"))
    } else {
        Ok(directory)
    }
}
