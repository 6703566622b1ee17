//! Other lengths. Growing: extend the file, map the new length, replace the old pages as close does. Shrinking: the old pages go first, the file last.
#![allow(
    unsafe_code,
    reason = "mapping into this Region's own reserved range; moving its own anonymous pages"
)]

use std::cmp::Ordering;
use std::sync::{Arc, atomic};

use super::{Access, Memory, Region, Source};
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::fault;
use crate::open;
use crate::os::{self, Replacement};

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
        if self.holders() > 1 {
            return Err(
                Fail::system(code::EBUSY, "mremap").hint("the mapping is shared with another one")
            );
        }
        if self.is_carried() {
            return Err(Fail::system(code::EBUSY, "mremap")
                .hint("the engine's own memory carries the mapping"));
        }
        if self.form().private && self.form().mapped && self.form().access == Access::Copy
            || !self.form().mapped && self.file().is_some()
        {
            return Err(Fail::system(code::ENOTSUP, "mremap")
                .hint("a private copy of a file keeps its length"));
        }
        self.check_fault()?;
        self.to_length(length, may_move)
            .map_err(|fail| fail.at(self.path()))
    }

    fn to_length(&self, length: Option<u64>, may_move: bool) -> Outcome<Resized> {
        let Some(file) = self.file() else {
            return self.resize_anonymous(length.unwrap_or(self.len() as u64), may_move);
        };
        let size = os::facts(&file)?.size;
        let length = length.unwrap_or(size.saturating_sub(self.offset));
        let end = self
            .offset
            .checked_add(length)
            .ok_or_else(|| Fail::system(code::EOVERFLOW, "mremap"))?;
        if end > size && self.form().access == Access::Read {
            return Err(Fail::out_of_range(format!(
                "The value of \"length\" is out of range. The file has {size} bytes. Received {length}"
            )));
        }
        let new = usize::try_from(length).map_err(|_| Fail::system(code::ENOMEM, "mremap"))?;
        let fits = self.base.is_null() && new == 0
            || matches!(&self.memory, Memory::Reserved(reserved) if self.delta + new <= reserved.length())
            || !self.base.is_null()
                && new > 0
                && (self.delta + new).next_multiple_of(self.page) == self.map_len();
        if !fits && !may_move {
            return Err(Fail::system(code::ENOMEM, "mremap")
                .hint("it would have to move; open it with a capacity"));
        }
        if end > size {
            open::extend(&file, self.sparse, size, end)?;
        }
        if fits {
            return match self.in_place(new) {
                Ok(()) => self.cut_file(end, size).map(|()| Resized::InPlace),
                Err(fail) => {
                    open::take_back(&file, size, end.max(size));
                    Err(fail)
                }
            };
        }
        match open::map_file(&file, self.form, self.offset, new, self.page) {
            Ok(memory) => {
                let source = Source {
                    file: Some(file),
                    offset: self.offset,
                    path: self.path().map(str::to_owned),
                    page: self.page,
                    sparse: self.sparse,
                };
                let region = Self::new(memory, new, self.form, source);
                Ok(Resized::Moved(region))
            }
            Err(fail) => {
                open::take_back(&file, size, end.max(size));
                Err(fail)
            }
        }
    }

    /// Shrinks a 'write' file to the end of this mapping, if the mapping that it replaces (`before` bytes) reached the file's end.
    pub fn finish(&self, before: usize) -> Outcome<()> {
        match self.file() {
            Some(file) if self.len() < before => {
                let size = os::facts(&file)?.size;
                if size <= self.offset + before as u64 {
                    self.cut_file(self.offset + self.len() as u64, size)
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
        .map_err(|fail| fail.at(self.path()))
    }

    /// A file that went on behind the mapping keeps what it has there.
    fn cut_file(&self, end: u64, size: u64) -> Outcome<()> {
        match self.file() {
            Some(file) if self.form().access == Access::Write && end < size => {
                os::set_length(&file, end)
            }
            _ => Ok(()),
        }
    }

    /// Inside the reserved range, or inside the last page.
    fn in_place(&self, new: usize) -> Outcome<()> {
        let old_end = self.map_len();
        let new_end = (self.delta + new).next_multiple_of(self.page);
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
                    )
                }
            }
            Ordering::Less => {
                // SAFETY: as above. Views of the cut pages are still there: they read zeros instead of faulting at the user's own truncation.
                unsafe {
                    os::replace(
                        self.base.wrapping_add(new_end),
                        old_end - new_end,
                        Replacement::Zeros,
                    );
                };
                Ok(())
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
        if new == self.len()
            || new > 0 && new.next_multiple_of(self.page) == self.map_len() && !self.base.is_null()
        {
            if new > self.len() {
                // What an earlier, longer life of this page left behind the end.
                // SAFETY: inside the last page.
                unsafe { std::ptr::write_bytes(self.base.add(self.len()), 0, new - self.len()) };
            }
            self.length.store(new, atomic::Ordering::Release);
            return Ok(Resized::InPlace);
        }
        if !may_move {
            return Err(Fail::system(code::ENOMEM, "mremap").hint("it would have to move"));
        }
        let region = open::anonymous_with(new, self.form, self.page)?;
        let common = self.len().min(new);
        if common > 0 {
            // SAFETY: both Regions are alive, page aligned, and at least `common` bytes long.
            unsafe { os::move_pages(self.base, region.base(), common) };
        }
        Ok(Resized::Moved(region))
    }
}
