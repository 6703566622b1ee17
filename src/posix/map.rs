//! mmap(2), munmap(2), mremap(2): convert, delegate, return.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use super::word;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::mapping::NativeMapping;
use crate::os::{self, Access, Form, Fresh, MapArguments, Protection};
use crate::region::{Memory, Owned, Region, Source};
use crate::registry;

/// mmap(2).
#[napi]
pub fn posix_map(
    env: &Env,
    address: BigInt,
    length: BigInt,
    protection: i32,
    flags: i32,
    fd: i32,
    offset: BigInt,
) -> napi::Result<NativeMapping> {
    let (offset, _) = offset.get_i64();
    let arguments = MapArguments {
        protection,
        flags,
        fd,
        offset,
    };
    word(&address, "mmap")
        .and_then(|address| map(address, word(&length, "mmap")?, arguments))
        .map(NativeMapping::new)
        .map_err(|fail| fail.into_js(env))
}

fn map(address: usize, length: usize, arguments: MapArguments) -> Outcome<Arc<Region>> {
    let kind = os::map_kind(arguments.flags);
    let place = if kind.fixed {
        let found = registry::space_around(address, length);
        let bad = || {
            Fail::system(code::EINVAL, "mmap")
                .hint("MAP_FIXED only inside of a Reservation; MAP_FIXED_NOREPLACE elsewhere")
        };
        Some(found.ok_or_else(bad)?)
    } else {
        None
    };
    let file = if kind.anonymous {
        None
    } else {
        duplicate(arguments.fd)?
    };
    let page = match &file {
        Some(file) => os::facts(file)?.huge_page.unwrap_or_else(os::page_size),
        None => kind.page,
    };
    let whole = length
        .checked_next_multiple_of(page)
        .ok_or_else(|| Fail::system(code::ENOMEM, "mmap"))?;
    let lost = |base: *mut u8| {
        os::unmap(base, whole);
        Fail::system(code::EBADF, "mmap")
    };
    let finish = |memory: Memory| finish(memory, length, page, file.clone(), kind, arguments);
    match place {
        None => {
            let base = os::map_raw(address, length, arguments)?;
            // Somebody opened it between the two calls.
            if file.is_none() && !kind.anonymous {
                return Err(lost(base));
            }
            Ok(finish(Memory::Owned(Arc::new(Owned::mapped(base, whole)))))
        }
        Some((space, at)) => {
            let fresh = vec![(Fresh::map(length, arguments)?, whole)];
            space.place(at, length, true, fresh, Box::new(finish))
        }
    }
}

/// The guard needs a descriptor of its own. Of one that is not open the kernel itself is to speak: other arguments may be worse.
fn duplicate(fd: i32) -> Outcome<Option<Arc<std::fs::File>>> {
    match os::duplicate(fd) {
        Ok(file) => Ok(Some(Arc::new(file))),
        Err(fail) if fail.errno() == Some(code::EBADF) => Ok(None),
        Err(fail) => Err(fail
            .errno()
            .map_or(fail, |errno| Fail::system(errno, "mmap"))),
    }
}

fn finish(
    memory: Memory,
    length: usize,
    page: usize,
    file: Option<Arc<std::fs::File>>,
    kind: os::MapKind,
    arguments: MapArguments,
) -> Arc<Region> {
    let (readable, writable, exec, plain) = os::protection_parts(arguments.protection);
    // What mprotect(2) may still make of it; what it is now, the facade knows.
    let access = match &file {
        _ if kind.private => Access::Copy,
        Some(file) if !os::is_writable(file) => Access::Read,
        _ => Access::Write,
    };
    let form = Form {
        access,
        private: kind.private,
        writable,
        exec,
        mapped: file.is_some(),
    };
    let offset = if file.is_some() {
        arguments.offset as u64
    } else {
        0
    };
    let region = Region::new(
        memory,
        length,
        form,
        Source {
            file,
            offset,
            path: None,
            page,
            sparse: true,
        },
    );
    if !readable || !plain {
        region.remember(0, region.map_len(), Protection::Raw(arguments.protection));
    }
    region
}

/// munmap(2). Returns the ids of the mappings that are to be closed, as nothing of them remains; of others `PROT_NONE` pages are left. With
/// `all`, also of those that would be closed: their owners are elsewhere.
#[napi]
pub fn posix_unmap(
    env: &Env,
    address: BigInt,
    length: BigInt,
    all: bool,
) -> napi::Result<Vec<f64>> {
    let unmap = || {
        let (address, length) = (word(&address, "munmap")?, word(&length, "munmap")?);
        if length == 0 || !address.is_multiple_of(os::page_size()) {
            return Err(Fail::system(code::EINVAL, "munmap"));
        }
        let found = registry::find(address, length, "munmap")?;
        let whole = if all { Vec::new() } else { found.wholly() };
        for stretch in &found.stretches {
            if !whole
                .iter()
                .any(|region| Arc::ptr_eq(region, &stretch.region))
            {
                stretch.region.punch_out(stretch.from, stretch.to);
            }
        }
        Ok(whole.iter().map(|region| region.id() as f64).collect())
    };
    unmap().map_err(|fail| fail.into_js(env))
}

/// mremap(2) of a mapping as a whole; `target` is for `MREMAP_FIXED`.
#[napi]
pub fn posix_remap(
    env: &Env,
    address: BigInt,
    old_size: BigInt,
    new_size: BigInt,
    flags: i32,
    target: BigInt,
) -> napi::Result<NativeMapping> {
    let remap = || {
        let kind = os::remap_kind(flags)?;
        let region = registry::at(word(&address, "mremap")?).ok_or_else(|| {
            Fail::system(code::EINVAL, "mremap")
                .hint("not the first byte of a mapping of this package")
        })?;
        region.remap(
            word(&old_size, "mremap")?,
            word(&new_size, "mremap")?,
            kind,
            word(&target, "mremap")?,
        )
    };
    remap()
        .map(NativeMapping::new)
        .map_err(|fail| fail.into_js(env))
}

/// The id of the mapping whose first byte is at an address.
#[napi]
pub fn posix_owner(address: BigInt) -> Option<f64> {
    let address = word(&address, "mmap").ok()?;
    registry::at(address).map(|region| region.id() as f64)
}

/// The ids of the mappings that a placement would cover as a whole.
#[napi]
pub fn posix_covered(address: BigInt, length: BigInt) -> Vec<f64> {
    let find = || registry::find(word(&address, "mmap")?, word(&length, "mmap")?, "mmap");
    find().map_or_else(
        |_| Vec::new(),
        |found| {
            found
                .wholly()
                .iter()
                .map(|region| region.id() as f64)
                .collect()
        },
    )
}
