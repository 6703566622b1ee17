//! Shared memory and mappings that several workers hold: convert, delegate, return.

use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use crate::error::Fail;
use crate::mapping::NativeMapping;
use crate::os::{Access, Seal};
use crate::tasks::shared::{SharedTask, SharedWork};
use crate::{handles, shared_memory};

#[napi]
impl NativeMapping {
    /// shm_open(3) with `O_CREAT`.
    #[napi]
    pub fn shared_create_sync(
        env: &Env,
        name: String,
        length: f64,
        mode: u32,
        exclusive: bool,
    ) -> napi::Result<Self> {
        shared_memory::create(&name, length as u64, mode, exclusive)
            .map(Self::new)
            .map_err(|fail| fail.into_js(env))
    }

    /// The same on another thread.
    #[napi(ts_return_type = "Promise<NativeMapping>")]
    pub fn shared_create(
        name: String,
        length: f64,
        mode: u32,
        exclusive: bool,
    ) -> AsyncTask<SharedTask> {
        AsyncTask::new(SharedTask(SharedWork::Create {
            name,
            length: length as u64,
            mode,
            exclusive,
        }))
    }

    /// shm_open(3) of an object that is there.
    #[napi]
    pub fn shared_open_sync(env: &Env, name: String, write: bool) -> napi::Result<Self> {
        shared_memory::open(&name, access(write))
            .map(Self::new)
            .map_err(|fail| fail.into_js(env))
    }

    /// The same on another thread.
    #[napi(ts_return_type = "Promise<NativeMapping>")]
    pub fn shared_open(name: String, write: bool) -> AsyncTask<SharedTask> {
        AsyncTask::new(SharedTask(SharedWork::Open {
            name,
            access: access(write),
        }))
    }

    /// memfd_create(2), sealed.
    #[napi]
    pub fn shared_nameless(env: &Env, length: f64, seals: Vec<String>) -> napi::Result<Self> {
        shared_memory::nameless(length as u64, &Seal::of(&seals))
            .map(Self::new)
            .map_err(|fail| fail.into_js(env))
    }

    /// fcntl(F_ADD_SEALS).
    #[napi]
    pub fn seal(&self, env: &Env, seals: Vec<String>) -> napi::Result<()> {
        self.run(env, |region| shared_memory::seal(region, &Seal::of(&seals)))
    }

    /// A name under which another thread of this process finds the memory, while a mapping of it is open. `label` comes back with it.
    #[napi]
    pub fn share(&self, env: &Env, label: u32) -> napi::Result<String> {
        self.run(env, |region| handles::publish(region, label))
    }

    /// Another mapping of the memory behind a name that `share` gave.
    #[napi]
    pub fn from_handle(env: &Env, name: String) -> napi::Result<Self> {
        handles::take(&name)
            .map(Self::new)
            .map_err(|fail| fail.into_js(env))
    }

    /// What `share` was given.
    #[napi(getter)]
    pub fn label(&self, env: &Env) -> napi::Result<u32> {
        self.run(env, |region| Ok(region.label()))
    }

    /// The path as the opener gave it.
    #[napi(getter)]
    pub fn path(&self, env: &Env) -> napi::Result<Option<String>> {
        self.run(env, |region| Ok(region.path().map(str::to_owned)))
    }

    /// How many mappings hold the memory.
    #[napi(getter)]
    pub fn holders(&self, env: &Env) -> napi::Result<u32> {
        self.run(env, |region| {
            u32::try_from(region.holders()).map_err(|_| Fail::closed())
        })
    }
}

/// shm_unlink(3).
#[napi]
pub fn shared_unlink(env: &Env, name: String) -> napi::Result<()> {
    shared_memory::unlink(&name).map_err(|fail| fail.into_js(env))
}

/// The names of all shared memory objects.
#[napi]
pub fn shared_list(env: &Env) -> napi::Result<Vec<String>> {
    shared_memory::list().map_err(|fail| fail.into_js(env))
}

fn access(write: bool) -> Access {
    if write { Access::Write } else { Access::Read }
}
