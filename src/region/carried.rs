//! The same pages once more, where the engine can see them: see `carrier::overlay`.
#![allow(unsafe_code, reason = "maps over pages that a carrier vouches for")]

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};

use super::{Form, Region};
use crate::carrier::overlay::Overlay;
use crate::error::Outcome;
use crate::os;

impl Region {
    /// Maps the file over `target`, in this Region's form: a carrier's pages.
    pub fn map_over(&self, target: *mut u8) -> Outcome<()> {
        let file = if self.form.mapped { self.file() } else { None };
        let form = if self.form.mapped {
            self.form
        } else {
            Form {
                writable: true,
                ..self.form
            }
        };
        // SAFETY: the carrier vouches for `target`, which is as long as this Region; the slot's lock is held.
        unsafe {
            os::map_again(
                target,
                self.map_len(),
                file.as_deref(),
                self.file_base(),
                form,
            )
        }
        .map_err(|fail| fail.at(self.path()))?;
        if !self.form.mapped {
            // SAFETY: both are `map_len` bytes; these pages are nobody's file, so neither side can fault.
            unsafe { std::ptr::copy_nonoverlapping(self.base(), target, self.map_len()) };
        }
        self.protect_again(target, 0, self.map_len())
    }

    /// V8 carries these pages, too; with `adopt` they are the true ones from now on.
    pub fn carry(&self, overlay: &Arc<Overlay>, adopt: bool) {
        let mut all = self.overlays.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(overlay));
        if adopt {
            self.adopted.store(overlay.base(), Ordering::Release);
        }
    }

    /// V8 gets those pages back.
    pub fn disown(&self, overlay: &Overlay) {
        let _ = self.adopted.compare_exchange(
            overlay.base(),
            std::ptr::null_mut(),
            Ordering::AcqRel,
            Ordering::Acquire,
        );
    }

    /// Whether the true pages are a carrier's, which ends with its environment.
    pub fn is_adopted(&self) -> bool {
        !self.adopted.load(Ordering::Acquire).is_null()
    }

    /// Whether any carrier stands on these pages: they can't get another length then.
    pub fn is_carried(&self) -> bool {
        !self.overlays().is_empty()
    }

    pub(super) fn overlays(&self) -> Vec<Arc<Overlay>> {
        let all = self.overlays.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).collect()
    }
}
