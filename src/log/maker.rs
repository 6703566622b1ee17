//! The next segment of a log, made while the present one fills: created, allocated, its header written, its pages faulted in.
//!
//! On a thread of its own and taken by a synchronous call: a program that appends in a loop never gets back to its event loop, where a Promise would resolve.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use napi::Env;
use napi_derive::napi;

use super::pages::{PREPARES, advise_alone, fill, prefault};
use super::stage::{Place, Stage};
use crate::bytes;
use crate::error::Outcome;
use crate::mapping::NativeMapping;
use crate::open;
use crate::region::Region;
use crate::request::Request;
use crate::thread;

/// `lib/flags.ts`
const WRITE_NEW: u32 = 1 | 8;

/// Bytes that are prepared at once: `reach` and `take` wait for no longer than that.
const SLICE: usize = 512 << 10;

/// What is to be made.
struct Plan {
    path: String,
    length: f64,
    header: Vec<u8>,
    warm: bool,
    place: Option<Place>,
}

/// A segment whose pages are prepared, slice by slice, while it is written already: nobody stores behind `ready` before `reach` has said so.
struct Cold {
    region: Arc<Region>,
    ready: usize,
}

impl Cold {
    fn new(region: Arc<Region>, ready: usize) -> Self {
        Self { region, ready }
    }

    /// The file of the next one is to be there before the writer can have used this one up.
    fn is_far(&self) -> bool {
        self.ready > self.region.len() / 2
    }
}

/// What one thread has to do, and what it has done. A channel would bring 10 KB of code along.
#[derive(Default)]
struct Shop {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    plans: VecDeque<Plan>,
    /// In the order of the plans.
    made: VecDeque<Outcome<Arc<Region>>>,
    /// Whose pages are being prepared, the one that is used next first.
    cold: Vec<Cold>,
    /// What was sealed, to be unmapped.
    closing: Vec<Arc<Region>>,
    /// There is a thread, which looks here again before it ends.
    running: bool,
    /// Somebody waits for what is being made.
    wanted: bool,
    /// The thread has a Region in its hands.
    busy: bool,
}

impl Shop {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that there is a thread; without one `undo` is called.
    fn employ(self: &Arc<Self>, undo: impl FnOnce(&mut State)) -> Outcome<()> {
        if std::mem::replace(&mut self.state().running, true) {
            return Ok(());
        }
        let ours = Arc::clone(self);
        let spawned = thread::spawn("memmap-segment", 0, Box::new(move || ours.work()));
        if spawned.is_err() {
            let mut state = self.state();
            state.running = false;
            undo(&mut state);
        }
        spawned
    }

    /// What is there already first, a slice at a time, unless what is not will be needed. What is made may need the place of what is closed.
    fn work(&self) {
        let mut state = self.state();
        loop {
            let due = !state.plans.is_empty()
                && (state.wanted || state.cold.first().is_some_and(Cold::is_far));
            if PREPARES && let Some(cold) = state.cold.first().filter(|_| !due) {
                let (region, from) = (Arc::clone(&cold.region), cold.ready);
                state.busy = true;
                drop(state);
                let to = (from / SLICE * SLICE + SLICE).min(region.len());
                let more = fill(&region, from, to) && prefault(&region, from, to);
                let done = !more || to == region.len();
                // Before anybody hears that it is out of our hands.
                drop(region);
                state = self.state();
                if let Some(cold) = state.cold.first_mut() {
                    cold.ready = to;
                    if done {
                        state.cold.remove(0);
                    }
                }
                self.put_down(&mut state);
            } else if let Some(region) = state.closing.pop() {
                state.busy = true;
                drop(state);
                close(region);
                state = self.state();
                self.put_down(&mut state);
            } else if let Some(plan) = state.plans.pop_front() {
                state.busy = true;
                drop(state);
                let made = make(&plan);
                let region = made
                    .as_ref()
                    .ok()
                    .filter(|_| PREPARES && plan.warm)
                    .cloned();
                state = self.state();
                state.made.push_back(made);
                // The first page has the header.
                state.cold.extend(region.map(|region| {
                    let ready = region.page();
                    Cold::new(region, ready)
                }));
                self.put_down(&mut state);
            } else {
                state.running = false;
                return;
            }
        }
    }

