//! Target and request -> a file with the right flags and length -> a Region. Whatever fails leaves the file as it was.
#![allow(unsafe_code, reason = "mapping a file that others may change; Region never makes a reference to its bytes")]

use std::fs::File;
use std::sync::Arc;

use memmap2::{MmapOptions, MmapRaw};

use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::fault;
use crate::os::{self, FileKind, OpenMode};
use crate::region::{Access, Form, Region, Source};
use crate::request::{Request, Target};

/// Opens and maps.
pub fn open(request: &Request) -> Outcome<Arc<Region>> {
    let path = request.path();
    attempt(request).map_err(|fail| fail.at(path.as_deref()))
}

/// Private zero-filled memory.
pub fn anonymous(length: usize) -> Outcome<Arc<Region>> {
    let form = Form { access: Access::Write, private: true, writable: true };
    let pages = if length == 0 {
        None
    } else {
        Some(MmapOptions::new().len(length).map_anon().map_err(|error| Fail::io(&error, "mmap"))?.into())
    };
    Ok(Region::new(pages, length, form, Source { file: None, offset: 0, path: None }))
}

fn attempt(request: &Request) -> Outcome<Arc<Region>> {
    let (file, created) = file_of(request)?;
    let before = os::facts(&file)?;
    let size = match before.kind {
        FileKind::Regular | FileKind::Block => Some(before.size),
        FileKind::Character => None,
        FileKind::Directory => return Err(Fail::system(code::EISDIR, "mmap")),
        FileKind::Stream => return Err(Fail::system(code::ENODEV, "mmap")),
    };
    if request.access == Access::Write && !os::is_writable(&file) {
        return Err(Fail::system(code::EACCES, "mmap"));
    }
    let result = length_of(request, size).and_then(|length| {
        let end = request.offset + length;
        let extended = size.is_some_and(|size| end > size);
        if extended {
            extend(&file, request, before.size, end)?;
        }
        let mapped = map(&file, request, length);
        if extended && mapped.is_err() {
            take_back(&file, before.size, end);
        }
        mapped
    });
    match result {
        Ok((pages, length, form)) => {
            let source = Source { file: Some(file), offset: request.offset, path: request.path() };
            Ok(Region::new(pages, length, form, source))
        }
        Err(fail) => {
            if let (true, Target::Path(path)) = (created, &request.target) {
                os::remove_if_same(path, &file);
            }
            Err(fail)
        }
    }
}

fn file_of(request: &Request) -> Outcome<(File, bool)> {
    match &request.target {
        Target::Path(path) => {
            let mode = OpenMode { write: request.access == Access::Write, create: request.create, exclusive: request.exclusive };
            os::open_path(path, mode)
        }
        Target::Fd(fd) => os::duplicate(*fd).map(|file| (file, false)),
    }
}

/// How many bytes to map; `size` is `None` for a character device.
fn length_of(request: &Request, size: Option<u64>) -> Outcome<u64> {
    let Some(size) = size else {
        return request.length.ok_or_else(|| Fail::system(code::EINVAL, "mmap").hint("a character device has no size: give a length"));
    };
    let end = match request.length {
        Some(length) => request.offset.checked_add(length).ok_or_else(|| Fail::system(code::EOVERFLOW, "mmap"))?,
        None => size.max(request.offset),
    };
    let may_extend = request.access == Access::Write && request.length.is_some();
    if (end > size && !may_extend) || (request.length.is_none() && request.offset > size) {
        return Err(Fail::out_of_range(format!(
            "The value of \"offset\" + \"length\" is out of range. It must be <= {size}, the size of the file. Received {end}"
        )));
    }
    Ok(end - request.offset)
}

fn extend(file: &File, request: &Request, old: u64, new: u64) -> Outcome<()> {
    let done = if request.sparse { os::set_length(file, new) } else { os::allocate(file, old, new) };
    if done.is_err() {
        take_back(file, old, new);
    }
    done
}

/// Gives a failed extension back, unless somebody else has changed the size meanwhile.
fn take_back(file: &File, old: u64, new: u64) {
    if let Ok(now) = os::facts(file)
        && now.size > old
        && now.size <= new
    {
        let _ = os::set_length(file, old);
    }
}

fn map(file: &File, request: &Request, length: u64) -> Outcome<(Option<MmapRaw>, usize, Form)> {
    let access = request.access;
    let guarded = fault::enabled();
    let form = Form {
        access,
        private: access == Access::Copy || (access == Access::Read && !guarded),
        writable: access != Access::Read || !guarded,
    };
    let size = usize::try_from(length).map_err(|_| Fail::system(code::ENOMEM, "mmap").hint("longer than the address space"))?;
    if size == 0 {
        return Ok((None, 0, form));
    }
    fault::ensure();
    let mut options = MmapOptions::new();
    options.offset(request.offset).len(size);
    // SAFETY (of all four): the bytes may change under us and the file may shrink; Region hands out raw pointers only, and the guard answers the faults.
    let attempt = |form: Form| -> std::io::Result<MmapRaw> {
        match (form.private, form.writable) {
            (false, true) => options.map_raw(file),
            (false, false) => options.map_raw_read_only(file),
            // SAFETY: see above.
            (true, true) if access == Access::Read => unsafe { options.clone().no_reserve_swap().map_copy(file).map(Into::into) },
            // SAFETY: see above.
            (true, true) => unsafe { options.map_copy(file).map(Into::into) },
            // SAFETY: see above.
            (true, false) => unsafe { options.map_copy_read_only(file).map(Into::into) },
        }
    };
    let fallbacks = [Form { private: false, writable: false, ..form }, Form { private: true, writable: false, ..form }];
    let first = match attempt(form) {
        Ok(pages) => return Ok((Some(pages), size, form)),
        Err(error) => Fail::io(&error, "mmap"),
    };
    // Files that refuse one form take another: sysfs only PROT_READ|MAP_PRIVATE; strict overcommit refuses the private writable one.
    if access == Access::Read && first.errno() != Some(code::EBADF) {
        for form in fallbacks {
            if let Ok(pages) = attempt(form) {
                return Ok((Some(pages), size, form));
            }
        }
    }
    Err(first)
}
