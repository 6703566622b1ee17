//! Giving up the right to write, as `F_SEAL_WRITE` wants it.
#![allow(unsafe_code, reason = "maps this Region's own pages once more")]

use std::fs::File;
use std::sync::atomic::Ordering;

use super::Region;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::{fault, os};

impl Region {
    /// Maps the pages once more, from a descriptor that cannot write: F_SEAL_WRITE is EBUSY while any mapping could.
    pub fn become_read_only(&self) -> Outcome<()> {
        if self.is_carried() || self.holders() > 1 || !self.is_in_one_piece() {
            return Err(Fail::system(code::EBUSY, "fcntl")
                .hint("the mapping is shared or carried by the engine"));
        }
        let Some(file) = self.file() else {
            return Err(Fail::closed());
        };
        let read_only = os::reopen_read_only(&file)?;
        self.sealed.store(true, Ordering::Release);
        self.map_all(&read_only)
            .inspect_err(|_| self.become_writable_again())
    }

    /// The seal was refused. Where writing was sealed for the future, this mapping had the last right to write, and has lost it.
    pub fn become_writable_again(&self) {
        self.sealed.store(false, Ordering::Release);
        let again = self.file().is_some_and(|file| self.map_all(&file).is_ok());
        self.sealed.store(!again, Ordering::Release);
    }

    pub(super) fn map_all(&self, file: &File) -> Outcome<()> {
        let (length, form) = (self.map_len(), self.form());
        if self.base.is_null() {
            return Ok(());
        }
        let map = || {
            // SAFETY: all pages are this Region's; the slot's lock is held where there is a slot.
            unsafe { os::map_again(self.base, length, Some(file), self.file_base(), form) }
                .and_then(|()| {
                    // They were locked a moment ago, and are as many.
                    let _ = self.lock_again(0, length);
                    self.protect_again(self.base, 0, length)
                })
        };
        match &self.slot {
            Some(slot) => slot.locked(|edit| {
                map()?;
                edit.set_range(fault::Range {
                    writable: form.writable,
                    ..edit.range()
                });
                Ok(())
            }),
            None => map(),
        }
    }
}
