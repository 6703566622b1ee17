//! Other lengths. Growing: extend the file, map the new length, replace the old pages as close does. Shrinking: the old pages go first, the file last.
#![allow(
    unsafe_code,
    reason = "mapping into this Region's own reserved range; moving its own anonymous pages"
)]

use std::cmp::Ordering;
use std::fs::File;
use std::sync::{Arc, atomic};

use super::memory::Holes;
use super::{Memory, Region, Source};
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::fault;
use crate::open;
use crate::os::{self, Access, FileKind, Pages, Protection, Replacement, Seal};
use crate::shm;

/// What became of a resize.
pub enum Resized {
    /// The same Region has the new length; views stay valid.
    InPlace,
    /// A new Region; the old one is to be let go, then `finish` is to be called on the new one.
    Moved(Arc<Region>),
}

impl Region {
    /// Maps `length` bytes (absent: to the present end of the file) instead of the present number.
    pub fn resize(&self, length: Option<u64>, may_move: bool) -> Outcome<Resized> {
        self.check_resizable()
            .and_then(|()| self.check_fault())
            .and_then(|()| self.to_length(length, may_move))
            .map_err(|fail| fail.at(self.path()))
    }

    fn check_resizable(&self) -> Outcome<()> {
        let form = self.form();
        let refusal = if self.holders() > 1 {
            Some((code::EBUSY, "the mapping is shared with another one"))
        } else if self.owned().is_some() || !self.is_in_one_piece() {
            Some((
                code::ENOTSUP,
                "it was mapped by memmap/posix: use its mremap, or place it again",
            ))
        } else if self.is_carried() {
            Some((code::EBUSY, "the engine's own memory carries the mapping"))
        } else if form.private && form.mapped && form.access == Access::Copy
            || !form.mapped && self.file().is_some()
        {
            Some((code::ENOTSUP, "a private copy of a file keeps its length"))
        } else {
            None
        };
        refusal.map_or(Ok(()), |(errno, hint)| {
            Err(Fail::system(errno, "mremap").hint(hint))
        })
    }

    fn to_length(&self, length: Option<u64>, may_move: bool) -> Outcome<Resized> {
        let Some(file) = self.file() else {
            return self.resize_anonymous(length.unwrap_or(self.len() as u64), may_move);
        };
        if os::keeps_length(&file) {
            return Err(Fail::system(code::ENOTSUP, "mremap")
                .hint("a section keeps the length that it was made with"));
        }
        let facts = os::facts(&file)?;
        if facts.kind == FileKind::Character {
            return Err(Fail::system(code::ENOTSUP, "mremap").hint("a device has no length"));
        }
        let (size, old) = (facts.size, self.len());
        // What is only asked for changes no file, however short that is by now.
        let least = if length.is_some() { self.offset } else { 0 };
        let length = length.unwrap_or(size.saturating_sub(self.offset));
        let end = least
            .checked_add(length)
            .ok_or_else(|| Fail::system(code::EOVERFLOW, "mremap"))?;
        let has_length = self.form().access == Access::Write && facts.kind == FileKind::Regular;
        if end > size && !has_length {
            return Err(Fail::out_of_range(format!(
                "The value of \"length\" is out of range. The file has {size} bytes. Received {length}"
            )));
        }
        let new = usize::try_from(length)
            .ok()
            .filter(|new| os::is_mappable(self.delta.saturating_add(*new)))
            .ok_or_else(|| Fail::system(code::ENOMEM, "mremap"))?;
        if !self.fits(new) && !may_move {
            return Err(Fail::system(code::ENOMEM, "mremap")
                .hint("it would have to move; open it with a capacity"));
        }
        let cuts = has_length && self.is_cut(&file, new, old)?;
        if cuts && shm::seals(&file).is_ok_and(|seals| seals & os::seal_bits(&[Seal::Shrink]) != 0)
        {
            return Err(Fail::system(code::EPERM, "ftruncate").hint("the memory is sealed"));
        }
        if end > size {
            open::extend(&file, self.sparse, size, end)?;
        }
        self.to(new, may_move, cuts.then_some(end), &file)
            .inspect_err(|_| open::take_back(&file, size, end.max(size)))
    }

