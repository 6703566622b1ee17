//! Long work of one JavaScript environment: started by id, run in slices on the pool, cancelled by id, its news fetched by the thread it belongs to.
//!
//! Between slices a lane asks whether the job was cancelled, and whether its mapping was closed or has faulted. An environment that ends cancels its
//! jobs and waits for the slices that run.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Fail, Outcome};
use crate::pool::{self, Task};

/// At most one report of progress in this time.
const PROGRESS: Duration = Duration::from_millis(16);
/// How long the end of an environment waits for running slices; only a dead disk takes longer, and its pages are the Region's own.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a job does.
pub trait Work: Send + Sync {
    /// One slice of at most about 10 ms, on any lane. `false`: nothing is left to take.
    fn slice(&self) -> Outcome<bool>;
    /// Bytes so far.
    fn done(&self) -> u64;
    /// The result, when every lane has ended without a failure.
    fn answer(&self) -> Answer;
    /// Whether it works on pages that V8 owns and will free: then whoever stops it waits for the slice that runs.
    fn is_foreign(&self) -> bool;
}

/// What a job found.
#[derive(Debug)]
pub enum Answer {
    /// It did what it should.
    Nothing,
    /// A position (-1: none) or a count.
    Number(f64),
    /// Where to go on (-1: the end was reached), then positions in order.
    Positions(Vec<f64>),
}

/// What happened to a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// It got this far, in bytes.
    Progress(u64),
    /// Its result can be taken.
    Finished,
}

struct Job {
    id: u64,
    owner: Arc<Owner>,
    work: Box<dyn Work>,
    lanes: AtomicUsize,
    /// Slices of it that run now; changed under the book's lock.
    running: AtomicUsize,
    cancelled: AtomicBool,
    failed: Mutex<Option<Fail>>,
    /// When the last progress was fetched, in microseconds since the owner began, and whether one waits to be fetched.
    reported: AtomicU64,
    waiting: AtomicBool,
    wants_progress: bool,
}

#[derive(Default)]
struct Book {
    /// A handful at a time: looked through, not hashed.
    jobs: Vec<Arc<Job>>,
    results: Vec<(u64, Outcome<Answer>)>,
    news: VecDeque<u64>,
    last: u64,
    closed: bool,
}

impl Book {
    fn job(&self, id: u64) -> Option<&Arc<Job>> {
        self.jobs.iter().find(|job| job.id == id)
    }

    fn result(&mut self, id: u64) -> Option<Outcome<Answer>> {
        let at = self.results.iter().position(|(other, _)| *other == id)?;
        Some(self.results.swap_remove(at).1)
    }
}

/// One environment's jobs.
pub struct Owner {
    book: Mutex<Book>,
    quiet: Condvar,
    wake: Box<dyn Fn() + Send + Sync>,
    begun: Instant,
}

impl Owner {
    /// `threads`: what the system can run at once. `wake` is called on a thread of the pool whenever there is news to fetch.
    pub fn new(threads: usize, wake: Box<dyn Fn() + Send + Sync>) -> Arc<Self> {
        pool::enter(threads);
        Arc::new(Self {
            book: Mutex::default(),
            quiet: Condvar::new(),
            wake,
            begun: Instant::now(),
        })
    }

    /// Starts work on up to `lanes` threads at once and gives its id.
    pub fn start(self: &Arc<Self>, work: Box<dyn Work>, lanes: usize, wants_progress: bool) -> u64 {
        let lanes = lanes.clamp(1, pool::size());
        let mut book = self.book();
        book.last += 1;
        let id = book.last;
        let job = Arc::new(Job {
            id,
            owner: Arc::clone(self),
            work,
            lanes: AtomicUsize::new(lanes),
            running: AtomicUsize::new(0),
            cancelled: AtomicBool::new(book.closed),
            failed: Mutex::new(None),
            reported: AtomicU64::new(self.now()),
            waiting: AtomicBool::new(false),
            wants_progress,
        });
        book.jobs.push(Arc::clone(&job));
        drop(book);
        for _ in 0..lanes {
            pool::submit(Arc::<Job>::clone(&job));
        }
        id
    }

