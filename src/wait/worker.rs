//! The threads that wait. One wait at a time each, so that no wake is lost; kept for a while between two waits, as starting one costs more than a wait.
//!
//! They belong to the process, not to libuv's pool: a thread of the pool that sleeps here would hold up the exit of Node.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Wait, code};
use crate::error::Outcome;
use crate::futex::{self, End, Word};
use crate::thread;

/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(5);
/// It calls the system and posts; no deep stacks.
const STACK: usize = 128 * 1024;

/// Threads without work, the last one used on top: its stack is warm.
static IDLERS: Mutex<Vec<Arc<Worker>>> = Mutex::new(Vec::new());

/// One thread.
pub struct Worker {
    /// Changes whenever the thread must look up from what it waits for.
    bell: AtomicU32,
    job: Mutex<Option<Arc<Wait>>>,
}

impl Worker {
    /// Makes the thread look up.
    pub fn ring(&self) {
        self.bell.fetch_add(1, Ordering::AcqRel);
        // Nobody else sleeps on this word, and a failure would mean that nobody sleeps at all.
        let _ = futex::wake(self.word(), 1);
    }

    fn word(&self) -> Word {
        Word::own(&self.bell)
    }

    fn job(&self) -> MutexGuard<'_, Option<Arc<Wait>>> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn idlers() -> MutexGuard<'static, Vec<Arc<Worker>>> {
    IDLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives a wait to a thread.
pub fn start(wait: &Arc<Wait>) -> Outcome<()> {
    let idle = idlers().pop();
    let fresh = idle.is_none();
    let worker = idle.unwrap_or_else(|| {
        Arc::new(Worker {
            bell: AtomicU32::new(0),
            job: Mutex::new(None),
        })
    });
    let _ = wait.worker.set(Arc::clone(&worker));
    *worker.job() = Some(Arc::clone(wait));
    if fresh {
        let begun = {
            let worker = Arc::clone(&worker);
            thread::spawn("memmap-wait", STACK, Box::new(move || work(&worker)))
        };
        if begun.is_err() {
            // Each holds the other: nobody else would ever let go of the mapping.
            worker.job().take();
        }
        return begun;
    }
    worker.ring();
    Ok(())
}

fn work(worker: &Arc<Worker>) {
    loop {
        let seen = worker.bell.load(Ordering::Acquire);
        let job = worker.job().take();
        if let Some(wait) = job {
            serve(worker, &wait);
            wait.leave();
            // The wait keeps its mapping; let go of it before the thread is offered for other work.
            drop(wait);
            idlers().push(Arc::clone(worker));
            continue;
        }
        let until = Instant::now() + IDLE;
        while worker.bell.load(Ordering::Acquire) == seen {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || futex::wait(worker.word(), seen, left).is_err() {
                let mut idlers = idlers();
                if let Some(at) = idlers.iter().position(|idler| Arc::ptr_eq(idler, worker)) {
                    idlers.remove(at);
                    return;
                }
                // Somebody has just taken this thread: the job is on its way.
                drop(idlers);
                std::thread::yield_now();
            }
        }
    }
}

fn serve(worker: &Worker, wait: &Wait) {
    loop {
        let seen = worker.bell.load(Ordering::Acquire);
        if wait.ended() {
            return;
        }
        let ended = match futex::wait_with(&worker.bell, seen, wait.place.word, wait.expected) {
            Ok(End::Bell | End::TimedOut) => continue,
            Ok(End::Woken) => {
                if !wait.settle(code::OK) {
                    // It had ended a moment before: the wake was meant for somebody who still waits.
                    let _ = futex::wake(wait.place.word, 1);
                }
                return;
            }
            // It was equal when the wait began.
            Ok(End::NotEqual) => code::OK,
            Err(fail) => code::FAILED + fail.errno().unwrap_or(0).unsigned_abs(),
        };
        wait.settle(ended);
        return;
    }
}