    /// `cut`: where the file is to end.
    fn to(
        &self,
        new: usize,
        may_move: bool,
        cut: Option<u64>,
        file: &Arc<File>,
    ) -> Outcome<Resized> {
        if self.fits(new) {
            let (old, before) = (self.len(), self.map_len());
            self.in_place(new)?;
            let done = match cut {
                Some(end) => self.cut_file(file, end),
                None => self.lock_again(before, self.map_len()),
            };
            if let Err(fail) = done {
                self.in_place(old)?;
                return Err(fail);
            }
            self.protections().cut(self.map_len());
            return Ok(Resized::InPlace);
        }
        debug_assert!(may_move);
        if !os::CUTS_MAPPED_FILES
            && let Some(end) = cut
        {
            // Now, as long as nothing has changed: other mappings of the file would make the `finish` of the new Region fail.
            self.cut_file(file, end)?;
        }
        let memory = open::map_file(file, self.form(), self.offset, new, self.page)?;
        let source = Source {
            file: Some(Arc::clone(file)),
            offset: self.offset,
            path: self.path().map(str::to_owned),
            page: self.page,
            sparse: self.sparse,
        };
        let region = Self::new(memory, new, self.form(), source);
        region.take_locks(self)?;
        region.inherit(self)?;
        Ok(Resized::Moved(region))
    }

    /// Whether `new` bytes lie where the mapping lies now.
    fn fits(&self, new: usize) -> bool {
        match &self.memory {
            Memory::Empty => new == 0,
            Memory::Reserved(reserved) => self.whole(new) <= reserved.length(),
            // `resize` refuses these.
            Memory::Owned(_) => false,
            Memory::Mapped(_) | Memory::Held(_) => new > 0 && self.whole(new) == self.map_len(),
        }
    }

    /// Locks pages in the place of those that `old` has locked; what may be locked in all need not be enough for both.
    fn take_locks(&self, old: &Self) -> Outcome<()> {
        let mut any = false;
        for (from, to, locked) in old.locks().within(0, usize::MAX) {
            self.locks().set(from, to, locked);
            any |= locked;
        }
        if !any || old.base.is_null() {
            return Ok(());
        }
        let pages = Pages {
            base: old.base,
            length: old.map_len(),
        };
        let _ = os::unlock(pages);
        self.lock_again(0, self.map_len()).inspect_err(|_| {
            let _ = old.lock_again(0, old.map_len());
        })
    }

    /// What `protect` did to the pages that both have holds on.
    fn inherit(&self, old: &Self) -> Outcome<()> {
        // Closing any descriptor of a file takes this process's locks on it away (fcntl(2)).
        if let found @ Holes::In(_) = std::mem::replace(&mut *old.holes_cell(), Holes::Unknown) {
            *self.holes_cell() = found;
        }
        if self.base.is_null() {
            return Ok(());
        }
        for (from, to, protection) in old.protections().within(0, self.map_len()) {
            self.protections().set(from, to, protection);
        }
        self.changes.store(old.changes(), atomic::Ordering::Release);
        self.locked(|| self.protect_again(self.base, 0, self.map_len()))
    }

    /// Shrinks a 'write' file to the end of this mapping, if the mapping that it replaces (`before` bytes) reached the file's end.
    pub fn finish(&self, before: usize) -> Outcome<()> {
        match self.file() {
            Some(file)
                if self.form().access == Access::Write
                    && self.is_cut(&file, self.len(), before)? =>
            {
                self.cut_file(&file, self.offset + self.len() as u64)
            }
            _ => Ok(()),
        }
        .map_err(|fail| fail.at(self.path()))
    }

    /// Makes the file end where the mapping is to. Windows refuses that while any view of it is there, however short (error 1224): then this one
    /// steps aside meanwhile, where its place can be held. Views of others still make it `EBUSY`.
    fn cut_file(&self, file: &Arc<File>, end: u64) -> Outcome<()> {
        let first = os::set_length(file, end);
        let busy = matches!(&first, Err(fail) if fail.errno() == Some(code::EBUSY));
        let length = self.map_len();
        if os::CUTS_MAPPED_FILES || !busy || length == 0 || !os::holds_places() {
            return first;
        }
        self.locked(|| {
            // SAFETY: the pages are this Region's, whose slot's lock is held: whoever touches them now waits for it in the guard.
            unsafe { os::replace(self.base, length, Replacement::None) };
            let cut = os::set_length(file, end);
            // Of a file that is shorter now, no more can be shown.
            let left = usize::try_from(end - self.offset).unwrap_or(length);
            let shown = if cut.is_ok() {
                self.whole(left)
            } else {
                length
            };
            if shown == 0 {
                return cut;
            }
            // SAFETY: as above.
            unsafe { os::map_again(self.base, shown, Some(file), self.file_base(), self.form()) }
                .and_then(|()| {
                    let _ = self.lock_again(0, shown);
                    self.protect_again(self.base, 0, shown)
                })
                .and(cut)
        })
    }

