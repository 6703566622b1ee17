//! mprotect(2), madvise(2), msync(2), mlock(2), munlock(2), mincore(2) on addresses of ours. A range with a hole in it is worked on as far as it
//! is mapped, and then `ENOMEM`, as the kernel does.

use napi::Env;
use napi::bindgen_prelude::{BigInt, Uint8Array};
use napi_derive::napi;

use super::word;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::os::{self, Pages, Protection};
use crate::registry::{self, Stretch};

fn each(
    address: &BigInt,
    length: &BigInt,
    syscall: &'static str,
    call: &mut dyn FnMut(&Stretch, Pages) -> Outcome<()>,
) -> Outcome<()> {
    let (address, length) = (word(address, syscall)?, word(length, syscall)?);
    let found = registry::find(address, length, syscall)?;
    for stretch in &found.stretches {
        call(stretch, stretch.region.pages_at(stretch.from, stretch.to))?;
    }
    if found.gaps {
        Err(Fail::system(code::ENOMEM, syscall))
    } else {
        Ok(())
    }
}

/// Most of these calls insist on the first byte of a page.
fn aligned(address: &BigInt, syscall: &'static str) -> Outcome<()> {
    if word(address, syscall)?.is_multiple_of(os::page_size()) {
        Ok(())
    } else {
        Err(Fail::system(code::EINVAL, syscall))
    }
}

/// mprotect(2). Returns the ids of the mappings that it changed.
#[napi]
pub fn posix_protect(
    env: &Env,
    address: BigInt,
    length: BigInt,
    protection: i32,
) -> napi::Result<Vec<f64>> {
    let mut ids = Vec::new();
    aligned(&address, "mprotect")
        .and_then(|()| {
            each(&address, &length, "mprotect", &mut |stretch, pages| {
                stretch
                    .region
                    .protect_pages(pages, Protection::Raw(protection))?;
                ids.push(stretch.region.id() as f64);
                Ok(())
            })
        })
        .map(|()| ids)
        .map_err(|fail| fail.into_js(env))
}

/// `MADV_GUARD_INSTALL` of Linux 6.13. Such a page raises the signal of an address that is nobody's, and mprotect(2) does not open it.
const GUARD_INSTALL: i32 = if cfg!(any(target_os = "linux", target_os = "android")) {
    102
} else {
    i32::MIN
};

/// madvise(2) 0, msync(2) 1, mlock(2) 2, munlock(2) 3: one function, as each costs kilobytes. `number`: the advice, or the flags.
#[napi]
pub fn posix_range(
    env: &Env,
    call: u32,
    address: BigInt,
    length: BigInt,
    number: i32,
) -> napi::Result<()> {
    let (name, aligns): (&'static str, bool) = match call {
        0 => ("madvise", true),
        1 => ("msync", true),
        2 => ("mlock", false),
        _ => ("munlock", false),
    };
    let alignment = if aligns {
        aligned(&address, name)
    } else {
        Ok(())
    };
    alignment
        .and_then(|()| {
            each(&address, &length, name, &mut |stretch, pages| match call {
                0 if number == GUARD_INSTALL => Err(Fail::system(code::ENOTSUP, "madvise")
                    .hint("an access to a guard page cannot be mended: use mprotect")),
                0 => os::advise_raw(pages, number),
                1 => stretch
                    .region
                    .check_fault()
                    .and_then(|()| os::sync_raw(pages, number)),
                2 => os::lock_raw(pages),
                _ => os::unlock_raw(pages),
            })
        })
        .map_err(|fail| fail.into_js(env))
}

/// mincore(2): one byte a page.
#[napi]
pub fn posix_core(env: &Env, address: BigInt, length: BigInt) -> napi::Result<Uint8Array> {
    let mut states = Vec::new();
    aligned(&address, "mincore")
        .and_then(|()| {
            each(&address, &length, "mincore", &mut |_, pages| {
                states.extend(os::core_raw(pages)?);
                Ok(())
            })
        })
        .map(|()| Uint8Array::from(states))
        .map_err(|fail| fail.into_js(env))
}
