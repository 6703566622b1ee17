//! The file mapped over pages that V8 owns (a WebAssembly memory, a resizable ArrayBuffer, a growable SharedArrayBuffer): the only zero-copy way inside
//! V8's memory cage. V8 gets zero pages back before it may free them: at close, when the views of a closed mapping are collected, or when the
//! environment ends.
#![allow(
    unsafe_code,
    reason = "maps over pages of the engine, which stay referenced while they are ours"
)]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::held::Held;
use super::mark::Mark;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::fault::Slot;
use crate::os::{self, Pages, Replacement};
use crate::region::Region;

/// The buffer whose pages carry a mapping.
pub enum Carrier {
    /// An ArrayBuffer of ours that nobody can take away.
    Own,
    /// One that the user could transfer; held where the engine can look. A page more is reserved behind its bytes.
    Transferable(Option<Held>),
    /// A SharedArrayBuffer of ours: nobody can take it away, and other threads may have it.
    Shared,
    /// A memory of the user's, whose buffer comes and goes: the facade looks where it is, and gives the latest that it has seen.
    Foreign(Option<Held>),
}

/// One placement.
pub struct Overlay {
    pages: Pages,
    environment: usize,
    shared: bool,
    /// The memory is ours to leave: see `retire`.
    own: bool,
    /// `None` once V8 has its pages back.
    live: Mutex<Option<Live>>,
}

struct Live {
    slot: Option<Slot>,
    /// To look whether the pages were taken away; `None` where that cannot be, and after `retire`.
    buffer: Option<Held>,
    /// To look whether the engine still has them then, for whoever took them.
    mark: Option<Mark>,
}

impl Live {
    fn is_lost(&self) -> bool {
        self.buffer.as_ref().is_some_and(Held::is_detached)
    }

    /// Whether the engine has the pages, in whatever buffer.
    fn is_there(&self) -> bool {
        let attached = |buffer: &Held| !buffer.is_detached();
        match (&self.buffer, &self.mark) {
            (Some(buffer), Some(mark)) => attached(buffer) || mark.is_there(),
            (Some(buffer), None) => attached(buffer),
            (None, Some(mark)) => mark.is_there(),
            (None, None) => true,
        }
    }
}

// SAFETY: the pages are only handed to system calls, under `live`'s lock; `Held` is only used on the thread of its environment.
unsafe impl Send for Overlay {}
// SAFETY: as above.
unsafe impl Sync for Overlay {}

/// All placements of this process, for the ends of environments.
static PLACED: Mutex<Vec<Weak<Overlay>>> = Mutex::new(Vec::new());

