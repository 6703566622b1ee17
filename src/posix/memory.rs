//! mprotect(2), madvise(2), msync(2), mlock(2), munlock(2), mincore(2) on addresses of ours. A range with a hole in it is worked on as far as it
//! is mapped, and then `ENOMEM`, as the kernel does.

use napi::Env;
use napi::bindgen_prelude::{BigInt, Uint8Array};
use napi_derive::napi;

use super::word;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::os::{self, Protection};
use crate::region::Pages;
use crate::registry::{self, Stretch};

fn each(
    address: &BigInt,
    length: &BigInt,
    syscall: &'static str,
    mut call: impl FnMut(&Stretch, Pages) -> Outcome<()>,
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
            each(&address, &length, "mprotect", |stretch, pages| {
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

/// madvise(2).
#[napi]
pub fn posix_advise(env: &Env, address: BigInt, length: BigInt, advice: i32) -> napi::Result<()> {
    aligned(&address, "madvise")
        .and_then(|()| {
            each(&address, &length, "madvise", |_, pages| {
                os::advise_raw(pages, advice)
            })
        })
        .map_err(|fail| fail.into_js(env))
}

/// msync(2).
#[napi]
pub fn posix_sync(env: &Env, address: BigInt, length: BigInt, flags: i32) -> napi::Result<()> {
    aligned(&address, "msync")
        .and_then(|()| {
            each(&address, &length, "msync", |stretch, pages| {
                stretch.region.check_fault()?;
                os::sync_raw(pages, flags)
            })
        })
        .map_err(|fail| fail.into_js(env))
}

/// mlock(2).
#[napi]
pub fn posix_lock(env: &Env, address: BigInt, length: BigInt) -> napi::Result<()> {
    each(&address, &length, "mlock", |_, pages| os::lock_raw(pages))
        .map_err(|fail| fail.into_js(env))
}

/// munlock(2).
#[napi]
pub fn posix_unlock(env: &Env, address: BigInt, length: BigInt) -> napi::Result<()> {
    each(&address, &length, "munlock", |_, pages| {
        os::unlock_raw(pages)
    })
    .map_err(|fail| fail.into_js(env))
}

/// mincore(2): one byte a page.
#[napi]
pub fn posix_core(env: &Env, address: BigInt, length: BigInt) -> napi::Result<Uint8Array> {
    let mut states = Vec::new();
    aligned(&address, "mincore")
        .and_then(|()| {
            each(&address, &length, "mincore", |_, pages| {
                states.extend(os::core_raw(pages)?);
                Ok(())
            })
        })
        .map(|()| Uint8Array::from(states))
        .map_err(|fail| fail.into_js(env))
}
