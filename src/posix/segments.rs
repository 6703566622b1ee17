//! System V segments: ftok(3), shmget(2), shmat(2), shmctl(2): convert, delegate, return.

use std::path::Path;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use super::word;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::mapping::NativeMapping;
use crate::os::{self, Access, Form, Fresh};
use crate::region::{Memory, Owned, Region, Source};
use crate::{registry, sysv};

/// ftok(3).
#[napi]
pub fn posix_ftok(env: &Env, path: String, id: i32) -> napi::Result<i32> {
    // A key_t is an int on every system that has one.
    sysv::ftok(Path::new(&path), id)
        .map(|key| key as i32)
        .map_err(|fail| fail.into_js(env))
}

/// shmget(2).
#[napi]
pub fn posix_shmget(env: &Env, key: i32, length: BigInt, flags: i32) -> napi::Result<i32> {
    word(&length, "shmget")
        .and_then(|length| sysv::shmget(i64::from(key), length, flags))
        .map_err(|fail| fail.into_js(env))
}

/// shmat(2). `read_only`, `exec`, `over`: what `SHM_RDONLY`, `SHM_EXEC` and `SHM_REMAP` in `flags` say.
#[napi]
pub fn posix_shmat(
    env: &Env,
    id: i32,
    address: BigInt,
    flags: i32,
    read_only: bool,
    exec: bool,
    over: bool,
) -> napi::Result<NativeMapping> {
    word(&address, "shmat")
        .and_then(|address| attach(id, address, flags, Rights { read_only, exec }, over))
        .map(NativeMapping::new)
        .map_err(|fail| fail.into_js(env))
}

struct Rights {
    read_only: bool,
    exec: bool,
}

fn attach(id: i32, address: usize, flags: i32, rights: Rights, over: bool) -> Outcome<Arc<Region>> {
    let finish = |memory: Memory, length: usize| {
        let access = if rights.read_only {
            Access::Read
        } else {
            Access::Write
        };
        let form = Form {
            access,
            private: false,
            writable: !rights.read_only,
            exec: rights.exec,
            mapped: false,
        };
        Region::new(
            memory,
            length,
            form,
            Source {
                file: None,
                offset: 0,
                path: None,
                page: os::page_size(),
                sparse: true,
            },
        )
    };
    if !over {
        let (base, length) = sysv::attach_at(id, address, flags)?.into_range();
        return Ok(finish(
            Memory::Owned(Arc::new(Owned::attached(
                base,
                length.next_multiple_of(os::page_size()),
            ))),
            length,
        ));
    }
    let length = sysv::stat(id)?.length as usize;
    let (space, at) = registry::space_around(address, length).ok_or_else(|| {
        Fail::system(code::EINVAL, "shmat").hint("SHM_REMAP only inside of a Reservation")
    })?;
    let (base, length) = sysv::attach_at(id, 0, flags)?.into_range();
    let whole = length.next_multiple_of(os::page_size());
    let fresh = vec![(Fresh::adopt(base, whole)?, whole)];
    space.place(
        at,
        length,
        true,
        fresh,
        Box::new(|memory| finish(memory, length)),
    )
}

/// shmctl(2) with `IPC_RMID`.
#[napi]
pub fn posix_shm_remove(env: &Env, id: i32) -> napi::Result<()> {
    sysv::remove(id).map_err(|fail| fail.into_js(env))
}

/// shmctl(2) with a command that takes no structure.
#[napi]
pub fn posix_shm_control(env: &Env, id: i32, command: i32) -> napi::Result<()> {
    sysv::control(id, command).map_err(|fail| fail.into_js(env))
}

/// shmctl(2) with `IPC_SET`; what is absent stays.
#[napi]
pub fn posix_shm_change(
    env: &Env,
    id: i32,
    uid: Option<u32>,
    gid: Option<u32>,
    mode: Option<u32>,
) -> napi::Result<()> {
    sysv::change(id, sysv::Change { uid, gid, mode }).map_err(|fail| fail.into_js(env))
}

/// shmctl(2) with `IPC_STAT`: key, length, mode, uid, gid, creator's uid and gid, its process, the last one's, attachments, times of
/// attaching, detaching and changing.
#[napi]
pub fn posix_shm_stat(env: &Env, id: i32) -> napi::Result<Vec<f64>> {
    let found = sysv::stat(id).map_err(|fail| fail.into_js(env))?;
    Ok(vec![
        found.key as f64,
        found.length as f64,
        f64::from(found.mode),
        f64::from(found.uid),
        f64::from(found.gid),
        f64::from(found.creator_uid),
        f64::from(found.creator_gid),
        f64::from(found.creator),
        f64::from(found.last),
        found.attached as f64,
        found.attach_time as f64,
        found.detach_time as f64,
        found.change_time as f64,
    ])
}
