//! The file mapped over pages that V8 owns (a WebAssembly memory, a resizable ArrayBuffer, a growable SharedArrayBuffer): the only zero-copy way inside
//! V8's memory cage. V8 gets zero pages back before it may free them: at close, or when the environment ends.
#![allow(
    unsafe_code,
    reason = "maps over pages of the engine, which stay referenced while they are ours"
)]

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::fault::Slot;
use crate::os;
use crate::region::{Pages, Region};

/// One placement.
pub struct Overlay {
    pages: Pages,
    environment: usize,
    /// `None` once V8 has its pages back.
    live: Mutex<Option<Live>>,
}

struct Live {
    slot: Option<Slot>,
}

// SAFETY: the pointer is only handed to system calls, under `live`'s lock.
unsafe impl Send for Overlay {}
// SAFETY: as above.
unsafe impl Sync for Overlay {}

/// All placements of this process, for the ends of environments.
static PLACED: Mutex<Vec<Weak<Overlay>>> = Mutex::new(Vec::new());

impl Overlay {
    /// Maps the Region's file once more, over `target` (whole pages, at least as long), which the caller keeps alive until `restore`.
    pub fn place(
        region: &Region,
        target: *mut u8,
        room: usize,
        environment: usize,
    ) -> Outcome<Arc<Self>> {
        if !(target as usize).is_multiple_of(region.page())
            || room < region.map_len()
            || !available()
        {
            return Err(Fail::system(code::ENOTSUP, "mmap")
                .hint("the engine's pages cannot carry the mapping"));
        }
        let pages = Pages {
            base: target,
            length: region.map_len(),
        };
        let slot = region.guard(target);
        let placed = match &slot {
            Some(slot) => slot.locked(|_| region.map_over(target)),
            None => region.map_over(target),
        };
        if let Err(fail) = placed {
            if let Some(slot) = slot {
                slot.release(|| ());
            }
            return Err(fail);
        }
        let overlay = Arc::new(Self {
            pages,
            environment,
            live: Mutex::new(Some(Live { slot })),
        });
        let mut all = PLACED.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&overlay));
        Ok(overlay)
    }

    /// First byte.
    pub fn base(&self) -> *mut u8 {
        self.pages.base
    }

    /// Gives V8 zero pages back; once.
    pub fn restore(&self) {
        if let Some(live) = self
            .live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            // SAFETY: the pages belong to a buffer that the facade still references; the slot's lock keeps the handler off.
            let give_back = || unsafe {
                os::replace(self.pages.base, self.pages.length, os::Replacement::Zeros);
            };
            match live.slot {
                Some(slot) => slot.release(give_back),
                None => give_back(),
            }
        }
    }

    /// The engine has moved its memory: the pages are whoever's by now.
    pub fn forget(&self) {
        let live = self
            .live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Live { slot: Some(slot) }) = live {
            slot.release(|| ());
        }
    }

    /// Runs something with the guard's slot, while the placement is live.
    pub fn with_slot<R>(&self, action: impl FnOnce(&Slot) -> R) -> Option<R> {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|live| live.slot.as_ref().map(action))
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        self.restore();
    }
}

/// The environment ends: V8 will free its pages soon, and must not find a file there.
pub fn environment_ends(environment: usize) {
    let mine: Vec<_> = {
        let all = PLACED.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .filter_map(Weak::upgrade)
            .filter(|overlay| overlay.environment == environment)
            .collect()
    };
    for overlay in mine {
        overlay.restore();
    }
}

/// Whether overlays are possible here: nothing can be mapped over V8's pages on Windows.
pub fn available() -> bool {
    cfg!(unix)
}
