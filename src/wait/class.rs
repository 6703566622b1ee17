//! What `lib/wait.ts` calls.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Function, Unknown};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use super::{Place, code};
use crate::function;
use crate::mapping::NativeMapping;
use crate::region::Region;

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

    /// Ends a wait of this environment without a call; false if it has ended, and the call is on its way.
    #[napi]
    pub fn cancel(&self, token: u32) -> bool {
        super::cancel(self.id, token)
    }
}

#[napi]
impl NativeMapping {
    /// A function `(byteOffset, expected, milliseconds)`, futex(2) in this thread: a code of `NativeWaiter`; 3 when these pages are not the mapping's
    /// any more: ask for another function.
    #[napi(
        ts_return_type = "(byteOffset: number, expected: number, milliseconds: number) => number"
    )]
    pub fn sleeper<'env>(&self, env: &'env Env) -> napi::Result<Unknown<'env>> {
        let weak = self.run(env, |region| Ok(Arc::downgrade(region)))?;
        function::make(env, c"wait", move |[offset, expected, milliseconds]| {
            let Some(region) = live(&weak) else {
                return Ok(Some(f64::from(code::CLOSED)));
            };
            let place = Place::new(&region, offset as usize)?;
            let time = Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default();
            super::sleep(&place, expected as u32, time).map(|code| Some(f64::from(code)))
        })
    }

    /// A function `(byteOffset, count)` that wakes at most `count` waiters of the word, of any thread and process: how many there were; -1 as 3 of `sleeper`.
    #[napi(ts_return_type = "(byteOffset: number, count: number) => number")]
    pub fn waker<'env>(&self, env: &'env Env) -> napi::Result<Unknown<'env>> {
        let weak = self.run(env, |region| Ok(Arc::downgrade(region)))?;
        function::make(env, c"notify", move |[offset, count, _]| {
            let Some(region) = live(&weak) else {
                return Ok(Some(-1.0));
            };
            let woken = super::notify(&Place::new(&region, offset as usize)?, count as u32)?;
            Ok(Some(f64::from(woken)))
        })
    }
}

/// The Region, as long as its pages are the mapping's: a function of JavaScript may outlive that by far.
fn live(weak: &Weak<Region>) -> Option<Arc<Region>> {
    weak.upgrade().filter(|region| !region.is_retired())
}

const _: () = assert!(code::FAILED < 1024);
