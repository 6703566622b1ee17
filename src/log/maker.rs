//! The next segment of a log, made while the present one fills: created, allocated, its header written, its pages faulted in.
//!
//! On a thread of its own and taken by a synchronous call: a program that appends in a loop never gets back to its event loop, where a Promise would resolve.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use napi::Env;
use napi_derive::napi;

use super::pages::{advise_large, prefault};
use crate::bytes;
use crate::error::Outcome;
use crate::mapping::NativeMapping;
use crate::open;
use crate::region::Region;
use crate::request::Request;
use crate::thread;

/// `lib/flags.ts`
const WRITE_NEW: u32 = 1 | 8;

/// What is to be made.
struct Plan {
    path: String,
    length: f64,
    header: Vec<u8>,
    huge: bool,
}

/// What a thread is making; `None` until it is there. A channel would bring 10 KB of code along.
#[derive(Default)]
struct Job {
    made: Mutex<Option<Outcome<Arc<Region>>>>,
    ready: Condvar,
}

/// Makes segments.
#[napi]
#[derive(Default)]
pub struct NativeSegmentMaker {
    job: Option<Arc<Job>>,
}

#[napi]
impl NativeSegmentMaker {
    /// Nothing is being made.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins to make a file of `length` bytes that starts with `header`. `huge`: its pages are faulted in, as large ones.
    #[napi]
    pub fn prepare(
        &mut self,
        env: &Env,
        path: String,
        length: f64,
        header: &[u8],
        huge: bool,
    ) -> napi::Result<()> {
        let plan = Plan {
            path,
            length,
            header: header.to_vec(),
            huge,
        };
        let job = Arc::new(Job::default());
        let ours = Arc::clone(&job);
        let work = move || {
            let made = make(&plan);
            let region = made.as_ref().ok().cloned();
            // Before anybody else can touch its pages: the first one that is faulted in decides about its neighbours.
            if let Some(region) = region.as_ref().filter(|_| plan.huge) {
                advise_large(region);
            }
            *ours.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
            ours.ready.notify_one();
            drop(ours);
            // Whoever takes it need not wait for its pages: those that are not there yet come one by one, while this thread runs ahead.
            if let Some(region) = region.filter(|_| plan.huge) {
                prefault(&region);
            }
        };
        thread::spawn("memmap-segment", 0, Box::new(work)).map_err(|fail| fail.into_js(env))?;
        self.job = Some(job);
        Ok(())
    }

    /// What `prepare` made, waiting for it where it must; throws what went wrong. `null` if nothing was asked for.
    #[napi]
    pub fn take(&mut self, env: &Env) -> napi::Result<Option<NativeMapping>> {
        let Some(job) = self.job.take() else {
            return Ok(None);
        };
        let mut made = job.made.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(made) = made.take() {
                return made
                    .map(|region| Some(NativeMapping::new(region)))
                    .map_err(|fail| fail.into_js(env));
            }
            // It always comes: a panic there ends the process.
            made = job.ready.wait(made).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Makes one here and now, without faulting its pages in.
    #[napi]
    pub fn make_sync(
        env: &Env,
        path: String,
        length: f64,
        header: &[u8],
    ) -> napi::Result<NativeMapping> {
        make(&Plan {
            path,
            length,
            header: header.to_vec(),
            huge: false,
        })
        .map(NativeMapping::new)
        .map_err(|fail| fail.into_js(env))
    }
}

fn make(plan: &Plan) -> Outcome<Arc<Region>> {
    let request = Request::new(
        napi::bindgen_prelude::Either3::A(plan.path.clone()),
        WRITE_NEW,
        0.0,
        plan.length,
        0o666,
        0.0,
    );
    let region = open::open(&request)?;
    if let Err(fail) = bytes::write(&region, plan.header.as_slice(), 0) {
        let _ = std::fs::remove_file(Path::new(&plan.path));
        return Err(fail);
    }
    Ok(region)
}