    /// Nobody waits for the job any more: it ends after its current slices, without a word.
    pub fn cancel(&self, id: u64) {
        let mut book = self.book();
        book.result(id);
        let Some(job) = book.job(id).map(Arc::clone) else {
            return;
        };
        job.cancelled.store(true, Ordering::Release);
        if job.work.is_foreign() {
            drop(self.quiet.wait_while(book, |_| job.is_running()));
        }
    }

    /// The next news, oldest first.
    pub fn fetch(&self) -> Option<(u64, News)> {
        let mut book = self.book();
        while let Some(id) = book.news.pop_front() {
            if book.results.iter().any(|(other, _)| *other == id) {
                // What is left of its progress in the queue is no news any more.
                book.news.retain(|other| *other != id);
                return Some((id, News::Finished));
            }
            if let Some(job) = book.job(id)
                && !job.cancelled.load(Ordering::Acquire)
            {
                job.reported.store(self.now(), Ordering::Release);
                job.waiting.store(false, Ordering::Release);
                return Some((id, News::Progress(job.work.done())));
            }
        }
        None
    }

    /// Takes the result of a finished job.
    pub fn take(&self, id: u64) -> Option<Outcome<Answer>> {
        self.book().result(id)
    }

    /// Cancels everything, waits for what runs, and leaves the pool.
    pub fn end(&self) {
        let mut book = self.book();
        book.closed = true;
        for job in &book.jobs {
            job.cancelled.store(true, Ordering::Release);
        }
        // Those on V8's own pages must have stopped before V8 frees them.
        book = self
            .quiet
            .wait_while(book, |book| {
                book.jobs
                    .iter()
                    .any(|job| job.is_running() && job.work.is_foreign())
            })
            .unwrap_or_else(PoisonError::into_inner);
        let (mut book, wait) = self
            .quiet
            .wait_timeout_while(book, PATIENCE, |book| {
                book.jobs.iter().any(|job| job.is_running())
            })
            .unwrap_or_else(PoisonError::into_inner);
        book.results.clear();
        book.news.clear();
        drop(book);
        pool::leave(!wait.timed_out());
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.begun.elapsed().as_micros() as u64
    }

    fn tell(&self, mut book: MutexGuard<'_, Book>, id: u64) {
        if book.closed {
            return;
        }
        book.news.push_back(id);
        // Under the lock: after `end` has had it, nothing calls into an environment that is gone.
        (self.wake)();
    }
}

impl Job {
    fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire) > 0
    }

    fn is_over(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    fn fail(&self, fail: Fail) {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(fail);
    }

    fn has_failed(&self) -> bool {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    fn report(&self) {
        let due = self.reported.load(Ordering::Acquire) + PROGRESS.as_micros() as u64;
        if self.wants_progress
            && self.owner.now() >= due
            && !self.waiting.swap(true, Ordering::AcqRel)
        {
            self.owner.tell(self.owner.book(), self.id);
        }
    }

    fn lane_ends(&self) {
        if self.lanes.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let mut book = self.owner.book();
        book.jobs.retain(|job| job.id != self.id);
        if self.is_over() {
            return;
        }
        let fail = self
            .failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let result = fail.map_or_else(|| Ok(self.work.answer()), Err);
        book.results.push((self.id, result));
        self.owner.tell(book, self.id);
    }
}

impl Task for Job {
    fn slice(&self) -> bool {
        // Counted under the lock: either whoever stops the job sees this slice and waits for it, or this sees that the job is cancelled.
        let book = self.owner.book();
        self.running.fetch_add(1, Ordering::AcqRel);
        drop(book);
        let more = !self.is_over() && !self.has_failed() && {
            match catch_unwind(AssertUnwindSafe(|| self.work.slice())) {
                Ok(Ok(more)) => more,
                Ok(Err(fail)) => {
                    self.fail(fail);
                    false
                }
                Err(_) => {
                    self.fail(Fail::Coded {
                        code: "ERR_INTERNAL_ASSERTION",
                        range: false,
                        message: "memmap: a slice of native work panicked".into(),
                    });
                    false
                }
            }
        };
        let book = self.owner.book();
        if self.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.owner.quiet.notify_all();
        }
        drop(book);
        if more {
            self.report();
        } else {
            self.lane_ends();
        }
        more
    }
}

#[cfg(test)]
#[path = "jobs_tests.rs"]
mod tests;
