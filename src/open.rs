//! Target and request -> a file with the right flags and length -> a Region. Whatever fails leaves the file as it was.
#![allow(
    unsafe_code,
    reason = "mapping into a range that was just reserved, and filling fresh memory"
)]

use std::fs::File;
use std::sync::Arc;

use memmap2::{MmapOptions, MmapRaw};

use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::fault;
use crate::os::{self, Access, FileKind, Form, OpenMode, Pages, Reserved};
use crate::region::{Memory, Owned, Region, Source};
use crate::request::{IfUnsafe, Request, Target};

/// Opens and maps.
pub fn open(request: &Request) -> Outcome<Arc<Region>> {
    let path = request.path();
    attempt(request, &mut |file, length, page| {
        finished(file, request, length, page)
    })
    .map_err(|fail| fail.at(path.as_deref()))
}

/// Maps `length` bytes in pages of the given size. Not generic: each copy of the code around it would be kilobytes.
type Map<'a> = &'a mut dyn FnMut(&Arc<File>, usize, usize) -> Outcome<Arc<Region>>;
/// Maps `length` bytes of a source in a form.
type MapAs<'a> = &'a mut dyn FnMut(&File, Form, Source, usize) -> Outcome<Arc<Region>>;

/// Opens, and has `map` map it: at a place of its own.
pub fn open_as(request: &Request, map: MapAs<'_>) -> Outcome<Arc<Region>> {
    let path = request.path();
    attempt(request, &mut |file, length, page| {
        let source = Source {
            file: Some(Arc::clone(file)),
            offset: request.offset,
            path: request.path(),
            page,
            sparse: request.sparse,
        };
        map(file, form_of(request), source, length)
    })
    .map_err(|fail| fail.at(path.as_deref()))
}

/// Private zero-filled memory.
pub fn anonymous(length: usize, huge: bool, no_reserve: bool) -> Outcome<Arc<Region>> {
    let form = Form {
        access: Access::Write,
        private: true,
        writable: true,
        exec: false,
        mapped: false,
    };
    let page = if huge {
        os::huge_page_size()
    } else {
        os::page_size()
    };
    if huge && !os::HAS_HUGE_PAGES {
        return Err(Fail::system(code::ENOTSUP, "mmap").hint("this system has no huge pages"));
    }
    let memory = if length == 0 {
        Memory::Empty
    } else {
        map_zeros(length, huge, no_reserve, page)?.into()
    };
    Ok(Region::new(memory, length, form, nameless(page)))
}

/// The same for a Region that replaces another one of this form and page size.
pub fn anonymous_with(length: usize, form: Form, page: usize) -> Outcome<Arc<Region>> {
    let huge = page != os::page_size();
    let memory = if length == 0 {
        Memory::Empty
    } else {
        // Huge pages that are not reserved are missed only when they are stored to.
        map_zeros(length, huge, !huge, page)?.into()
    };
    Ok(Region::new(memory, length, form, nameless(page)))
}

fn nameless(page: usize) -> Source {
    Source {
        file: None,
        offset: 0,
        path: None,
        page,
        sparse: false,
    }
}

fn map_zeros(length: usize, huge: bool, no_reserve: bool, page: usize) -> Outcome<MmapRaw> {
    if !os::is_mappable(length) {
        return Err(Fail::system(code::ENOMEM, "mmap"));
    }
    let mut options = MmapOptions::new();
    // munmap(2): the length of a mapping of huge pages must be a multiple of their size.
    options.len(
        length
            .checked_next_multiple_of(page)
            .ok_or_else(|| Fail::system(code::ENOMEM, "mmap"))?,
    );
    if huge {
        options.huge(None);
    }
    if no_reserve {
        options.no_reserve_swap();
    }
    options.map_anon().map(Into::into).map_err(|error| {
        let fail = Fail::io(&error, "mmap");
        if huge && fail.errno() == Some(code::ENOMEM) {
            fail.hint("no huge pages are free; see /proc/sys/vm/nr_hugepages")
        } else {
            fail
        }
    })
}

fn attempt(request: &Request, map: Map<'_>) -> Outcome<Arc<Region>> {
    let (file, created) = file_of(request)?;
    let result = region_of(&file, request, map);
    if let (Err(_), true, Target::Path(path)) = (&result, created, &request.target) {
        os::remove_if_same(path, &file);
    }
    result
}

