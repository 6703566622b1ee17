//! Which addresses are ours. A slot is the entry of one mapping: its books under a lock, and its
//! bounds outside, so that the handler can look an address up without a lock.
//!
//! The handler can be asleep between any two of its instructions while the mapping that faulted is
//! closed and a stranger gets its addresses. So what it finds unlocked is only a hint: it takes the
//! slot's lock, and if any caller has been there since (`version`), it goes back and lets the
//! fault, if it still is one, come again. Callers hold the same lock round their own `mmap`,
//! `mprotect` and `munmap`.
#![allow(
    unsafe_code,
    reason = "slots live for ever, in chunks behind raw pointers"
)]

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering},
    },
};

pub use super::pages::Pages as Edit;
use super::{
    Fault, Range, enabled, ended,
    lock::{Held, SpinLock},
    pages::{Cause, Outcome, Pages},
    system::sys,
};

const CHUNK: usize = 64;
const CHUNKS: usize = 16_384;

/// What the lock-free scan reads: 16 bytes a slot, side by side.
struct Bounds {
    from: AtomicUsize,
    /// 0: the slot is free.
    to: AtomicUsize,
}

struct Cell {
    pages: SpinLock<Pages>,
    /// Changes whenever a caller (not the handler) has the lock.
    version: AtomicU32,
    /// As in the books, to answer "nothing happened" without the lock.
    count: AtomicU32,
}

struct Chunk {
    bounds: [Bounds; CHUNK],
    cells: [Cell; CHUNK],
}

/// Never freed: the handler may read any of them at any time.
static TABLE: [AtomicPtr<Chunk>; CHUNKS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS];
/// Slots below have been handed out at least once.
static USED: AtomicUsize = AtomicUsize::new(0);
/// Changes of bounds begun and done: a scan that met one in the middle and found nothing looks
/// again.
static BEGUN: AtomicU32 = AtomicU32::new(0);
static DONE: AtomicU32 = AtomicU32::new(0);
/// Slots below `USED` that are free.
static FREE: Mutex<Vec<usize>> = Mutex::new(Vec::new());

fn chunk(index: usize) -> &'static Chunk {
    // SAFETY: callers pass indexes below `USED`, whose chunks `take_index` made before it raised
    // `USED`, and nobody frees.
    unsafe { &*TABLE[index / CHUNK].load(Ordering::Acquire) }
}

fn cell(index: usize) -> &'static Cell {
    &chunk(index).cells[index % CHUNK]
}

fn take_index() -> Option<usize> {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(index) = free.pop() {
        return Some(index);
    }
    let index = USED.load(Ordering::Relaxed);
    let place = TABLE.get(index / CHUNK)?;
    if index.is_multiple_of(CHUNK) {
        let fresh = Box::new(Chunk {
            bounds: [const {
                Bounds {
                    from: AtomicUsize::new(0),
                    to: AtomicUsize::new(0),
                }
            }; CHUNK],
            cells: [const {
                Cell {
                    pages: SpinLock::new(Pages::free()),
                    version: AtomicU32::new(0),
                    count: AtomicU32::new(0),
                }
            }; CHUNK],
        });
        place.store(Box::into_raw(fresh), Ordering::Release);
    }
    USED.store(index + 1, Ordering::Release);
    Some(index)
}

/// A caller's turn with the books of a slot. Whatever it does, and however it ends, the handler
/// learns that somebody was there.
struct Turn {
    index: usize,
    pages: Held<'static, Pages>,
}

impl Turn {
    fn of(index: usize) -> Self {
        let mut pages = cell(index).pages.enter();
        pages.touch();
        cell(index).version.fetch_add(1, Ordering::AcqRel);
        Self { index, pages }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pages.touch();
        let bounds = &chunk(self.index).bounds[self.index % CHUNK];
        let Range { base, len, .. } = self.pages.range();
        // An empty range (also that of a free slot) contains nothing.
        let (from, to) = if len == 0 { (0, 0) } else { (base, base + len) };
        if (
            bounds.from.load(Ordering::Relaxed),
            bounds.to.load(Ordering::Relaxed),
        ) != (from, to)
        {
            BEGUN.fetch_add(1, Ordering::SeqCst);
            bounds.from.store(from, Ordering::SeqCst);
            bounds.to.store(to, Ordering::SeqCst);
            DONE.fetch_add(1, Ordering::SeqCst);
        }
        cell(self.index)
            .count
            .store(self.pages.count(), Ordering::Release);
        cell(self.index).version.fetch_add(1, Ordering::AcqRel);
    }
}

/// The guard's entry of one mapping. Dropping it without [`Slot::release`] forgets the range
/// without unmapping it.
#[derive(Debug)]
pub struct Slot {
    index: usize,
}

/// Guards a range from now on. `None` where there is no guard, for an empty range, and past a
/// million mappings.
///
/// # Safety
/// The range is the caller's mapping, and until the slot is released it is changed only inside
/// [`Slot::locked`], [`Slot::retire`], [`Slot::clear`] and [`Slot::release`]. The handler maps
/// other pages into it.
pub unsafe fn register(range: Range, mapping_id: u64) -> Option<Slot> {
    // SAFETY: kept by the caller.
    unsafe { register_part(range, mapping_id, 0) }
}

