//! `wait`, `waitAsync`, `notify`: who waits for which word of which Region.
//!
//! Each asynchronous wait has a thread of its own while it lasts (`worker`), taken from a pool: a thread that served several words would lose the wakes
//! that come between two of its system calls. The kernel knows a waiter only once its thread has got there, so `notify` looks here first.
#![allow(clippy::cast_ptr_alignment, reason = "words are checked to be aligned")]
#![allow(
    unsafe_code,
    reason = "reads the word that is waited for through a raw pointer"
)]

mod class;
mod worker;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use memmap2::{MmapOptions, MmapRaw};

use crate::error::{Fail, Outcome};
use crate::futex::{self, End, Key, Word};
use crate::os::{self, Access};
use crate::region::Region;

/// What JavaScript is told about a wait; an errno of the system counts from `FAILED` on.
pub mod code {
    /// Woken, or the value changed while waiting.
    pub const OK: u32 = 0;
    /// The value was another one at the call.
    pub const NOT_EQUAL: u32 = 1;
    /// Nothing happened in time.
    pub const TIMED_OUT: u32 = 2;
    /// The mapping was closed.
    pub const CLOSED: u32 = 3;
    /// Plus the errno.
    pub const FAILED: u32 = 16;
}

/// Of a word that nobody else has.
const NO_KEY: Key = [0; 3];

/// Waits in progress: each is a thread, so there are never more than a list is good for.
static WAITS: Mutex<Vec<Arc<Wait>>> = Mutex::new(Vec::new());
/// How many there are, so that a process without any pays nothing for that in `notify`.
static PENDING: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicU32 = AtomicU32::new(1);

fn waits() -> MutexGuard<'static, Vec<Arc<Wait>>> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A word of a Region, kept mapped.
pub struct Place {
    region: Arc<Region>,
    offset: usize,
    word: Word,
    /// Read-only mappings without the guard are private: the kernel would key their waiters by process. They wait on a shared page of their own.
    alias: Option<MmapRaw>,
}

// SAFETY: the pointer in `word` is read atomically or given to the kernel; `region` (or the alias) keeps it mapped.
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

impl Place {
    /// The word at `offset` bytes from the user's first byte.
    pub fn new(region: &Arc<Region>, offset: usize) -> Outcome<Self> {
        region.check_range(offset, 4)?;
        let address = region.start().wrapping_add(offset);
        if !(address as usize).is_multiple_of(4) {
            return Err(Fail::out_of_range(
                "The address of the word is not a multiple of 4".into(),
            ));
        }
        // A copy that was read (`ifUnsafe`) is nobody else's, whoever wrote the file.
        let is_read = region.form().access == Access::Read && region.form().mapped;
        let (private, alias) = match (region.form().private, region.file()) {
            (true, Some(_)) if is_read && os::WORDS_HAVE_KEYS => (false, None),
            (true, Some(file)) if is_read => {
                let at = region.offset() + offset as u64;
                let page = at - at % region.page() as u64;
                let alias = MmapOptions::new()
                    .offset(page)
                    .len(region.page())
                    .map_raw_read_only(&*file)
                    .map_err(|error| Fail::io(&error, "mmap"))?;
                (
                    false,
                    Some((alias.as_mut_ptr().wrapping_add((at - page) as usize), alias)),
                )
            }
            (private, _) => (private, None),
        };
        let address = alias
            .as_ref()
            .map_or(address, |(address, _)| *address)
            .cast_const()
            .cast::<u32>();
        let mut place = Self {
            region: Arc::clone(region),
            offset,
            word: Word {
                address,
                private,
                key: NO_KEY,
            },
            alias: alias.map(|(_, alias)| alias),
        };
        if os::WORDS_HAVE_KEYS {
            place.word.key = place.key();
        }
        Ok(place)
    }

    /// What the word is to other mappings of the same object. Where the kernel needs none, a system call that only `waitAsync` makes, and who notifies it.
    fn key(&self) -> Key {
        if self.word.private {
            return NO_KEY;
        }
        let region = &self.region;
        os::object_key(
            region.file().as_deref(),
            region.path(),
            region.offset() + self.offset as u64,
        )
    }

    fn value(&self) -> Outcome<u32> {
        // Where there is an alias, too: a page that is missing becomes a fault that is told.
        // SAFETY: aligned and inside pages that `self` keeps mapped; the guard answers for a truncated file.
        let value =
            unsafe { AtomicU32::from_ptr(self.region.start().wrapping_add(self.offset).cast()) }
                .load(Ordering::SeqCst);
        match (&self.alias, self.region.file()) {
            // Private pages may be old, and the alias has no guard: a missing page there would be the end.
            (Some(_), Some(file)) => {
                self.region.check_fault()?;
                let mut bytes = [0; 4];
                os::read_at(&file, &mut bytes, self.region.offset() + self.offset as u64)?;
                Ok(u32::from_ne_bytes(bytes))
            }
            _ => Ok(value),
        }
    }
}

/// One `waitAsync`.
pub struct Wait {
    token: u32,
    /// Which JavaScript environment asked.
    environment: u32,
    place: Place,
    key: Key,
    expected: u32,
    post: Arc<dyn Fn(u32, u32) + Send + Sync>,
    done: AtomicBool,
    worker: OnceLock<Arc<worker::Worker>>,
    /// 1 once its thread is back from the kernel, which then counts it as a waiter no more.
    left: AtomicU32,
}

