//! Carries the news of a fault to JavaScript, which a signal handler cannot call: the handler
//! counts `epoch` up (checked methods see that at once), notes the event in a ring, and writes a
//! byte to a pipe; a thread reads it and calls every environment's `wake`.
#![allow(unsafe_code, reason = "a pipe, and counters that belong to JavaScript")]

use std::{
    collections::BTreeMap,
    ffi::c_int,
    mem::MaybeUninit,
    ptr::null_mut,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI32, AtomicU64, Ordering},
    },
};

use super::{Event, Fault, Kind, lock::SpinLock};

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

/// Where the handler writes; -1: no watcher.
static BELL: AtomicI32 = AtomicI32::new(-1);

type Wake = Box<dyn Fn() + Send>;
static WAKES: Mutex<BTreeMap<u64, Wake>> = Mutex::new(BTreeMap::new());

/// Called by the handler, which holds no slot's lock any more.
pub fn report(event: Event) {
    // Held by this thread already: some other signal's handler touched mapped bytes. The fault
    // stands in its slot in any case.
    if let Some(mut news) = NEWS.try_enter() {
        let at = news.seen as usize % RING;
        news.ring[at] = event;
        news.seen += 1;
        let mut counter = news.counters;
        while !counter.is_null() {
            // SAFETY: what is in the list is valid, kept by `Subscription::drop`, which needs the
            // lock that is held here. JavaScript reads `epoch` with plain loads and never stores to
            // it.
            unsafe {
                AtomicI32::from_ptr((*counter).epoch).fetch_add(1, Ordering::Release);
                counter = (*counter).next;
            }
        }
    }
    let bell = BELL.load(Ordering::Acquire);
    if bell >= 0 {
        // SAFETY: one byte of a static. A full pipe refuses it, and then the watcher is awake
        // anyway. write is async-signal-safe by POSIX.
        unsafe { libc::write(bell, b"!".as_ptr().cast(), 1) };
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
        wakes.insert(id, wake);
        // Under the lock, so that there is one. Without a thread or a pipe `epoch` still counts.
        if BELL.load(Ordering::Relaxed) < 0 {
            start();
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
        let wake = WAKES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
        drop(wake);
    }
}

/// The watcher lives as long as the process; module init has pinned its code in memory.
fn start() {
    let Some((reader, writer)) = pipe() else {
        return;
    };
    let mask = block_signals();
    let started = std::thread::Builder::new()
        .name("memmap-faults".into())
        .stack_size(64 << 10)
        .spawn(move || watch(reader));
    // SAFETY: the mask that this thread had a moment ago.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, null_mut()) };
    if started.is_ok() {
        BELL.store(writer, Ordering::Release);
    } else {
        // SAFETY: both are ours and nobody knows them.
        unsafe {
            libc::close(reader);
            libc::close(writer);
        }
    }
}

fn watch(reader: c_int) {
    let mut bytes = [0_u8; 256];
    loop {
        // SAFETY: `bytes` has room for 256.
        let count = unsafe { libc::read(reader, bytes.as_mut_ptr().cast(), bytes.len()) };
        if count > 0 {
            for wake in WAKES
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .values()
            {
                wake();
            }
        } else if count == 0
            || std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted
        {
            return;
        }
    }
}

/// Both ends close at exec; the handler's end never blocks.
fn pipe() -> Option<(c_int, c_int)> {
    let mut ends = [-1; 2];
    // SAFETY: room for two descriptors. (macOS has no pipe2.)
    if unsafe { libc::pipe(ends.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: both are ours.
    unsafe {
        libc::fcntl(ends[0], libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(ends[1], libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(ends[1], libc::F_SETFL, libc::O_NONBLOCK);
    }
    Some((ends[0], ends[1]))
}

/// What a new thread inherits: the signals of the process (SIGTERM, SIGCHLD) are for its own
/// threads. Faults are not blocked: the kernel kills a thread that blocks them.
fn block_signals() -> libc::sigset_t {
    let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
    let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: sigfillset initialises the first, pthread_sigmask the second; all zeros is a value of
    // the type.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        for signal in [
            libc::SIGBUS,
            libc::SIGSEGV,
            libc::SIGILL,
            libc::SIGFPE,
            libc::SIGTRAP,
        ] {
            libc::sigdelset(all.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
        before.assume_init()
    }
}