/// The same for a part of a mapping: faults are reported `shift` bytes further on.
///
/// # Safety
/// As of [`register`].
pub unsafe fn register_part(range: Range, mapping_id: u64, shift: usize) -> Option<Slot> {
    if !enabled() || range.len == 0 {
        return None;
    }
    let index = take_index()?;
    let mut turn = Turn::of(index);
    *turn.pages = Pages::live(range, mapping_id, shift);
    drop(turn);
    // `touch` has marked it as edited; nobody has faulted in it yet.
    cell(index).pages.enter().settle();
    Some(Slot { index })
}

impl Slot {
    /// The first fault since the mapping was made or cleared; one that lost data goes before an
    /// earlier `protected`, which did not.
    pub fn fault(&self) -> Option<Fault> {
        if self.count() == 0 {
            return None;
        }
        cell(self.index).pages.enter().fault()
    }

    /// How many faults since then. 0 is answered without a lock.
    pub fn count(&self) -> u32 {
        cell(self.index).count.load(Ordering::Acquire)
    }

    /// Runs an `mmap` or `mprotect` of the caller; `change` tells the books what it did.
    ///
    /// Like the closures of `retire`, `clear` and `release` it runs under the slot's spin lock: it
    /// must not touch mapped bytes or this slot.
    pub fn locked<R>(&self, change: impl FnOnce(&mut Edit) -> R) -> R {
        change(&mut Turn::of(self.index).pages)
    }

    /// Close, first step: `replace` puts other pages in the place of the mapping's.
    ///
    /// A later fault in them (a native thread that still reads, `PROT_NONE` pages) gives zeros and
    /// is not reported.
    pub fn retire<R>(&self, replace: impl FnOnce() -> R) -> R {
        let mut turn = Turn::of(self.index);
        turn.pages.retire();
        replace()
    }

    /// Hands each run of pages that the handler replaced to `remap(offset, len)`, which maps the
    /// file (or fresh memory) there again, then forgets the fault. Pages that were only made
    /// writable (no file, or a private mapping: their contents are the user's) stay so.
    ///
    /// # Errors
    /// The first of `remap`'s: the fault stays, as do the runs that `remap` has not seen.
    pub fn clear(&self, remap: impl FnMut(usize, usize) -> io::Result<()>) -> io::Result<()> {
        Turn::of(self.index).pages.clear(remap)
    }

    /// Close, last step: `unmap` gives the addresses back, and the slot may serve another mapping.
    pub fn release<R>(self, unmap: impl FnOnce() -> R) -> R {
        self.end(unmap, false)
    }

    /// The same where the addresses stay in use: `replace` puts pages there that are not ours, and a
    /// thread that has just faulted on the old ones goes back and finds them.
    pub fn leave<R>(self, replace: impl FnOnce() -> R) -> R {
        self.end(replace, true)
    }

    fn end<R>(self, unmap: impl FnOnce() -> R, in_use: bool) -> R {
        let mut turn = Turn::of(self.index);
        if in_use {
            let Range { base, len, .. } = turn.pages.range();
            ended::add(base, base + len);
        }
        let result = unmap();
        turn.pages.set_free();
        // Before `self` takes its own turn.
        drop(turn);
        result
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        Turn::of(self.index).pages.set_free();
        FREE.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.index);
    }
}

/// A slot that contained an address a moment ago.
pub struct Hint {
    index: usize,
    version: u32,
}

/// Looks an address up, without a lock. More than one slot can hold it for a moment: one that is
/// just being freed, and its successor.
pub fn find(address: usize, skip: Option<&Hint>) -> Option<Hint> {
    let first = skip.map_or(0, |hint| hint.index + 1);
    // Bounded: a process that opens and closes without pause must not keep a stranger's fault here
    // for ever.
    for _ in 0..1000 {
        let done = DONE.load(Ordering::SeqCst);
        let used = USED.load(Ordering::Acquire);
        let mut index = first;
        while index < used {
            let chunk = chunk(index);
            let cells = chunk
                .cells
                .iter()
                .zip(&chunk.bounds)
                .skip(index % CHUNK)
                .take(used - index);
            for (cell, bounds) in cells {
                // Before the bounds: if they are newer than the version, `Hint::mend` sees that it
                // has moved on.
                let version = cell.version.load(Ordering::SeqCst);
                if address < bounds.to.load(Ordering::SeqCst)
                    && address >= bounds.from.load(Ordering::SeqCst)
                {
                    return Some(Hint { index, version });
                }
                index += 1;
            }
        }
        if BEGUN.load(Ordering::SeqCst) == done {
            return None;
        }
        std::hint::spin_loop();
    }
    None
}

impl Hint {
    /// `None`: the slot does not hold the address, look further.
    pub fn mend(&self, cause: Cause, address: usize) -> Option<Outcome> {
        let cell = cell(self.index);
        // Held by this very thread: a caller's closure touched mapped bytes. Waiting would hang.
        let mut pages = cell.pages.try_enter()?;
        if cell.version.load(Ordering::SeqCst) != self.version {
            return Some(Outcome::Retry);
        }
        if !pages.contains(address) {
            return None;
        }
        let outcome = pages.mend(cause, address, sys::thread());
        cell.count.store(pages.count(), Ordering::Release);
        Some(outcome)
    }
}
