//! Waits that cross processes on Windows: a table of waiters in a section that all processes of the session share, a mutex round it, and one
//! named event a waiting thread.
//!
//! A process that dies leaves the mutex abandoned, which counts as free, and its slots behind, whose events are gone: whoever meets one frees it.
//! The order is a futex's: a waiter is in the table before it looks at its word, and `wake` looks into the table after the word was changed.
#![allow(
    unsafe_code,
    reason = "a section shared with other processes, used through atomics alone; words that the caller keeps mapped"
)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_FILE_NOT_FOUND, GetLastError, HANDLE, INVALID_HANDLE_VALUE, WAIT_ABANDONED,
    WAIT_FAILED, WAIT_OBJECT_0,
};
use windows_sys::Win32::System::Memory as memory;
use windows_sys::Win32::System::Threading as threading;

use super::{End, Key, Word};
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::os;

/// The number changes with the layout: processes with different versions of this package then do not meet.
const TABLE: &str = "Local\\memmap-waits-1";
const LOCK: &str = "Local\\memmap-waits-1-lock";
/// Threads that wait at once, of all processes together.
const SLOTS: usize = 4096;

const FREE: u32 = 0;
const WAITING: u32 = 1;
const WOKEN: u32 = 2;

/// One thread that waits for one word. Written under the lock only.
#[repr(C)]
struct Slot {
    state: AtomicU32,
    process: AtomicU32,
    /// With `process` and `serial` the name of the event: a number that a later process with the same id does not have.
    birth: AtomicU64,
    serial: AtomicU32,
    _space: u32,
    /// The event, in the process of the waiter.
    event: AtomicU64,
    key: [AtomicU64; 3],
}

#[repr(C)]
struct Table {
    /// Slots that are not free: read without the lock, so that `wake` costs nothing where nobody waits.
    taken: AtomicU32,
    /// Behind this slot none has ever been used.
    used: AtomicU32,
    slots: [Slot; SLOTS],
}

/// What every thread of this process needs.
struct Shared {
    table: &'static Table,
    lock: HANDLE,
    birth: u64,
}

// SAFETY: the handle is a kernel object's, which any thread may use; it is never closed.
unsafe impl Send for Shared {}
// SAFETY: as above; the table is made of atomics.
unsafe impl Sync for Shared {}

impl Shared {
    fn open() -> Outcome<Self> {
        // SAFETY: names are NUL-terminated and outlive the calls; sections begin as zeros, which is an empty table.
        unsafe {
            let lock = threading::CreateMutexW(std::ptr::null(), 0, os::wide(LOCK).as_ptr());
            if lock.is_null() {
                return Err(Fail::last("CreateMutexW"));
            }
            let section = memory::CreateFileMappingW(
                INVALID_HANDLE_VALUE,
                std::ptr::null(),
                memory::PAGE_READWRITE,
                0,
                size_of::<Table>() as u32,
                os::wide(TABLE).as_ptr(),
            );
            if section.is_null() {
                return Err(Fail::last("CreateFileMappingW"));
            }
            let rights = memory::FILE_MAP_READ | memory::FILE_MAP_WRITE;
            let view = memory::MapViewOfFile(section, rights, 0, 0, size_of::<Table>());
            if view.Value.is_null() {
                return Err(Fail::last("MapViewOfFile"));
            }
            // The section's handle stays open for ever, and with it its name.
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            Ok(Self {
                table: &*view.Value.cast::<Table>(),
                lock,
                birth: now.map_or(0, |now| now.as_nanos() as u64),
            })
        }
    }