impl Overlay {
    /// Maps the Region's pages once more, over `target` (its first byte and how many there are: whole pages, at least as many).
    pub fn place(
        region: &Region,
        (base, room): (*mut u8, usize),
        (environment, carrier): (usize, Carrier),
        adopt: bool,
    ) -> Outcome<Arc<Self>> {
        let refused = !(base as usize).is_multiple_of(region.page())
            || room < region.map_len()
            || !available()
            // Holes that munmap(2) made would show the file again.
            || !region.is_in_one_piece()
            // Huge pages of no file would become small ones.
            || !region.form().mapped && region.page() != os::page_size()
            // Somebody else knows these private pages where they are now.
            || adopt && region.holders() > 1;
        if refused {
            return Err(Fail::system(code::ENOTSUP, "mmap")
                .hint("the engine's pages cannot carry the mapping"));
        }
        let length = region.map_len();
        // Held to the end: another thread may place something in the same shared memory.
        let mut all = placements();
        if all
            .iter()
            .filter_map(Weak::upgrade)
            .any(|other| other.is_live() && other.covers(base, length))
        {
            return Err(Fail::system(code::EBUSY, "mmap").hint("another mapping lies there"));
        }
        let slot = region.guard(base);
        let placed = match &slot {
            Some(slot) => slot.locked(|_| region.map_over(base, adopt)),
            None => region.map_over(base, adopt),
        };
        let (shared, own) = (
            matches!(carrier, Carrier::Shared),
            matches!(carrier, Carrier::Own | Carrier::Transferable(_)),
        );
        let (buffer, mark) = match carrier {
            // SAFETY: behind the bytes that the buffer has now; see `Carrier::Transferable`.
            Carrier::Transferable(held) => (held, unsafe { Mark::put(base.add(room)) }.ok()),
            Carrier::Foreign(held) => (held, None),
            Carrier::Own | Carrier::Shared => (None, None),
        };
        let overlay = Arc::new(Self {
            pages: Pages { base, length },
            environment,
            shared,
            own,
            live: Mutex::new(Some(Live { slot, buffer, mark })),
        });
        if let Err(fail) = placed {
            // Whatever is there now, V8 gets zeros.
            overlay.restore();
            return Err(fail);
        }
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&overlay));
        drop(all);
        region.populate_again(overlay.pages);
        Ok(overlay)
    }

    /// First byte.
    pub fn base(&self) -> *mut u8 {
        self.pages.base
    }

    /// Whether any of `length` bytes at `base` are its.
    fn covers(&self, base: *const u8, length: usize) -> bool {
        let (mine, theirs) = (self.pages.base as usize, base as usize);
        mine < theirs + length && theirs < mine + self.pages.length
    }

    /// Whether a SharedArrayBuffer stands there, which other threads may have.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// Whether the pages are still ours.
    pub fn is_live(&self) -> bool {
        self.live().is_some()
    }

    /// The engine's pages are still these, and their buffer is another one.
    pub fn watch(&self, buffer: Held) {
        if let Some(live) = &mut *self.live() {
            live.buffer = Some(buffer);
        }
    }

    /// Whether the user took the pages away from us. Only on the thread of the environment.
    pub fn is_lost(&self) -> bool {
        self.live().as_ref().is_some_and(Live::is_lost)
    }

    /// The mapping is closed, and its views will be detached: what is in flight on other threads finds nothing, as it does on pages of a
    /// Region. `restore` follows when no such thing can be left. Without the guard there are zeros at once.
    pub fn retire(&self) {
        let mut live = self.live();
        let guarded = match &mut *live {
            Some(this) if self.own && !this.is_lost() && this.is_there() => match &this.slot {
                Some(slot) => {
                    slot.retire(|| self.replace(Replacement::None));
                    this.buffer = None;
                    true
                }
                None => false,
            },
            _ => false,
        };
        drop(live);
        if !guarded {
            self.restore();
        }
    }

    /// Gives V8 zero pages back; once.
    pub fn restore(&self) {
        // Held to the end: whoever else restores (the last mapping, the end of the environment) goes on when it is done.
        let mut live = self.live();
        let Some(this) = live.take() else {
            return;
        };
        let there = this.is_there();
        let give_back = || {
            if there {
                self.replace(Replacement::Zeros);
                this.mark.as_ref().inspect(|mark| mark.remove());
            }
        };
        match this.slot {
            // Other threads may be using the pages at this moment: through a SharedArrayBuffer, or in an operation that is in flight.
            Some(slot) => slot.leave(give_back),
            None => give_back(),
        }
    }

    /// The engine has moved its memory: the pages are whoever's by now.
    pub fn forget(&self) {
        if let Some(Live {
            slot: Some(slot), ..
        }) = self.live().take()
        {
            slot.release(|| ());
        }
    }

    /// Runs something with the guard's slot, while the placement is live.
    pub fn with_slot<R>(&self, action: impl FnOnce(&Slot) -> R) -> Option<R> {
        self.live()
            .as_ref()
            .and_then(|live| live.slot.as_ref().map(action))
    }

    /// Runs something that maps over these pages, while the placement is live and the handler keeps off.
    pub fn with_pages(&self, action: impl FnOnce()) {
        match self.live().as_ref() {
            Some(Live {
                slot: Some(slot), ..
            }) => slot.locked(|_| action()),
            Some(_) => action(),
            None => {}
        }
    }

    fn replace(&self, with: Replacement) {
        // SAFETY: the pages belong to a buffer that the facade still references; the slot's lock keeps the handler off.
        unsafe { os::replace(self.pages.base, self.pages.length, with) };
    }

    fn live(&self) -> MutexGuard<'_, Option<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        self.restore();
    }
}

fn placements() -> MutexGuard<'static, Vec<Weak<Overlay>>> {
    PLACED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The environment ends: V8 will free its pages soon, and must not find a file there.
pub fn environment_ends(environment: usize) {
    let mine: Vec<_> = placements()
        .iter()
        .filter_map(Weak::upgrade)
        .filter(|overlay| overlay.environment == environment)
        .collect();
    for overlay in mine {
        overlay.restore();
    }
}

/// Whether overlays are possible here: nothing can be mapped over V8's pages on Windows.
pub fn available() -> bool {
    cfg!(unix)
}
