//! Carries the news of a fault to JavaScript, which a handler cannot call: the handler counts `epoch`
//! up (checked methods see that at once), notes the event in a ring, and rings the system's bell; a
//! thread hears it and calls every environment's `wake`.
#![allow(unsafe_code, reason = "counters that belong to JavaScript")]

use std::{
    ptr::null_mut,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI32, AtomicU64, Ordering},
    },
};

use super::{Event, Fault, Kind, lock::SpinLock, system::bell};

const RING: usize = 256;

/// One JavaScript environment's counter, in a list that the handler walks.
struct Counter {
    epoch: *mut i32,
    next: *mut Counter,
}

struct News {
    counters: *mut Counter,
    ring: [Event; RING],
    /// Events ever.
    seen: u64,
}

// SAFETY: the pointers are followed under the lock only, and `Subscription::drop` takes them out
// under it before they become invalid.
unsafe impl Send for News {}

static NEWS: SpinLock<News> = SpinLock::new(News {
    counters: null_mut(),
    ring: [Event {
        mapping: 0,
        fault: Fault {
            kind: Kind::Io,
            offset: 0,
        },
    }; RING],
    seen: 0,
});

type Wake = Box<dyn Fn() + Send>;
static WAKES: Mutex<Vec<(u64, Wake)>> = Mutex::new(Vec::new());

/// Called by the handler, which holds no slot's lock any more.
pub fn report(event: Event) {
    // Held by this thread already: some other signal's handler touched mapped bytes. The fault
    // stands in its slot in any case.
    if let Some(mut news) = NEWS.try_enter() {
        let at = news.seen as usize % RING;
        news.ring[at] = event;
        news.seen += 1;
        count_up(&news);
    }
    bell::ring();
}

/// Rights of some mapping have changed: who looks at `epoch` looks closer.
pub fn announce() {
    let news = NEWS.enter();
    count_up(&news);
}

fn count_up(news: &News) {
    let mut counter = news.counters;
    while !counter.is_null() {
        // SAFETY: what is in the list is valid, kept by `Subscription::drop`, which needs the lock
        // that is held here. JavaScript reads `epoch` with plain loads and never stores to it.
        unsafe {
            AtomicI32::from_ptr((*counter).epoch).fetch_add(1, Ordering::Release);
            counter = (*counter).next;
        }
    }
}

/// One JavaScript environment that hears of faults, until this is dropped.
#[derive(Debug)]
pub struct Subscription {
    id: u64,
    counter: *mut Counter,
    /// Events this environment has taken.
    taken: AtomicU64,
}

// SAFETY: `counter` is used by `drop` only, under the lock of the list.
unsafe impl Send for Subscription {}
// SAFETY: as above; `taken` is atomic.
unsafe impl Sync for Subscription {}

/// From now on the handler adds 1 to `*epoch` at each fault of any mapping, and soon after a thread
/// of the guard calls `wake`.
///
/// `wake` is called on that thread, several faults may share one call, and it must neither block
/// nor drop a [`Subscription`] (a non-blocking call of an unreferenced threadsafe function is
/// right).
///
/// # Safety
/// `epoch` is aligned and valid until the subscription is dropped; others only read it, or use
/// atomic operations.
pub unsafe fn subscribe(epoch: *mut i32, wake: Box<dyn Fn() + Send>) -> Subscription {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    {
        let mut wakes = WAKES.lock().unwrap_or_else(PoisonError::into_inner);
        wakes.push((id, wake));
        // Under the lock, so that there is one. Without a thread or a bell `epoch` still counts.
        if !bell::is_started() {
            bell::start(wake_all);
        }
    }
    let counter = Box::into_raw(Box::new(Counter {
        epoch,
        next: null_mut(),
    }));
    let mut news = NEWS.enter();
    // SAFETY: just made, and not in the list yet.
    unsafe { (*counter).next = news.counters };
    news.counters = counter;
    Subscription {
        id,
        counter,
        taken: AtomicU64::new(news.seen),
    }
}

impl Subscription {
    /// The faults since this environment last asked, oldest first. Of more than 256 the oldest are
    /// lost; the first of each mapping stands in its slot. Every environment sees all of them.
    pub fn take_events(&self) -> Vec<Event> {
        // No allocation under the lock: an allocator that waits for memory would make the handler
        // wait.
        let mut events = Vec::with_capacity(RING);
        let news = NEWS.enter();
        let oldest = news.seen.saturating_sub(RING as u64);
        let from = self.taken.swap(news.seen, Ordering::Relaxed).max(oldest);
        events.extend((from..news.seen).map(|number| news.ring[number as usize % RING]));
        events
    }
}

impl Drop for Subscription {
    /// When this returns no handler writes to `epoch` any more, and `wake` runs no more.
    fn drop(&mut self) {
        let mut news = NEWS.enter();
        let mut place = &raw mut news.counters;
        // SAFETY: the list is valid under the lock, and holds `counter` since `subscribe`.
        unsafe {
            while !(*place).is_null() && *place != self.counter {
                place = &raw mut (**place).next;
            }
            if !(*place).is_null() {
                *place = (*self.counter).next;
            }
        }
        drop(news);
        // SAFETY: made by `subscribe`, and out of the list now.
        drop(unsafe { Box::from_raw(self.counter) });
        let mut wakes = WAKES.lock().unwrap_or_else(PoisonError::into_inner);
        let at = wakes.iter().position(|(id, _)| *id == self.id);
        let wake = at.map(|at| wakes.swap_remove(at));
        drop(wakes);
        drop(wake);
    }
}

/// What the watcher does when the bell rings.
fn wake_all() {
    for (_, wake) in WAKES.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        wake();
    }
}
