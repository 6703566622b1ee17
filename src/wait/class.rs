//! What `lib/wait.ts` calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use super::{Place, code};
use crate::mapping::NativeMapping;

static NEXT: AtomicU32 = AtomicU32::new(1);

/// The asynchronous waits of one JavaScript environment.
#[napi]
pub struct NativeWaiter {
    id: u32,
    post: Arc<dyn Fn(u32, u32) + Send + Sync>,
}

#[napi]
impl NativeWaiter {
    /// `settled(code, token)` is called on this thread when a wait ends; it does not keep the process alive. `code`: 0 ok, 3 closed, 16 + errno.
    #[napi(constructor, ts_args_type = "settled: (news: number) => void")]
    pub fn new(env: &Env, settled: Function<'_, f64, ()>) -> napi::Result<Self> {
        let news = settled
            .build_threadsafe_function::<f64>()
            .weak::<true>()
            .build()?;
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        env.add_env_cleanup_hook(id, super::leave)?;
        // One number crosses faster than two: the token times 1024, plus the code.
        let post = move |token: u32, code: u32| {
            news.call(
                f64::from(token) * 1024.0 + f64::from(code),
                ThreadsafeFunctionCallMode::NonBlocking,
            );
        };
        Ok(Self {
            id,
            post: Arc::new(post),
        })
    }

    /// `futex_waitv`(2) on another thread: a token, or 0 if the word has another value now.
    #[napi]
    pub fn wait(
        &self,
        env: &Env,
        mapping: &NativeMapping,
        byte_offset: f64,
        expected: u32,
    ) -> napi::Result<u32> {
        mapping.run(env, |region| {
            let place = Place::new(region, byte_offset as usize)?;
            super::begin(place, expected, self.id, Arc::clone(&self.post))
                .map(Option::unwrap_or_default)
        })
    }

    /// Ends a wait of this environment without a call.
    #[napi]
    pub fn cancel(&self, token: u32) {
        super::cancel(self.id, token);
    }
}

#[napi]
impl NativeMapping {
    /// futex(2) in this thread, for at most so many milliseconds: a code of `NativeWaiter`.
    #[napi]
    pub fn wait_slice(
        &self,
        env: &Env,
        byte_offset: f64,
        expected: u32,
        milliseconds: f64,
    ) -> napi::Result<u32> {
        self.run(env, |region| {
            let place = Place::new(region, byte_offset as usize)?;
            super::sleep(
                &place,
                expected,
                Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default(),
            )
        })
    }

    /// Wakes at most `count` waiters of the word, of any thread and process; how many there were.
    #[napi]
    pub fn notify(&self, env: &Env, byte_offset: f64, count: u32) -> napi::Result<u32> {
        self.run(env, |region| {
            super::notify(&Place::new(region, byte_offset as usize)?, count)
        })
    }
}

const _: () = assert!(code::FAILED < 1024);