fn region_of(file: &Arc<File>, request: &Request, map: Map<'_>) -> Outcome<Arc<Region>> {
    let before = os::facts(file)?;
    let size = match before.kind {
        FileKind::Regular | FileKind::Block => Some(before.size),
        FileKind::Character => None,
        FileKind::Directory => return Err(Fail::system(code::EISDIR, "mmap")),
        FileKind::Stream => return Err(Fail::system(code::ENODEV, "mmap")),
    };
    if request.access == Access::Write && !os::is_writable(file) {
        return Err(Fail::system(code::EACCES, "mmap"));
    }
    let length = length_of(request, size)?;
    let end = request.offset + length;
    let length = usize::try_from(length)
        .map_err(|_| Fail::system(code::ENOMEM, "mmap").hint("longer than the address space"))?;
    let page = match before.huge_page {
        Some(huge) => huge,
        None if request.huge => return Err(Fail::system(code::ENOTSUP, "mmap").hint(
            "the file is not on a hugetlbfs; advise('hugepage') asks for transparent huge pages",
        )),
        None => os::page_size(),
    };
    if request.if_unsafe != IfUnsafe::Map && os::may_vanish(file) {
        return match request.if_unsafe {
            IfUnsafe::Copy => private_copy(file, request, length, page),
            _ => Err(Fail::system(code::ENOTSUP, "mmap").hint("the file can vanish under a mapping: it is on a network, FUSE or removable file system")),
        };
    }
    let extended = length > 0 && size.is_some_and(|size| end > size);
    if extended {
        extend(file, request.sparse, before.size, end)?;
    }
    let mapped = map(file, length, page);
    if extended && mapped.is_err() {
        take_back(file, before.size, end);
    }
    mapped
}

/// Maps an object that is no path's: shared memory.
pub fn region_of_object(
    file: &Arc<File>,
    access: Access,
    length: Option<u64>,
    name: Option<String>,
) -> Outcome<Arc<Region>> {
    let mut request = Request::of_descriptor(os::raw_fd(file), access);
    request.length = length;
    // Nameless memory is provided when it is first stored to, also where it grows: no disk says when to stop.
    request.sparse = name.is_none();
    let region = region_of(file, &request, &mut |file, length, page| {
        finished(file, &request, length, page)
    })?;
    region.set_path(name);
    Ok(region)
}

fn finished(
    file: &Arc<File>,
    request: &Request,
    length: usize,
    page: usize,
) -> Outcome<Arc<Region>> {
    let (memory, form) = map(file, request, length, page)?;
    let source = Source {
        file: Some(Arc::clone(file)),
        offset: request.offset,
        path: request.path(),
        page,
        sparse: request.sparse,
    };
    let region = Region::new(memory, length, form, source);
    // First what may be refused: a file that was made is taken back then, and nobody should have found it meanwhile.
    if request.lock {
        region.lock_always()?;
    }
    if request.populate && length > 0 {
        region.populate();
    }
    Ok(region)
}

fn file_of(request: &Request) -> Outcome<(Arc<File>, bool)> {
    match &request.target {
        Target::Path(path) => {
            let mode = OpenMode {
                write: request.access == Access::Write,
                create: request.create,
                exclusive: request.exclusive,
            };
            os::open_path(path, mode)
        }
        Target::Fd(fd) => {
            match os::duplicate(*fd) {
                Ok(_) if request.exclusive => Err(Fail::system(code::EEXIST, "open")
                    .hint("a descriptor is of a file that exists")),
                file => file.map(|file| (file, false)),
            }
        }
    }
    .and_then(|(file, created)| {
        if os::EXECUTION_IS_ASKED_FOR && request.exec {
            os::for_exec(file).map(|file| (file, created))
        } else {
            Ok((file, created))
        }
    })
    .map(|(file, created)| (Arc::new(file), created))
}

