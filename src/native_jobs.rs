//! The jobs of one JavaScript environment as TypeScript sees them: it starts them, is woken when there is news, and fetches it.
#![allow(
    unsafe_code,
    reason = "napi_ref_threadsafe_function, for which napi-rs wants the only handle"
)]

use std::sync::Arc;

use napi::bindgen_prelude::{Either, Float64Array, Float64ArraySlice, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};
use napi_derive::napi;

use crate::error::Fail;
use crate::jobs::{Answer, News, Owner};
use crate::mapping::NativeMapping;
use crate::work::load::Load;
use crate::work::search::{Query, Search, Want};

type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

/// Long work of this environment, on threads of ours.
#[napi]
pub struct NativeJobs {
    owner: Arc<Owner>,
    wake: Arc<Wake>,
}

#[napi]
impl NativeJobs {
    /// `threads`: `os.availableParallelism()`. `wake` is called on this thread soon after there is news. It does not keep the process alive; see `hold`.
    #[napi(constructor)]
    pub fn new(env: &Env, threads: u32, wake: Function<'_, (), ()>) -> napi::Result<Self> {
        let wake: Arc<Wake> = Arc::new(
            wake.build_threadsafe_function::<()>()
                .weak::<true>()
                .build()?,
        );
        let bell = Arc::clone(&wake);
        let owner = Owner::new(
            threads as usize,
            Box::new(move || {
                bell.call((), ThreadsafeFunctionCallMode::NonBlocking);
            }),
        );
        env.add_env_cleanup_hook(Arc::clone(&owner), |owner| owner.end())?;
        Ok(Self { owner, wake })
    }

    /// Reads a range into memory. Gives the job's id.
    #[napi]
    pub fn start_load(
        &self,
        env: &Env,
        mapping: &NativeMapping,
        position: f64,
        length: f64,
        progress: bool,
    ) -> napi::Result<f64> {
        mapping.run(env, |region| {
            let work = Load::new(Arc::clone(region), position as usize, length as usize);
            Ok(self.owner.start(Box::new(work), 1, progress) as f64)
        })
    }

    /// Looks for a needle within `from..end` on up to `threads` threads. `want`: 0 the first start or -1; 1 how many; 2 a batch of starts.
    #[napi]
    #[allow(
        clippy::too_many_arguments,
        reason = "one number each, straight from TypeScript"
    )]
    pub fn start_search(
        &self,
        env: &Env,
        mapping: &NativeMapping,
        want: u32,
        needle: &[u8],
        from: f64,
        end: f64,
        threads: u32,
        progress: bool,
    ) -> napi::Result<f64> {
        mapping.run(env, |region| {
            let want = [Want::First, Want::Count, Want::Starts][want.min(2) as usize];
            let query = Query::new(Arc::clone(region), needle, from as usize, end as usize);
            Ok(self.owner.start(
                Box::new(Search::new(query, want)),
                threads as usize,
                progress,
            ) as f64)
        })
    }

    /// The job ends after its current slice, and is not heard of again.
    #[napi]
    pub fn cancel(&self, id: f64) {
        self.owner.cancel(id as u64);
    }

    /// Writes the next news: the job's id, 1 if it has finished (then `take`), bytes so far. `false`: there is none.
    #[napi]
    pub fn fetch(&self, mut out: Float64ArraySlice<'_>) -> bool {
        let Some((id, news)) = self.owner.fetch() else {
            return false;
        };
        let (finished, done) = match news {
            News::Finished => (1.0, 0.0),
            News::Progress(done) => (0.0, done as f64),
        };
        for (slot, value) in crate::raw::numbers(&mut out)
            .iter_mut()
            .zip([id as f64, finished, done])
        {
            *slot = value;
        }
        true
    }

    /// The result of a finished job, or its error. A batch of starts begins with the position where the next one goes on, -1 at the end.
    #[napi]
    pub fn take(&self, env: &Env, id: f64) -> napi::Result<Option<Either<f64, Float64Array>>> {
        let answer = self
            .owner
            .take(id as u64)
            .unwrap_or_else(|| Err(Fail::closed()))
            .map_err(|fail| fail.into_js(env))?;
        Ok(match answer {
            Answer::Nothing => None,
            Answer::Number(number) => Some(Either::A(number)),
            Answer::Positions(positions) => Some(Either::B(Float64Array::new(positions))),
        })
    }

    /// Whether the process stays alive for news: while somebody awaits a job, as with any file operation.
    #[napi]
    pub fn hold(&self, env: &Env, on: bool) {
        // SAFETY: on the thread that made the function, which lives as long as `self.wake`. A refusal (it is closing) needs no answer.
        unsafe {
            if on {
                sys::napi_ref_threadsafe_function(env.raw(), self.wake.raw());
            } else {
                sys::napi_unref_threadsafe_function(env.raw(), self.wake.raw());
            }
        }
    }
}
