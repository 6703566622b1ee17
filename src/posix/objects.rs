//! shm_open(3), shm_unlink(3), memfd_create(2), sysconf(3): convert, delegate, return. Descriptors are numbers that the caller closes.

use std::ffi::{CStr, CString};
use std::fs::File;

use napi::Env;
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::{os, shm, sysconf};

/// TypeScript refuses NUL under the name of its argument.
fn name(text: &str, syscall: &'static str) -> Outcome<CString> {
    CString::new(text).map_err(|_| Fail::system(code::EINVAL, syscall))
}

fn descriptor(
    env: &Env,
    text: &str,
    syscall: &'static str,
    open: impl FnOnce(&CStr) -> Outcome<File>,
) -> napi::Result<i32> {
    name(text, syscall)
        .and_then(|name| open(&name))
        .map(os::into_fd)
        .map_err(|fail| fail.into_js(env))
}

/// shm_open(3).
#[napi]
pub fn posix_shm_open(env: &Env, name: String, flags: i32, mode: u32) -> napi::Result<i32> {
    descriptor(env, &name, "shm_open", |name| {
        shm::shm_open(name, flags, mode)
    })
}

/// shm_unlink(3).
#[napi]
pub fn posix_shm_unlink(env: &Env, name: String) -> napi::Result<()> {
    self::name(&name, "shm_unlink")
        .and_then(|name| shm::shm_unlink(&name))
        .map_err(|fail| fail.into_js(env))
}

/// memfd_create(2).
#[napi]
pub fn posix_memfd_create(env: &Env, name: String, flags: u32) -> napi::Result<i32> {
    descriptor(env, &name, "memfd_create", |name| {
        shm::memfd_create(name, flags)
    })
}

/// sysconf(3): -1 where there is no limit, as in C.
#[napi]
pub fn posix_sysconf(env: &Env, name: i32) -> napi::Result<BigInt> {
    sysconf::sysconf(name)
        .map(|value| BigInt::from(value.unwrap_or(-1)))
        .map_err(|fail| fail.into_js(env))
}