/// How many bytes to map; `size` is `None` for a character device.
fn length_of(request: &Request, size: Option<u64>) -> Outcome<u64> {
    let Some(size) = size else {
        return request.length.ok_or_else(|| {
            Fail::system(code::EINVAL, "mmap").hint("a character device has no size: give a length")
        });
    };
    let end = match request.length {
        Some(length) => request
            .offset
            .checked_add(length)
            .ok_or_else(|| Fail::system(code::EOVERFLOW, "mmap"))?,
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

/// Makes the file longer; on failure it is as before.
pub fn extend(file: &File, sparse: bool, old: u64, new: u64) -> Outcome<()> {
    let done = if sparse {
        os::make_sparse(file);
        os::set_length(file, new)
    } else {
        os::allocate(file, old, new)
    };
    if done.is_err() {
        take_back(file, old, new);
    }
    done
}

/// Gives a failed extension back, unless somebody else has changed the size meanwhile.
pub fn take_back(file: &File, old: u64, new: u64) {
    if let Ok(now) = os::facts(file)
        && now.size > old
        && now.size <= new
    {
        let _ = os::set_length(file, old);
    }
}

fn map(file: &Arc<File>, request: &Request, length: usize, page: usize) -> Outcome<(Memory, Form)> {
    let access = request.access;
    let form = form_of(request);
    if let Some(capacity) = request.capacity {
        let capacity = usize::try_from(capacity)
            .map_err(|_| Fail::system(code::ENOMEM, "mmap"))?
            .max(length);
        let reserved = reserve(file, form, request.offset, length, capacity, page)?;
        return Ok((Memory::Reserved(reserved), form));
    }
    if length == 0 {
        return Ok((Memory::Empty, form));
    }
    let first = match map_file_with(file, form, request.offset, length, page, request.no_reserve) {
        Ok(memory) => return Ok((memory, form)),
        Err(fail) => fail,
    };
    // Files that refuse one form take another: sysfs only PROT_READ|MAP_PRIVATE; strict overcommit refuses the private writable one.
    if access == Access::Read && !request.exec && first.errno() != Some(code::EBADF) {
        for form in [
            Form {
                private: false,
                writable: false,
                ..form
            },
            Form {
                private: true,
                writable: false,
                ..form
            },
        ] {
            if let Ok(memory) = map_file_with(file, form, request.offset, length, page, false) {
                return Ok((memory, form));
            }
        }
    }
    Err(first)
}

fn form_of(request: &Request) -> Form {
    let access = request.access;
    // By pages that are private: only the guard can keep a store out of the file otherwise.
    let swallowed = os::SWALLOWS_STORES && !fault::enabled() && !request.exec;
    Form {
        access,
        private: access == Access::Copy
            || request.private_read
            || (access == Access::Read && swallowed),
        writable: access != Access::Read || swallowed,
        exec: request.exec,
        mapped: true,
    }
}

/// Maps a part of a file in the given form, where the kernel likes.
pub fn map_file(
    file: &File,
    form: Form,
    offset: u64,
    length: usize,
    page: usize,
) -> Outcome<Memory> {
    if length == 0 {
        Ok(Memory::Empty)
    } else {
        map_file_with(file, form, offset, length, page, false)
    }
}

fn map_file_with(
    file: &File,
    form: Form,
    offset: u64,
    length: usize,
    page: usize,
    no_reserve: bool,
) -> Outcome<Memory> {
    // What fails here is tried once more, for the system's own word on it.
    if os::holds_places()
        && let Ok(held) = reserve(file, form, offset, length, length, page)
    {
        return Ok(Memory::Held(held));
    }
    if let Some(mapped) = os::map_section(file, form, length) {
        let length = length.next_multiple_of(page);
        return mapped.map(|base| Memory::Owned(Arc::new(Owned::mapped(base, length))));
    }
    if !os::is_mappable(length) {
        return Err(Fail::system(code::ENOMEM, "mmap"));
    }
    let mut options = MmapOptions::new();
    if page == os::page_size() {
        options.offset(offset).len(length);
    } else {
        // memmap2 would align to ordinary pages, and unmap so, too.
        let skip = offset % page as u64;
        let delta = usize::try_from(skip).unwrap_or(0);
        options
            .offset(offset - skip)
            .len((delta + length).next_multiple_of(page));
    }
    if no_reserve || (form.private && form.access == Access::Read) {
        options.no_reserve_swap();
    }
    os::map_view(&options, file, form)
        .map(Into::into)
        .map_err(|error| Fail::io(&error, "mmap"))
}

/// Maps into a range that is reserved first, so that the mapping can grow where it is, or can be taken out of it while somebody looks.
fn reserve(
    file: &File,
    form: Form,
    offset: u64,
    length: usize,
    capacity: usize,
    page: usize,
) -> Outcome<Reserved> {
    let delta = usize::try_from(offset % page as u64).unwrap_or(0);
    let room = capacity
        .checked_add(delta)
        .and_then(|bytes| bytes.checked_next_multiple_of(page))
        .ok_or_else(|| Fail::system(code::ENOMEM, "mmap"))?;
    let reserved = Reserved::new(room.max(page))?;
    if length > 0 {
        // SAFETY: the range lies inside what was just reserved; nobody else knows it.
        unsafe {
            os::map_again(
                reserved.base(),
                (delta + length).next_multiple_of(page),
                Some(file),
                offset - delta as u64,
                form,
            )?;
        };
    }
    Ok(reserved)
}

/// `ifUnsafe: 'copy'`: the bytes are read instead of mapped.
fn private_copy(
    file: &Arc<File>,
    request: &Request,
    length: usize,
    page: usize,
) -> Outcome<Arc<Region>> {
    let limit = os::free_memory().min(request.longest_copy);
    if length as u64 > limit {
        return Err(Fail::Coded {
            code: "ERR_FS_FILE_TOO_LARGE",
            range: true,
            message: format!(
                "File size ({length}) is greater than {limit} bytes, the most that can be copied"
            ),
        });
    }
    let form = Form {
        access: request.access,
        private: true,
        writable: request.access != Access::Read,
        exec: false,
        mapped: false,
    };
    let source = Source {
        file: Some(Arc::clone(file)),
        offset: request.offset,
        path: request.path(),
        page,
        sparse: false,
    };
    if length == 0 {
        return Ok(Region::new(Memory::Empty, 0, form, source));
    }
    let memory = map_zeros(length, false, false, os::page_size())?;
    // SAFETY: fresh private memory that nobody else knows yet.
    let bytes = unsafe { std::slice::from_raw_parts_mut(memory.as_mut_ptr(), length) };
    os::read_at(file, bytes, request.offset)?;
    if request.access == Access::Read {
        os::protect(
            Pages {
                base: memory.as_mut_ptr(),
                length: length.next_multiple_of(page),
            },
            os::Protection::Read,
        )?;
    }
    Ok(Region::new(memory.into(), length, form, source))
}
