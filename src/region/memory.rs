//! For long work on the pages: whether it still has a meaning, where it need not look, and how it gives the memory back.

use std::fs::File;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::Region;
use crate::error::{Fail, Outcome};
use crate::os::{self, Eviction, Pages};

/// What is known of the holes of a file.
pub enum Holes {
    /// Nobody has asked.
    Unknown,
    /// None to speak of, or not told.
    None,
    /// To be asked through this description.
    In(Arc<File>),
}

impl Region {
    /// Closed by its last holder: what is in the pages now has no meaning.
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Fails when work on the pages has lost its meaning: after `close()` and after a fault. Asked after each slice.
    pub fn check(&self) -> Outcome<()> {
        if self.is_retired() {
            Err(Fail::closed())
        } else {
            self.check_fault()
        }
    }

    /// Whether the guard tells of faults here. Without it, touching a missing page kills the process.
    pub fn is_guarded(&self) -> bool {
        self.slot.is_some()
    }

    /// The file, for asking where its holes are, if every page shows what the file holds and the file has holes.
    pub fn holes(&self) -> Option<Arc<File>> {
        // Private pages may hold bytes where the file has a hole, also those that were mapped to be read; so may what was mapped over a part, and
        // each page that a store to a read-only one made.
        if !self.form.mapped || self.form.private || !self.is_in_one_piece() || self.fault().1 > 0 {
            return None;
        }
        let file = self.file()?;
        let mut holes = self.holes_cell();
        if let Holes::Unknown = *holes {
            *holes =
                os::open_for_holes(&file).map_or(Holes::None, |file| Holes::In(Arc::new(file)));
        }
        match &*holes {
            Holes::In(file) => Some(Arc::clone(file)),
            _ => None,
        }
    }

    /// Takes the whole pages inside of a range out of memory without losing a change.
    pub fn evict(&self, position: usize, length: usize) {
        if !self.is_in_one_piece() {
            // A hint: of pages that others were mapped over nobody knows whose they are.
            return;
        }
        // A hint as well: what lies behind the end is a stranger's.
        if self.check_range(position, length).is_err() {
            return;
        }
        // The first and the last page are the mapping's alone, however short it is.
        let from = if position == 0 {
            0
        } else {
            (self.delta + position).next_multiple_of(self.page)
        };
        let end = self.delta + position + length;
        let to = if position + length == self.len() {
            self.map_len()
        } else {
            end / self.page * self.page
        };
        if self.base.is_null() || from >= to {
            return;
        }
        let unload = |base: *mut u8, faults: u32| {
            let lossless = self.form.mapped && !self.form.private && faults == 0;
            let pages = Pages {
                base: base.wrapping_add(from),
                length: to - from,
            };
            os::unload(
                pages,
                if lossless {
                    Eviction::Shared
                } else {
                    Eviction::Private
                },
            );
        };
        // Under the slot's lock: a store that the guard turns into a private page just now must not be dropped.
        match &self.slot {
            Some(slot) => slot.locked(|edit| unload(self.base, edit.count())),
            None => unload(self.base, 0),
        }
        for overlay in self.overlays() {
            overlay.with_slot(|slot| slot.locked(|edit| unload(overlay.base(), edit.count())));
        }
        if let (true, Some(file)) = (self.form.mapped, self.file()) {
            for (from, to, shows) in self.shown(from, to) {
                os::uncache(&file, self.file_base() + shows as u64, (to - from) as u64);
            }
        }
    }

    pub(super) fn holes_cell(&self) -> MutexGuard<'_, Holes> {
        self.holes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