    fn get() -> Outcome<&'static Self> {
        static SHARED: OnceLock<Option<Shared>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::open().ok())
            .as_ref()
            .ok_or_else(|| Fail::system(code::ENOTSUP, "wait"))
    }

    fn locked<R>(&self, action: impl FnOnce() -> R) -> Outcome<R> {
        // SAFETY: the mutex is open for ever. An abandoned one is ours now: each slot is whole, as its state is written last.
        let got = unsafe { threading::WaitForSingleObject(self.lock, threading::INFINITE) };
        if got != WAIT_OBJECT_0 && got != WAIT_ABANDONED {
            return Err(Fail::last("WaitForSingleObject"));
        }
        if got == WAIT_ABANDONED {
            // Whoever died with it may have had a slot and not counted it yet: then nobody would be looked for.
            let is_taken = |slot: &&Slot| slot.state.load(Ordering::Relaxed) != FREE;
            let taken = self.slots().iter().filter(is_taken).count();
            self.table.taken.store(taken as u32, Ordering::SeqCst);
        }
        let result = action();
        // SAFETY: this thread has it.
        unsafe { threading::ReleaseMutex(self.lock) };
        Ok(result)
    }

    /// The slots that may be taken.
    fn slots(&self) -> &'static [Slot] {
        // Another process wrote the number: never more than there are.
        let used = self.table.used.load(Ordering::Relaxed) as usize;
        &self.table.slots[..used.min(SLOTS)]
    }

    /// Under the lock: a slot for a wait of this thread. `None`: all are taken by the living.
    fn enter(&self, key: Key, event: &Event) -> Option<&'static Slot> {
        let is_free = |slot: &&Slot| slot.state.load(Ordering::Relaxed) == FREE;
        let mut free = self.slots().iter().find(is_free);
        if free.is_none() {
            free = self.table.slots.get(self.slots().len());
            if free.is_some() {
                self.table.used.fetch_add(1, Ordering::Relaxed);
            } else {
                self.sweep();
                free = self.slots().iter().find(is_free);
            }
        }
        let slot = free?;
        slot.process.store(std::process::id(), Ordering::Relaxed);
        slot.birth.store(self.birth, Ordering::Relaxed);
        slot.serial.store(event.serial, Ordering::Relaxed);
        slot.event.store(event.handle as u64, Ordering::Relaxed);
        for (place, part) in slot.key.iter().zip(key) {
            place.store(part, Ordering::Relaxed);
        }
        slot.state.store(WAITING, Ordering::Release);
        self.table.taken.fetch_add(1, Ordering::SeqCst);
        Some(slot)
    }

    /// Under the lock.
    fn free(&self, slot: &Slot) {
        slot.state.store(FREE, Ordering::Release);
        let less = |taken: u32| Some(taken.saturating_sub(1));
        let _ = self
            .table
            .taken
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
    }

    /// Under the lock: frees what the dead have left.
    fn sweep(&self) {
        for slot in self.slots() {
            if slot.state.load(Ordering::Relaxed) != FREE
                && !self.is_ours(slot)
                && matches!(Opened::of(slot), Err(GONE))
            {
                self.free(slot);
            }
        }
    }

    fn is_ours(&self, slot: &Slot) -> bool {
        slot.process.load(Ordering::Relaxed) == std::process::id()
            && slot.birth.load(Ordering::Relaxed) == self.birth
    }

    /// Under the lock: false where the waiter has died.
    fn signal(&self, slot: &Slot) -> bool {
        if self.is_ours(slot) {
            let event = slot.event.load(Ordering::Relaxed) as HANDLE;
            // SAFETY: of a thread of this process, which is in the table as long as it waits and keeps its event until its end.
            return unsafe { threading::SetEvent(event) } != 0;
        }
        match Opened::of(slot) {
            // SAFETY: the handle was just opened.
            Ok(opened) => unsafe { threading::SetEvent(opened.0) != 0 },
            // Alive, and not to be touched by this process (of another integrity level): its slot says that it was woken, which it sees when it next
            // looks.
            Err(error) => error != GONE,
        }
    }
}

/// What opening the event of a dead process fails with.
const GONE: u32 = ERROR_FILE_NOT_FOUND;

/// Another process's event.
struct Opened(HANDLE);

impl Opened {
    /// The error is the system's.
    fn of(slot: &Slot) -> Result<Self, u32> {
        let name = event_name(
            slot.process.load(Ordering::Relaxed),
            slot.birth.load(Ordering::Relaxed),
            slot.serial.load(Ordering::Relaxed),
        );
        // SAFETY: the name is NUL-terminated and outlives the call.
        let handle =
            unsafe { threading::OpenEventW(threading::EVENT_MODIFY_STATE, 0, name.as_ptr()) };
        if handle.is_null() {
            // SAFETY: the error of the call above, on this thread.
            Err(unsafe { GetLastError() })
        } else {
            Ok(Self(handle))
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: this value's own.
        unsafe { CloseHandle(self.0) };
    }
}

fn event_name(process: u32, birth: u64, serial: u32) -> Vec<u16> {
    os::wide(&format!(
        "Local\\memmap-wait-{process:x}-{birth:x}-{serial:x}"
    ))
}

/// What a thread sleeps on: an event that resets itself.
struct Event {
    handle: HANDLE,
    serial: u32,
}

impl Event {
    fn new(birth: u64) -> Outcome<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = event_name(std::process::id(), birth, serial);
        // SAFETY: the name is NUL-terminated and outlives the call.
        let handle = unsafe { threading::CreateEventW(std::ptr::null(), 0, 0, name.as_ptr()) };
        if handle.is_null() {
            Err(Fail::last("CreateEventW"))
        } else {
            Ok(Self { handle, serial })
        }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: this value's own; the thread ends, so that it is in no slot.
        unsafe { CloseHandle(self.handle) };
    }
}

thread_local! {
    static EVENT: OnceLock<Event> = const { OnceLock::new() };
}

/// What the table calls a word: its object and offset, or process and address.
fn key_of(word: Word) -> Key {
    if word.private || word.key == [0; 3] {
        [
            u64::from(std::process::id()) | 1 << 63,
            word.address as u64,
            0,
        ]
    } else {
        word.key
    }
}

