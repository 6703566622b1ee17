//! Our own threads for long work: not libuv's, because a slow disk must not starve `fs`.
//!
//! A task runs one slice (about 10 ms at most) and goes to the back of the queue, so that a few threads serve many tasks in turn. Threads start
//! when there is work for them, end when nobody needs the pool any more, and never keep the process alive.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::os;

/// Work in slices.
pub trait Task: Send + Sync {
    /// Runs one slice; `true`: there is more to do.
    fn slice(&self) -> bool;
}

struct State {
    queue: VecDeque<Arc<dyn Task>>,
    idle: usize,
    threads: Vec<JoinHandle<()>>,
    size: usize,
    users: usize,
    /// Some slice of an environment that ended may run for ever.
    unsettled: bool,
    /// Threads of an earlier one end.
    generation: u64,
}

static STATE: Mutex<State> = Mutex::new(State {
    queue: VecDeque::new(),
    idle: 0,
    threads: Vec::new(),
    size: 2,
    users: 0,
    unsettled: false,
    generation: 0,
});
static WORK: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many threads there are at most.
pub fn size() -> usize {
    state().size
}

/// Queues a task. It runs on as many threads at once as it is queued times.
pub fn submit(task: Arc<dyn Task>) {
    let mut state = state();
    state.queue.push_back(task);
    if state.idle < state.queue.len() && state.threads.len() < state.size {
        let generation = state.generation;
        let builder = thread::Builder::new()
            .name("memmap".into())
            .stack_size(512 << 10);
        // No thread to be had (limits): the ones that are there do the work. Without any, the caller must not wait for ever.
        match builder.spawn(move || run(generation)) {
            Ok(handle) => state.threads.push(handle),
            Err(_) if state.threads.is_empty() => {
                let task = state.queue.pop_back();
                drop(state);
                while task.as_ref().is_some_and(|task| task.slice()) {}
                return;
            }
            Err(_) => {}
        }
    }
    drop(state);
    WORK.notify_one();
}

fn run(generation: u64) {
    os::block_signals();
    let mut state = state();
    while state.generation == generation {
        if let Some(task) = state.queue.pop_front() {
            drop(state);
            let more = task.slice();
            state = self::state();
            if more {
                state.queue.push_back(task);
                if state.generation != generation {
                    // Left for a thread of the next generation, should one be waiting already.
                    WORK.notify_one();
                }
            }
        } else {
            state.idle += 1;
            state = WORK.wait(state).unwrap_or_else(PoisonError::into_inner);
            if state.generation == generation {
                state.idle -= 1;
            }
        }
    }
}

/// One environment begins to use the pool. One thread for each processor, and at least two, so that one slow slice does not stop everything.
pub fn enter(processors: usize) {
    let mut state = state();
    state.users += 1;
    state.size = processors.max(2);
}

/// One environment has ended, and its tasks with it. The last one ends the threads; `settled` says that no slice of its tasks is running any more.
pub fn leave(settled: bool) {
    let mut state = state();
    state.users -= 1;
    state.unsettled |= !settled;
    if state.users > 0 {
        return;
    }
    let settled = !std::mem::take(&mut state.unsettled);
    state.generation += 1;
    state.idle = 0;
    let threads = std::mem::take(&mut state.threads);
    let rest = std::mem::take(&mut state.queue);
    drop(state);
    WORK.notify_all();
    // Tasks of environments that ended: a slice each, in which they see it and let go of what they hold.
    for task in rest {
        task.slice();
    }
    if settled {
        for handle in threads {
            // A panic of a task was caught in its slice.
            let _ = handle.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::*;

    struct Count {
        left: AtomicUsize,
        done: AtomicUsize,
    }

    impl Task for Count {
        fn slice(&self) -> bool {
            self.done.fetch_add(1, Ordering::SeqCst);
            self.left.fetch_sub(1, Ordering::SeqCst) > 1
        }
    }

    #[test]
    fn more_tasks_than_threads_run_in_turn_to_their_ends() {
        enter(2);
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                Arc::new(Count {
                    left: AtomicUsize::new(50),
                    done: AtomicUsize::new(0),
                })
            })
            .collect();
        for task in &tasks {
            submit(Arc::<Count>::clone(task));
        }
        let begun = Instant::now();
        while tasks
            .iter()
            .any(|task| task.done.load(Ordering::SeqCst) < 50)
        {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "the pool does not run its tasks"
            );
            thread::sleep(Duration::from_millis(1));
        }
        leave(true);
        for task in &tasks {
            assert_eq!(task.done.load(Ordering::SeqCst), 50);
        }
    }
}