    /// The one that takes hears of it, and the one that stops.
    fn put_down(&self, state: &mut State) {
        state.busy = false;
        self.ready.notify_all();
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.ready
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes segments, in the order in which they are asked for.
#[napi]
#[derive(Default)]
pub struct NativeSegmentMaker {
    shop: Arc<Shop>,
    /// How many were asked for and not taken.
    ahead: u32,
    pub(super) stage: Option<Stage>,
}

#[napi]
impl NativeSegmentMaker {
    /// Nothing is being made.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins to make a file of `length` bytes that starts with `header`. `warm`: its pages are prepared then, see `reach`.
    #[napi]
    pub fn prepare(
        &mut self,
        env: &Env,
        path: String,
        length: f64,
        header: &[u8],
        warm: bool,
    ) -> napi::Result<()> {
        self.shop.state().plans.push_back(Plan {
            path,
            length,
            header: header.to_vec(),
            warm,
            place: self.stage.as_mut().map(Stage::place),
        });
        self.shop
            .employ(|state| drop(state.plans.pop_back()))
            .map_err(|fail| fail.into_js(env))?;
        self.ahead += 1;
        Ok(())
    }

    /// Prepares the pages of a segment that is being written already, behind an offset: `reach` before the first store there.
    #[napi]
    pub fn warm(&self, env: &Env, mapping: &NativeMapping, from: f64) -> napi::Result<()> {
        if !PREPARES {
            return Ok(());
        }
        mapping.run(env, |region| {
            let ready = (from as usize).next_multiple_of(region.page());
            let region = Arc::clone(region);
            let mut state = self.shop.state();
            // Behind what is in work; a writer that comes to it before has it for itself.
            state.cold.push(Cold::new(region, ready));
            drop(state);
            // Without a thread the pages come one by one.
            let _ = self.shop.employ(|state| state.cold.clear());
            Ok(())
        })
    }

    /// Up to where a segment may be stored to: further than `from`. A writer that has come to where the thread is waits for the slice that is being
    /// prepared: page by page, as it is written, it would take four times as long.
    #[napi]
    pub fn reach(&self, env: &Env, mapping: &NativeMapping, from: f64) -> napi::Result<f64> {
        mapping.run(env, |region| {
            if !PREPARES {
                return Ok(region.len() as f64);
            }
            let mut state = self.shop.state();
            loop {
                let mut all = state.cold.iter();
                match all.find(|cold| Arc::ptr_eq(&cold.region, region)) {
                    None => return Ok(region.len() as f64),
                    Some(cold) if cold.ready as f64 > from => return Ok(cold.ready as f64),
                    // There is a thread as long as there is anything for it to do.
                    Some(_) => state = self.shop.wait(state),
                }
            }
        })
    }

    /// The first that `prepare` made, waiting for it where it must; throws what went wrong. `null` if nothing was asked for.
    #[napi]
    pub fn take(&mut self, env: &Env) -> napi::Result<Option<NativeMapping>> {
        if self.ahead == 0 {
            return Ok(None);
        }
        self.ahead -= 1;
        let mut state = self.shop.state();
        loop {
            if let Some(made) = state.made.pop_front() {
                state.wanted = false;
                return made
                    .map(|region| Some(NativeMapping::new(region)))
                    .map_err(|fail| fail.into_js(env));
            }
            state.wanted = true;
            // It always comes: a panic there ends the process.
            state = self.shop.wait(state);
        }
    }

    /// `close()` and `release(true)` on the other thread: taking 16 MiB of dirty pages down takes as long as 10,000 appends.
    #[napi]
    pub fn retire(&self, env: &Env, mapping: &NativeMapping) {
        let Some(region) = mapping.take_region(env) else {
            return;
        };
        self.shop.state().closing.push(region);
        let mut left = Vec::new();
        let _ = self
            .shop
            .employ(|state| left = std::mem::take(&mut state.closing));
        left.into_iter().for_each(close);
    }

    /// Nobody will write into what is being faulted in, and what has not been begun is not made: `take` gives `null` for it. Waits until the
    /// thread has put down what it has in its hands (at most a slice): Windows deletes and truncates no file that is mapped.
    #[napi]
    pub fn stop(&mut self) {
        let mut state = self.shop.state();
        self.ahead -= state.plans.len() as u32;
        state.plans.clear();
        state.cold.clear();
        while state.busy {
            state = self.shop.wait(state);
        }
        let left = std::mem::take(&mut state.closing);
        drop(state);
        left.into_iter().for_each(close);
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
            warm: false,
            place: None,
        })
        .map(NativeMapping::new)
        .map_err(|fail| fail.into_js(env))
    }
}

/// Its log was collected, or its thread ended: another writer may come at any time.
impl Drop for NativeSegmentMaker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Views that are left read zeros, or where the next segment is by then.
fn close(region: Arc<Region>) {
    region.let_go(true, false);
    region.leave_zeros();
}

/// Where nothing can be had at its place (what was there before is still in use), somewhere else.
fn open(plan: &Plan, request: &Request) -> Outcome<Arc<Region>> {
    match plan.place.as_ref().map(|place| place.open(request)) {
        Some(Ok(region)) => Ok(region),
        Some(Err(_)) | None => open::open(request),
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
    let region = open(plan, &request)?;
    // Before the first store.
    advise_alone(&region);
    let header = bytes::write(&region, plan.header.as_slice(), 0);
    // A file that was cut just now: who gets the mapping looks for faults from then on only.
    if let Err(fail) = header.and_then(|()| region.check_fault()) {
        // Windows removes no file that is mapped.
        drop(region);
        let _ = std::fs::remove_file(Path::new(&plan.path));
        return Err(fail);
    }
    Ok(region)
}
