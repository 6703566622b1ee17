//! The same pages once more, where the engine can see them: see `carrier::overlay`.
#![allow(unsafe_code, reason = "maps over pages that a carrier vouches for")]

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};

use super::Region;
use crate::carrier::overlay::Overlay;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::os::{self, FileKind, Form, Pages, Protection, Replacement};

impl Region {
    /// Maps the pages over `target`, a carrier's, in this Region's form. With `adopt` they move there: memory without a file has no second copy.
    pub fn map_over(&self, target: *mut u8, adopt: bool) -> Outcome<()> {
        let (form, length) = (self.form(), self.map_len());
        // SAFETY: the pages are shared memory and stay this Region's; the carrier vouches for `target`, whose slot's lock is held.
        let share = || unsafe { os::share_again(self.base, target, length) };
        let placed = if form.mapped && (form.private || !self.is_device()) {
            match self.map_file_over(target, form) {
                // F_SEAL_FUTURE_WRITE: this mapping may go on writing, and only its own pages can.
                Err(fail) if fail.errno() == Some(code::EPERM) && !form.private => share(),
                other => other,
            }
        } else if form.private {
            self.move_over(target, form, adopt)
        } else {
            share()
        };
        placed
            .and_then(|()| self.protect_again(target, 0, length))
            .map_err(|fail| fail.at(self.path()))
    }

    /// Faults everything in, here and wherever it will be carried.
    pub fn populate(&self) {
        self.populated.store(true, Ordering::Release);
        os::populate_read(self.pages(0, self.len()));
    }

    /// The same for pages that carry it now.
    pub fn populate_again(&self, carrying: Pages) {
        if self.populated.load(Ordering::Acquire) {
            os::populate_read(carrying);
        }
    }

    /// Each mapping of /dev/zero is other memory.
    fn is_device(&self) -> bool {
        self.file()
            .and_then(|file| os::facts(&file).ok())
            .is_some_and(|facts| facts.kind == FileKind::Character)
    }

    /// A part of this Region is gone, or somebody else's: carriers have zeros there, too.
    pub(super) fn cut_overlays(&self, from: usize, to: usize) {
        for overlay in self.overlays() {
            let base = overlay.base().wrapping_add(from);
            // SAFETY: a part of the pages that the overlay has, under its slot's lock (or where there is no guard, the overlay's).
            overlay.with_pages(|| unsafe { os::replace(base, to - from, Replacement::Zeros) });
        }
    }

    fn map_file_over(&self, target: *mut u8, form: Form) -> Outcome<()> {
        let file = self.file().ok_or_else(Fail::closed)?;
        // memfd_create(2): a sealed object is mapped from descriptors that could not write, too.
        let sealed = self.sealed.load(Ordering::Acquire);
        let file = if sealed {
            Arc::new(os::reopen_read_only(&file)?)
        } else {
            file
        };
        // SAFETY: the carrier vouches for `target`, which is as long as this Region; its slot's lock is held.
        unsafe { os::map_again(target, self.map_len(), Some(&file), self.file_base(), form) }
    }

    /// Private pages without a file.
    fn move_over(&self, target: *mut u8, form: Form, adopt: bool) -> Outcome<()> {
        let length = self.map_len();
        let writable = Form {
            writable: true,
            ..form
        };
        // SAFETY: as in `map_file_over`; then both ranges are private, anonymous and `length` bytes long, and nobody faults in them.
        unsafe {
            os::map_again(target, length, None, 0, writable)?;
            if adopt {
                os::move_pages(self.base, target, length, self.page);
            } else {
                std::ptr::copy_nonoverlapping(self.base, target, length);
            }
        }
        if form.writable {
            return Ok(());
        }
        let pages = Pages {
            base: target,
            length,
        };
        os::protect(pages, Protection::Read)
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

    /// Other mappings go on, so a SharedArrayBuffer over these pages does, too: until the last of them closes. `false`: nobody is left.
    pub fn keep(&self, overlay: Arc<Overlay>) -> bool {
        // This mapping still counts, and only its own `let_go` follows: the count cannot reach 0 meanwhile.
        let others = self.holders() > 1;
        if others {
            self.kept
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(overlay);
        }
        others
    }

    /// The last mapping goes.
    pub(super) fn restore_kept(&self) {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        for overlay in kept {
            overlay.restore();
        }
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
