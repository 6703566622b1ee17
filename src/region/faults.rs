//! What the guard knows of these pages, here and where carriers stand on them.
#![allow(
    unsafe_code,
    reason = "maps the file again where the guard had put other pages"
)]

use std::io;
use std::sync::PoisonError;

use super::Region;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::fault::{self, Backing, Fault, Kind, Slot};
use crate::os;

impl Region {
    /// A slot of the guard for these pages at `base`: the Region's own place, or a carrier's.
    pub fn guard(&self, base: *mut u8) -> Option<Slot> {
        // Here, where everything that is mapped comes by: what was empty when it was opened as well, once it has pages.
        fault::ensure();
        let file = if self.form.mapped { self.file() } else { None };
        let range = fault::Range {
            base: base as usize,
            // A reserved range may be empty so far; its slot must be there all the same.
            len: self.map_len().max(self.page),
            page: self.page,
            fd: fault::raw_file(file.as_deref()),
            file_offset: if file.is_some() { self.file_base() } else { 0 },
            backing: self.backing(file.is_some()),
            writable: self.form.writable,
        };
        // SAFETY: the pages are this Region's (or a carrier's that it placed), and every mmap and mprotect on them goes through the slot's lock.
        unsafe { fault::register(range, self.id) }
    }

    pub(super) fn backing(&self, has_file: bool) -> Backing {
        match (has_file, self.form.private) {
            (false, true) => Backing::Anonymous,
            (false, false) => Backing::Memory,
            (true, true) => Backing::Private,
            (true, false) => Backing::Shared,
        }
    }

    /// The first fault that was not cleared, with its offset from the user's first byte, and how many there were: here and on every carrier.
    pub fn fault(&self) -> (Option<Fault>, u32) {
        let mut first = None;
        let mut count = 0;
        self.with_slots(|slot| {
            let fault = slot.fault();
            count += slot.count();
            // One that lost data goes before one that did not.
            if first.is_none_or(|first: Fault| first.kind == Kind::Protected) {
                first = fault.or(first);
            }
        });
        (
            first.map(|fault| Fault {
                offset: fault.offset.saturating_sub(self.delta),
                ..fault
            }),
            count,
        )
    }

    /// Fails when nothing may be trusted until `clear_fault`.
    pub fn check_fault(&self) -> Outcome<()> {
        match self.fault() {
            // The facade says the rest: `Core.tell`.
            (Some(Fault { kind, .. }), _) if kind != Kind::Protected => Err(Fail::Coded {
                code: "ERR_MAPPING_FAULT",
                range: false,
                message: "The mapping faulted: clearFault() maps the file's pages again".into(),
            }),
            _ => Ok(()),
        }
    }

    /// Stores are meant from now on: they must not go to private copies that earlier ones have left of pages that others see.
    pub(super) fn share_copies(&self) -> Outcome<()> {
        let copied = matches!(self.fault(), (Some(fault), _) if fault.kind == Kind::Protected);
        if copied && !self.form.private {
            self.clear_fault()
        } else {
            Ok(())
        }
    }

    /// Maps the file's pages again where the guard had put others.
    pub fn clear_fault(&self) -> Outcome<()> {
        let mut result = Ok(());
        if let Some(slot) = &self.slot {
            result = self.clear_slot(slot, self.base);
        }
        result = result.and(self.clear_parts());
        for overlay in self.overlays() {
            if let Some(Err(fail)) = overlay.with_slot(|slot| self.clear_slot(slot, overlay.base()))
            {
                result = Err(fail);
            }
        }
        result.map_err(|fail| fail.at(self.path()))
    }

    pub(super) fn clear_slot(&self, slot: &Slot, base: *mut u8) -> Outcome<()> {
        self.clear_part(slot, base, 0, 0)
    }

    /// The slot's pages begin at `base`, which is `from` bytes into the Region and shows byte `shows` of its range of the file.
    pub(super) fn clear_part(
        &self,
        slot: &Slot,
        base: *mut u8,
        from: usize,
        shows: usize,
    ) -> Outcome<()> {
        let file = if self.form.mapped { self.file() } else { None };
        let mut failed = None;
        let mut again = Vec::new();
        let cleared = slot.clear(|offset, length| {
            if file.is_none() && !self.form.private {
                failed =
                    Some(Fail::system(code::ENOTSUP, "mmap").hint(
                        "memory without a descriptor cannot be mapped again: attach it again",
                    ));
                return Err(io::Error::other("not mapped"));
            }
            // SAFETY: the range lies inside this Region or its carrier (the slot says so) and the slot's lock is held, so nobody else maps there.
            let done = unsafe {
                os::map_again(
                    base.wrapping_add(offset),
                    length,
                    file.as_deref(),
                    self.file_base() + (shows + offset) as u64,
                    self.form(),
                )
            };
            let (start, region) = (from + offset, base.wrapping_sub(from));
            if region == self.base {
                again.push((start, start + length));
            }
            done.and_then(|()| self.protect_again(region, start, start + length))
                .map_err(|fail| {
                    failed = Some(fail);
                    io::Error::other("not mapped")
                })
        });
        // Locking reads pages in, which must not fault under the slot's lock. Of a file that is still too short they come back locked.
        for (from, to) in again {
            let _ = self.lock_again(from, to);
        }
        match (cleared, failed) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(fail)) => Err(fail),
            (Err(error), None) => Err(Fail::io(&error, "mmap")),
        }
    }

    pub(super) fn with_slots(&self, mut look: impl FnMut(&Slot)) {
        if let Some(slot) = &self.slot {
            look(slot);
        }
        self.with_part_slots(&mut look);
        // Looked at under its own lock, as most mappings have none.
        if !self
            .overlays
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
        {
            for overlay in self.overlays() {
                overlay.with_slot(&mut look);
            }
        }
    }
}
