//! Files and whole mappings on Windows. Which ranges can be changed while somebody uses them is in `windows_place`.
#![allow(unsafe_code, reason = "system calls")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::os::windows::io::{AsRawHandle, FromRawHandle};
use std::path::Path;
use std::time::Duration;

use memmap2::{MmapOptions, MmapRaw};
use windows_sys::Wdk::Storage::FileSystem::{FileAccessInformation, NtQueryInformationFile};
use windows_sys::Win32::Foundation::{
    DUPLICATE_SAME_ACCESS, DuplicateHandle, ERROR_LOCK_VIOLATION, GENERIC_EXECUTE, GENERIC_READ,
    GetLastError, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem as fs;
use windows_sys::Win32::System::IO::{DeviceIoControl, IO_STATUS_BLOCK};
use windows_sys::Win32::System::Ioctl::FSCTL_SET_SPARSE;
use windows_sys::Win32::System::Memory::FlushViewOfFile;
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use super::windows_control::{each, is_one_piece};
use super::windows_sections::{section_is_writable, section_length};
use super::{FileFacts, FileKind, Form, OpenMode, Pages};
use crate::errno::code;
use crate::error::{Fail, Outcome};

/// The handle of a file, for system calls.
pub(super) fn handle(file: &File) -> HANDLE {
    file.as_raw_handle()
}

/// None: a descriptor is a number of the C library's, and files here are opened without it.
pub fn raw_fd(_file: &File) -> i32 {
    -1
}

/// CreateFileW. The second value says whether this call created the file. Everybody may read, write, rename and delete it meanwhile, as
/// with `node:fs`.
pub fn open_path(path: &Path, mode: OpenMode) -> Outcome<(File, bool)> {
    let mut options = OpenOptions::new();
    // Without FILE_FLAG_BACKUP_SEMANTICS a directory is "access denied"; with it, the caller sees what it is.
    options
        .read(true)
        .write(mode.write)
        .custom_flags(fs::FILE_FLAG_BACKUP_SEMANTICS);
    let open = |options: &OpenOptions| options.open(path).map_err(|error| Fail::io(&error, "open"));
    if mode.create.is_none() {
        return match open(&options) {
            Err(fail) if mode.write && path.is_dir() => Err(if fail.errno() == Some(code::EPERM) {
                Fail::system(code::EISDIR, "open")
            } else {
                fail
            }),
            opened => opened.map(|file| (file, false)),
        };
    }
    let mut create = options.clone();
    create.create_new(true);
    // The one right that files have here, as libuv sets it.
    if mode.create.is_some_and(|mode| mode & 0o200 == 0) {
        create.attributes(fs::FILE_ATTRIBUTE_READONLY);
    }
    if mode.exclusive {
        return open(&create).map(|file| (file, true));
    }
    // As elsewhere: whether the file is new must be known, and whoever loses a race tries the other way.
    for _ in 0..64 {
        match open(&options) {
            Err(fail) if fail.errno() == Some(code::ENOENT) => {}
            opened => return opened.map(|file| (file, false)),
        }
        match open(&create) {
            Err(fail) if fail.errno() == Some(code::EEXIST) => {}
            created => return created.map(|file| (file, true)),
        }
    }
    Err(Fail::system(code::EAGAIN, "open"))
}

/// DuplicateHandle of what a descriptor of Node stands for: the caller's stays the caller's.
pub fn duplicate(fd: i32) -> Outcome<File> {
    let Some(address) = super::find_symbol(c"uv_get_osfhandle") else {
        return Err(Fail::system(code::ENOTSUP, "dup")
            .hint("this engine does not say which file a descriptor stands for"));
    };
    // SAFETY: libuv (uv.h) declares it so; it only looks into the C library's table.
    let os_handle: unsafe extern "C" fn(i32) -> HANDLE = unsafe { std::mem::transmute(address) };
    // SAFETY: any number may be asked for; a bad one gives INVALID_HANDLE_VALUE, and -2 means a standard stream that is not there.
    let theirs = unsafe { os_handle(fd) };
    if theirs == INVALID_HANDLE_VALUE || theirs as isize == -2 {
        return Err(Fail::system(code::EBADF, "dup"));
    }
    let ours = duplicate_handle(theirs)?;
    // A view of whatever kind needs the right to read; the system says so with the code of EPERM, mmap(2) with EACCES.
    // SAFETY: asks what a handle stands for.
    let on_disk = unsafe { fs::GetFileType(handle(&ours)) } == fs::FILE_TYPE_DISK;
    if on_disk && granted(&ours) & fs::FILE_READ_DATA == 0 {
        return Err(Fail::system(code::EACCES, "mmap"));
    }
    Ok(ours)
}

fn duplicate_handle(theirs: HANDLE) -> Outcome<File> {
    let mut ours: HANDLE = std::ptr::null_mut();
    // SAFETY: the current process's pseudo handle, and a place on this stack for the new handle, which is not inherited.
    let done = unsafe {
        let process = GetCurrentProcess();
        DuplicateHandle(
            process,
            theirs,
            process,
            &raw mut ours,
            0,
            0,
            DUPLICATE_SAME_ACCESS,
        )
    };
    if done == 0 {
        return Err(Fail::last("dup"));
    }
    // SAFETY: the handle is new and nobody else owns it.
    Ok(unsafe { File::from_raw_handle(ours) })
}

/// Whether the handle may write.
pub fn is_writable(file: &File) -> bool {
    if section_length(file).is_some() {
        return section_is_writable(file);
    }
    granted(file) & fs::FILE_WRITE_DATA != 0
}

/// What a handle may do (NtQueryInformationFile, `FileAccessInformation`); nothing where the system does not say.
fn granted(file: &File) -> u32 {
    let mut access: u32 = 0;
    // SAFETY: an all-zero status block is a valid value of the structure.
    let mut status: IO_STATUS_BLOCK = unsafe { std::mem::zeroed() };
    // SAFETY: FILE_ACCESS_INFORMATION is one u32, which lives on this stack, as does the status block.
    let answer = unsafe {
        NtQueryInformationFile(
            handle(file),
            &raw mut status,
            (&raw mut access).cast(),
            size_of::<u32>() as u32,
            FileAccessInformation,
        )
    };
    if answer >= 0 { access } else { 0 }
}

/// What the target is, and its length.
pub fn facts(file: &File) -> Outcome<FileFacts> {
    if let Some(size) = section_length(file) {
        return Ok(FileFacts {
            kind: FileKind::Regular,
            size,
            huge_page: None,
        });
    }
    // SAFETY: asks what a handle stands for.
    if unsafe { fs::GetFileType(handle(file)) } != fs::FILE_TYPE_DISK {
        // Pipes, sockets, the console and NUL: none of them can be mapped.
        return Ok(FileFacts {
            kind: FileKind::Stream,
            size: 0,
            huge_page: None,
        });
    }
    let meta = file.metadata().map_err(|error| Fail::io(&error, "fstat"))?;
    let kind = if meta.is_dir() {
        FileKind::Directory
    } else {
        FileKind::Regular
    };
    Ok(FileFacts {
        kind,
        size: meta.len(),
        huge_page: None,
    })
}

/// ReadFile at an offset until the slice is full or the file ends; gives what it got.
///
/// Such a read moves the position that the handle shares with the caller's descriptor: it is put back.
pub fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> Outcome<usize> {
    let mut position = 0_i64;
    // SAFETY: a place on this stack for the position.
    let known =
        unsafe { fs::SetFilePointerEx(handle(file), 0, &raw mut position, fs::FILE_CURRENT) } != 0;
    let mut done = 0;
    let mut result = Ok(());
    while done < bytes.len() {
        match file.seek_read(&mut bytes[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(got) => done += got,
            Err(error) => {
                result = Err(Fail::io(&error, "read"));
                break;
            }
        }
    }
    if known {
        // SAFETY: no place for the new position is given.
        unsafe {
            fs::SetFilePointerEx(handle(file), position, std::ptr::null_mut(), fs::FILE_BEGIN)
        };
    }
    result.map(|()| done)
}

/// SetFileInformationByHandle, `FileEndOfFileInfo`. A file that is mapped beyond the new end by anybody is `EBUSY`.
pub fn set_length(file: &File, length: u64) -> Outcome<()> {
    if let Some(size) = section_length(file) {
        return if length.next_multiple_of(super::page_size() as u64) == size {
            Ok(())
        } else {
            Err(Fail::system(code::ENOTSUP, "ftruncate")
                .hint("a section keeps the length that it was made with"))
        };
    }
    file.set_len(length)
        .map_err(|error| Fail::io(&error, "ftruncate"))
}

/// Extends a file with its blocks allocated: SetFileInformationByHandle, `FileAllocationInfo`; where the file system cannot, only longer.
pub fn allocate(file: &File, _old: u64, new: u64) -> Outcome<()> {
    let size = i64::try_from(new).map_err(|_| Fail::system(code::EFBIG, "fallocate"))?;
    let allocation = fs::FILE_ALLOCATION_INFO {
        AllocationSize: size,
    };
    // SAFETY: the structure lives on this stack.
    let done = unsafe {
        fs::SetFileInformationByHandle(
            handle(file),
            fs::FileAllocationInfo,
            (&raw const allocation).cast(),
            size_of::<fs::FILE_ALLOCATION_INFO>() as u32,
        )
    };
    if done == 0 {
        let fail = Fail::last("fallocate");
        if fail.errno() == Some(code::ENOSPC) {
            return Err(fail);
        }
    }
    set_length(file, new)
}

/// Volume and number of a file.
pub(super) fn identity(file: &File) -> Option<(u32, u32, u32)> {
    // SAFETY: an all-zero structure is a valid value.
    let mut facts: fs::BY_HANDLE_FILE_INFORMATION = unsafe { std::mem::zeroed() };
    // SAFETY: the structure lives on this stack.
    let done = unsafe { fs::GetFileInformationByHandle(handle(file), &raw mut facts) };
    (done != 0).then_some((
        facts.dwVolumeSerialNumber,
        facts.nFileIndexHigh,
        facts.nFileIndexLow,
    ))
}

/// Removes a file that a failed call created, unless the name stands for another file by now.
pub fn remove_if_same(path: &Path, file: &File) {
    // access_mode(0) asks for nothing but the right to look.
    if let Ok(there) = OpenOptions::new()
        .access_mode(0)
        .custom_flags(fs::FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
        && identity(&there).is_some_and(|there| identity(file) == Some(there))
    {
        drop(there);
        let _ = std::fs::remove_file(path);
    }
}

/// FlushViewOfFile: hands dirty pages to the file system; `sync_file` makes them durable. There is nothing to invalidate: views are coherent.
pub fn sync_pages(pages: Pages, _wait: bool, _invalidate: bool) -> Outcome<()> {
    match flush_view(pages) {
        // It takes one view at a time; zeros that the guard has put between them are nobody's.
        Err(_) if !is_one_piece(pages) => {
            each(
                pages,
                |pages, view| {
                    if view { flush_view(pages) } else { Ok(()) }
                },
            )
        }
        done => done,
    }
}

/// "The process cannot access the file because another process has locked a portion of the file" also says that the system itself is writing these
/// pages at the moment: .NET tries again, too (`MemoryMappedView.Windows.cs`). Here for about a second.
fn flush_view(pages: Pages) -> Outcome<()> {
    let mut pause = Duration::from_millis(1);
    loop {
        // SAFETY: whole pages of a live view; flushing changes no address space.
        if unsafe { FlushViewOfFile(pages.base.cast(), pages.length) } != 0 {
            return Ok(());
        }
        // SAFETY: the error of the call above, on this thread.
        let error = unsafe { GetLastError() };
        if error != ERROR_LOCK_VIOLATION || pause > Duration::from_millis(512) {
            return Err(Fail::system(super::errno_of(error as i32), "msync"));
        }
        std::thread::sleep(pause);
        pause *= 2;
    }
}

/// FlushFileBuffers.
pub fn sync_file(file: &File) -> Outcome<()> {
    if section_length(file).is_some() {
        // Memory: there is no disk to be safe on.
        return Ok(());
    }
    // SAFETY: an open handle.
    if unsafe { fs::FlushFileBuffers(handle(file)) } != 0 {
        return Ok(());
    }
    let fail = Fail::last("fsync");
    // A handle that cannot write has nothing to flush.
    if matches!(fail.errno(), Some(code::EPERM | code::EACCES)) {
        Ok(())
    } else {
        Err(fail)
    }
}

/// Without the guard nothing makes a stored-to page of a view for reading private; a copying view would be charged to the page file as a
/// whole. So it is mapped for reading, and a store kills.
pub const SWALLOWS_STORES: bool = false;

/// MapViewOfFile, where the system likes.
pub fn map_view(options: &MmapOptions, file: &File, form: Form) -> io::Result<MmapRaw> {
    // SAFETY: the bytes may change under us; Region hands out raw pointers only, and the guard answers the faults.
    let copy = || unsafe { options.map_copy(file) }.map(MmapRaw::from);
    match (form.exec, form.private, form.writable) {
        // SAFETY: as above.
        (true, _, _) => unsafe { options.map_exec(file) }.map(Into::into),
        (false, false, true) => options.map_raw(file),
        (false, false, false) if super::page_abilities().copy => options.map_raw_read_only(file),
        (false, true, true) => copy(),
        // The guard must be able to make a page a private copy.
        (false, _, false) => {
            let view = copy()?;
            super::protect(pages_of(&view), super::Protection::Read).map_err(|fail| {
                io::Error::from_raw_os_error(fail.errno().unwrap_or(code::EINVAL))
            })?;
            Ok(view)
        }
    }
}

/// The whole pages of a view.
fn pages_of(view: &MmapRaw) -> Pages {
    let page = super::page_size();
    let start = view.as_mut_ptr() as usize;
    let base = start / page * page;
    Pages {
        base: base as *mut u8,
        length: (start + view.len()).next_multiple_of(page) - base,
    }
}

/// Refused: nothing can be mapped over pages of somebody else.
///
/// # Safety
/// None here; `unsafe` because it is elsewhere.
pub unsafe fn share_again(_base: *mut u8, _target: *mut u8, _length: usize) -> Outcome<()> {
    Err(Fail::system(code::ENOTSUP, "MapViewOfFile"))
}

/// The same file, through a handle that cannot write.
pub fn reopen_read_only(file: &File) -> Outcome<File> {
    reopen(file, fs::FILE_GENERIC_READ)
}

/// The same file, through a handle that may execute it, too: "If this value [PAGE_EXECUTE_READ] is specified, the file must have been created with
/// GENERIC_READ and GENERIC_EXECUTE" (CreateFileMapping). Nothing that is mapped so is written.
pub fn for_exec(file: File) -> Outcome<File> {
    if facts(&file)?.kind != FileKind::Regular {
        // Not to be mapped anyway, and whoever looks next says why.
        return Ok(file);
    }
    reopen(&file, GENERIC_READ | GENERIC_EXECUTE).map_err(|fail| {
        if fail.errno() == Some(code::EPERM) {
            Fail::system(code::EACCES, "open").hint("this user may not execute the file")
        } else {
            fail
        }
    })
}

/// ReOpenFile.
fn reopen(file: &File, access: u32) -> Outcome<File> {
    let share = fs::FILE_SHARE_READ | fs::FILE_SHARE_WRITE | fs::FILE_SHARE_DELETE;
    // SAFETY: an open handle.
    let ours = unsafe { fs::ReOpenFile(handle(file), access, share, 0) };
    if ours == INVALID_HANDLE_VALUE {
        return Err(Fail::last("open"));
    }
    // SAFETY: the handle is new and nobody else owns it.
    Ok(unsafe { File::from_raw_handle(ours) })
}

/// FSCTL_SET_SPARSE: what nobody writes takes no room. Only a wish: file systems without holes keep their files whole.
pub fn make_sparse(file: &File) {
    let mut returned = 0;
    // SAFETY: no buffers ("if lpInBuffer is NULL, the file is made sparse"), and a place on this stack for the count.
    unsafe {
        DeviceIoControl(
            handle(file),
            FSCTL_SET_SPARSE,
            std::ptr::null(),
            0,
            std::ptr::null_mut(),
            0,
            &raw mut returned,
            std::ptr::null_mut(),
        );
    }
}