    /// Whether a file becomes shorter when its mapping does: one that went on behind the mapping keeps what it has there.
    fn is_cut(&self, file: &File, new: usize, old: usize) -> Outcome<bool> {
        let facts = os::facts(file)?;
        let end = self.offset + new as u64;
        Ok(new < old
            && facts.kind == FileKind::Regular
            && end < facts.size
            && facts.size <= self.offset + old as u64)
    }

    /// Inside the reserved range, or inside the last page.
    fn in_place(&self, new: usize) -> Outcome<()> {
        let old_end = self.map_len();
        let new_end = self.whole(new);
        let file = self.file();
        let map = || match new_end.cmp(&old_end) {
            Ordering::Greater => {
                let (from, length) = (self.base.wrapping_add(old_end), new_end - old_end);
                // SAFETY: the range lies inside what this Region reserved and nothing else is mapped there; the slot's lock is held.
                unsafe {
                    os::map_again(
                        from,
                        length,
                        file.as_deref(),
                        self.file_base() + old_end as u64,
                        self.form(),
                    )?;
                }
                // After a cut of the file that was refused: what the end was protected as before.
                self.protect_again(self.base, old_end, new_end)
            }
            Ordering::Less => {
                // SAFETY: as above. Views of the cut pages are still there: they read zeros instead of faulting at the user's own truncation.
                unsafe {
                    os::shorten(
                        self.base,
                        new_end,
                        old_end,
                        file.as_deref(),
                        self.file_base(),
                        self.form(),
                    )
                }
            }
            Ordering::Equal => Ok(()),
        };
        match &self.slot {
            Some(slot) => slot.locked(|edit| {
                map()?;
                edit.set_range(fault::Range {
                    len: new_end.max(self.page),
                    ..edit.range()
                });
                Ok::<(), Fail>(())
            })?,
            None => map()?,
        }
        self.length.store(new, atomic::Ordering::Release);
        Ok(())
    }

    fn resize_anonymous(&self, length: u64, may_move: bool) -> Outcome<Resized> {
        let new = usize::try_from(length).map_err(|_| Fail::system(code::ENOMEM, "mremap"))?;
        if new == self.len() || new > 0 && self.whole(new) == self.map_len() && !self.base.is_null()
        {
            if new > self.len() {
                // What an earlier, longer life of this page left behind the end.
                self.open_up()?;
                // SAFETY: inside the last page, which `open_up` made writable.
                unsafe { std::ptr::write_bytes(self.base.add(self.len()), 0, new - self.len()) };
                self.locked(|| self.protect_again(self.base, 0, self.map_len()))?;
            }
            self.length.store(new, atomic::Ordering::Release);
            return Ok(Resized::InPlace);
        }
        if !may_move {
            return Err(Fail::system(code::ENOMEM, "mremap").hint("it would have to move"));
        }
        let region = open::anonymous_with(new, self.form, self.page)?;
        region.take_locks(self)?;
        let common = self.len().min(new);
        if common > 0 {
            self.open_up()?;
            // SAFETY: both Regions are alive, page aligned, and at least `common` bytes long; `open_up` made all pages readable.
            unsafe { os::move_pages(self.base, region.base(), common, self.page) };
            // What lies behind the end in the last page that both have, from a longer life of it, was moved with it.
            let behind = common.next_multiple_of(self.page) - common;
            // SAFETY: inside the last page that was moved.
            unsafe { std::ptr::write_bytes(region.base().add(common), 0, behind) };
            // The pages that were moved are what they were, unlocked; so many were locked a moment ago.
            let _ = region.lock_again(0, region.map_len());
        }
        region.inherit(self)?;
        Ok(Resized::Moved(region))
    }

    /// Takes back what `protect` did, as contents can only be moved out of pages that may be read.
    fn open_up(&self) -> Outcome<()> {
        let length = self.map_len();
        if self.protections().within(0, length).next().is_none() {
            return Ok(());
        }
        let pages = Pages {
            base: self.base,
            length,
        };
        self.locked(|| os::protect(pages, Protection::Write))
    }
}