impl Wait {
    /// Ends the wait with news for JavaScript; false if it had ended before.
    fn settle(&self, code: u32) -> bool {
        let first = self.end();
        if first {
            (self.post)(self.token, code);
        }
        first
    }

    /// Ends the wait without a word; false if it had ended before. It stays known until its thread has left the kernel.
    fn end(&self) -> bool {
        !self.done.swap(true, Ordering::AcqRel)
    }

    /// Nobody waits any more.
    fn leave(&self) {
        let mut all = waits();
        let at = all.iter().position(|wait| wait.token == self.token);
        let removed = at.map(|at| all.swap_remove(at));
        drop(all);
        PENDING.fetch_sub(1, Ordering::AcqRel);
        drop(removed);
        self.left.store(1, Ordering::Release);
        let _ = futex::wake(self.left(), u32::MAX);
    }

    /// Blocks until the thread has left: it was rung, so that is a matter of microseconds.
    fn await_leave(&self) {
        while self.left.load(Ordering::Acquire) == 0 {
            let _ = futex::wait(self.left(), 0, Duration::from_millis(10));
        }
    }

    fn left(&self) -> Word {
        Word::own(&self.left)
    }

    fn ended(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    fn free_worker(&self) {
        if let Some(worker) = self.worker.get() {
            worker.ring();
        }
    }
}

/// Sleeps in this thread for at most `timeout`.
pub fn sleep(place: &Place, expected: u32, timeout: Duration) -> Outcome<u32> {
    Ok(match futex::wait(place.word, expected, timeout)? {
        End::Woken | End::Bell => code::OK,
        End::NotEqual => code::NOT_EQUAL,
        End::TimedOut => code::TIMED_OUT,
    })
}

/// Begins a wait that posts `(token, code)` once, from another thread. `None`: the value is another one already.
pub fn begin(
    place: Place,
    expected: u32,
    environment: u32,
    post: Arc<dyn Fn(u32, u32) + Send + Sync>,
) -> Outcome<Option<u32>> {
    if !futex::supported() {
        return Err(Fail::system(crate::errno::code::ENOTSUP, "wait"));
    }
    let token = NEXT.fetch_add(1, Ordering::Relaxed);
    let wait = Arc::new(Wait {
        token,
        environment,
        key: place.key(),
        place,
        expected,
        post,
        done: AtomicBool::new(false),
        worker: OnceLock::new(),
        left: AtomicU32::new(0),
    });
    // Known before the value is looked at: whoever stores and notifies after the look finds it here.
    PENDING.fetch_add(1, Ordering::AcqRel);
    waits().push(Arc::clone(&wait));
    let begun = match wait.place.value() {
        Ok(value) if value == expected => worker::start(&wait).map(|()| Some(token)),
        Ok(_) => Ok(None),
        Err(fail) => Err(fail),
    };
    if !matches!(begun, Ok(Some(_))) {
        // Somebody's wake was counted for this one, which does not wait after all: it is another's.
        if !wait.end() {
            let _ = futex::wake(wait.place.word, 1);
        }
        wait.leave();
    }
    begun
}

/// Ends one wait without a word; false if it had ended before.
pub fn cancel(environment: u32, token: u32) -> bool {
    let wait = waits()
        .iter()
        .find(|wait| wait.token == token && wait.environment == environment)
        .cloned();
    let first = wait.as_ref().is_some_and(|wait| wait.end());
    if first && let Some(wait) = wait {
        wait.free_worker();
    }
    first
}

/// Wakes up to `count` waiters: first those of this process, which the kernel may not know yet.
pub fn notify(place: &Place, count: u32) -> Outcome<u32> {
    let mut woken = 0;
    let mut stale = 0;
    if PENDING.load(Ordering::Acquire) > 0 {
        let (region, key) = (place.region.id(), place.key());
        let ours = select(|wait| {
            if wait.place.region.id() == region {
                wait.place.offset == place.offset
            } else {
                key != NO_KEY && wait.key == key
            }
        });
        for wait in &ours {
            if woken < count && wait.settle(code::OK) {
                wait.free_worker();
                woken += 1;
            }
        }
        if woken < count && !futex::hears_bell() {
            // They sleep on the word for another slice, and are counted by the kernel, too; a wake that one of them gets is passed on.
            stale = ours.iter().filter(|wait| wait.ended()).count() as u32;
        } else if woken < count {
            // What has ended must not be counted, or woken in the place of somebody else, once more. By whichever mapping it waited: another
            // one of the same file has the same word.
            for wait in select(Wait::ended) {
                wait.await_leave();
            }
        }
    }
    if woken == count {
        Ok(woken)
    } else {
        futex::wake(place.word, count - woken).map(|more| woken + more.saturating_sub(stale))
    }
}

/// The pages of a Region are about to be replaced, which changes the key under which the kernel knows their waiters.
pub fn close(region: u64) {
    if PENDING.load(Ordering::Acquire) == 0 {
        return;
    }
    for wait in select(|wait| wait.place.region.id() == region) {
        if wait.settle(code::CLOSED) {
            wait.free_worker();
        }
    }
}

/// A JavaScript environment ends: nobody is left to be told.
fn leave(environment: u32) {
    for wait in select(|wait| wait.environment == environment) {
        if wait.end() {
            wait.free_worker();
        }
    }
}

/// Oldest first.
fn select(matches: impl Fn(&Wait) -> bool) -> Vec<Arc<Wait>> {
    let mut found: Vec<_> = waits()
        .iter()
        .filter(|wait| matches(wait))
        .cloned()
        .collect();
    found.sort_unstable_by_key(|wait| wait.token);
    found
}
