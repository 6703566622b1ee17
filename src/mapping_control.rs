//! Memory controls and resizing of [`NativeMapping`]: convert, delegate, return.

use napi::Env;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::mapping::NativeMapping;
use crate::os::Protection;
use crate::region::Resized;

/// What mincore(2) says.
#[napi(object)]
pub struct NativeResidency {
    /// Pages asked for.
    pub pages: f64,
    /// How many are in memory.
    pub resident: f64,
    /// One bit a page, lowest bit first.
    pub bitmap: Uint8Array,
    /// Whether the system tells this process the truth.
    pub exact: bool,
}

#[napi]
impl NativeMapping {
    /// madvise(2) with a hint that loses nothing.
    #[napi]
    pub fn advise(
        &self,
        env: &Env,
        advice: String,
        position: f64,
        length: f64,
    ) -> napi::Result<()> {
        self.run(env, |region| {
            region.advise(&advice, position as usize, length as usize)
        })
    }

    /// Drops contents.
    #[napi]
    pub fn discard(&self, env: &Env, position: f64, length: f64) -> napi::Result<()> {
        self.run(env, |region| {
            region.discard(position as usize, length as usize)
        })
    }

    /// mlock(2), mlock2(2).
    #[napi]
    pub fn lock(&self, env: &Env, position: f64, length: f64) -> napi::Result<()> {
        self.run(env, |region| {
            region.lock(position as usize, length as usize)
        })
    }

    /// munlock(2).
    #[napi]
    pub fn unlock(&self, env: &Env, position: f64, length: f64) -> napi::Result<()> {
        self.run(env, |region| {
            region.unlock(position as usize, length as usize)
        })
    }

    /// mprotect(2). `protection`: 0 none, 1 read, 2 write, 3 exec. How often rights have changed with this.
    #[napi]
    pub fn protect(
        &self,
        env: &Env,
        protection: u32,
        position: f64,
        length: f64,
    ) -> napi::Result<u32> {
        let protection = match protection {
            0 => Protection::None,
            1 => Protection::Read,
            2 => Protection::Write,
            _ => Protection::Exec,
        };
        self.run(env, |region| {
            region.protect(position as usize, length as usize, protection)?;
            Ok(region.changes())
        })
    }

    /// mincore(2).
    #[napi]
    pub fn residency(
        &self,
        env: &Env,
        position: f64,
        length: f64,
    ) -> napi::Result<NativeResidency> {
        self.run(env, |region| {
            let found = region.residency(position as usize, length as usize)?;
            Ok(NativeResidency {
                pages: found.pages as f64,
                resident: found.resident as f64,
                bitmap: found.bitmap.into(),
                exact: found.exact,
            })
        })
    }

    /// Another length (-1: the file's present one). `true`: the memory moved; the old views must be detached, then `resized` be called.
    #[napi]
    pub fn resize(&self, env: &Env, length: f64, may_move: bool) -> napi::Result<bool> {
        let resized = self.run(env, |region| {
            region.resize((length >= 0.0).then_some(length as u64), may_move)
        })?;
        let Resized::Moved(region) = resized else {
            return Ok(false);
        };
        let old = self.region.replace(Some(region));
        if let Some(old) = old {
            self.before.set(old.len());
            self.let_go(old);
        }
        Ok(true)
    }

    /// Second half of `resize`, after the views were detached: zeros under those that could not be, and the file cut where it shrinks.
    #[napi]
    pub fn resized(&self, env: &Env, views_remain: bool) -> napi::Result<()> {
        self.release(views_remain);
        self.run(env, |region| region.finish(self.before.get()))
    }
}