fn value(word: Word) -> u32 {
    // SAFETY: the caller keeps the word mapped; it is aligned and only loaded.
    unsafe { AtomicU32::from_ptr(word.address.cast_mut()) }.load(Ordering::SeqCst)
}

/// Whether the table can be had.
pub fn supported() -> bool {
    Shared::get().is_ok()
}

/// Sleeps until one of the words is woken: which, counted from 0; `Err` in the inner result: which one had another value.
fn sleep<const N: usize>(
    words: [(Word, u32); N],
    timeout: Option<Duration>,
) -> Outcome<Result<Option<usize>, usize>> {
    let shared = Shared::get()?;
    EVENT.with(|cell| {
        if cell.get().is_none() {
            let _ = cell.set(Event::new(shared.birth)?);
        }
        let Some(event) = cell.get() else {
            return Err(Fail::system(code::ENOMEM, "CreateEventW"));
        };
        sleep_on(shared, event, words, timeout)
    })
}

fn sleep_on<const N: usize>(
    shared: &Shared,
    event: &Event,
    words: [(Word, u32); N],
    timeout: Option<Duration>,
) -> Outcome<Result<Option<usize>, usize>> {
    let mut slots: [Option<&Slot>; N] = [None; N];
    let leave = |slots: &[Option<&Slot>; N]| {
        for slot in slots.iter().flatten() {
            shared.free(slot);
        }
    };
    let entered = shared.locked(|| {
        for (slot, (word, _)) in slots.iter_mut().zip(words) {
            *slot = shared.enter(key_of(word), event);
        }
        if slots.iter().any(Option::is_none) {
            leave(&slots);
            return Err(Fail::system(code::EAGAIN, "wait").hint("too many threads wait"));
        }
        fence(Ordering::SeqCst);
        let other = words
            .iter()
            .position(|&(word, expected)| value(word) != expected);
        if other.is_some() {
            leave(&slots);
        }
        Ok(other)
    })??;
    if let Some(other) = entered {
        return Ok(Err(other));
    }
    let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        // Rounded up: a wait of less than a millisecond would not sleep at all.
        let milliseconds = left.map_or(threading::INFINITE, |left| {
            u32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(threading::INFINITE - 1)
        });
        // SAFETY: this thread's event.
        let got = unsafe { threading::WaitForSingleObject(event.handle, milliseconds) };
        let over = left.is_some_and(|left| left.is_zero()) || got == WAIT_FAILED;
        let ended = shared.locked(|| {
            // The last one first: a wake of the word counts more than the bell.
            let woken = slots.iter().rposition(|slot| {
                slot.is_some_and(|slot| slot.state.load(Ordering::Acquire) == WOKEN)
            });
            if woken.is_some() || over {
                leave(&slots);
                // Set under the lock by whoever woke this thread, perhaps after it had stopped waiting: not for the next wait.
                // SAFETY: this thread's event.
                unsafe { threading::ResetEvent(event.handle) };
            }
            woken
        })?;
        if ended.is_some() || over {
            return Ok(Ok(ended));
        }
    }
}

/// For at most `timeout`.
pub fn wait(word: Word, expected: u32, timeout: Duration) -> Outcome<End> {
    Ok(match sleep([(word, expected)], Some(timeout))? {
        Ok(Some(_)) => End::Woken,
        Ok(None) => End::TimedOut,
        Err(_) => End::NotEqual,
    })
}

/// How many of at most `count` waiters were woken.
pub fn wake(word: Word, count: u32) -> Outcome<u32> {
    let shared = Shared::get()?;
    fence(Ordering::SeqCst);
    if shared.table.taken.load(Ordering::SeqCst) == 0 {
        return Ok(0);
    }
    let key = key_of(word);
    shared.locked(|| {
        let mut woken = 0;
        for slot in shared.slots() {
            if woken == count {
                break;
            }
            let matches = slot.state.load(Ordering::Relaxed) == WAITING
                && slot
                    .key
                    .iter()
                    .zip(key)
                    .all(|(place, part)| place.load(Ordering::Relaxed) == part);
            if !matches {
                continue;
            }
            slot.state.store(WOKEN, Ordering::Release);
            if shared.signal(slot) {
                woken += 1;
            } else {
                shared.free(slot);
            }
        }
        woken
    })
}

/// Whether a bell ends `wait_with` at once, or only its slice.
pub fn hears_bell() -> bool {
    true
}

/// Waits for the word and, at once, for a bell of this process that has the value `seen`.
pub fn wait_with(bell: &AtomicU32, seen: u32, word: Word, expected: u32) -> Outcome<End> {
    Ok(
        match sleep([(Word::own(bell), seen), (word, expected)], None)? {
            Ok(Some(1)) => End::Woken,
            Err(1) => End::NotEqual,
            _ => End::Bell,
        },
    )
}
