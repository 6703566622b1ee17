//! What a mapping's owner may ask of its pages: advice, locks, protection, residency, giving contents back.
#![allow(unsafe_code, reason = "raw writes into the edges of a discarded range")]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Region;
use crate::carrier::overlay::Overlay;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::os::{self, Access, Pages, Protection};

/// `MADV_REMOVE`, where there is such an advice.
const REMOVE: Option<i32> = if cfg!(any(target_os = "linux", target_os = "android")) {
    Some(9)
} else {
    None
};

/// What mincore says.
pub struct Residency {
    /// Pages asked for.
    pub pages: usize,
    /// How many are in memory.
    pub resident: usize,
    /// One bit a page, lowest bit first.
    pub bitmap: Vec<u8>,
    /// Whether the system tells this process the truth.
    pub exact: bool,
}

impl Region {
    /// A hint that loses nothing.
    pub fn advise(&self, name: &str, position: usize, length: usize) -> Outcome<()> {
        let advice = os::advice(name).ok_or_else(|| Fail::system(code::ENOTSUP, "madvise"))?;
        self.on_pages("madvise", position, length, |pages| {
            os::advise(pages, advice)
        })
    }

    /// mlock, without copying private pages.
    pub fn lock(&self, position: usize, length: usize) -> Outcome<()> {
        self.on_pages("mlock", position, length, |pages| {
            self.lock_pages(pages)?;
            self.note_lock(pages, true);
            Ok(())
        })
    }

    /// The same for all pages that the mapping has and will have.
    pub fn lock_always(&self) -> Outcome<()> {
        self.lock(0, self.len())?;
        self.locks().set(0, usize::MAX, true);
        Ok(())
    }

    /// munlock.
    pub fn unlock(&self, position: usize, length: usize) -> Outcome<()> {
        self.on_pages("munlock", position, length, |pages| {
            os::unlock(pages)?;
            self.note_lock(pages, false);
            Ok(())
        })
    }

    fn lock_pages(&self, pages: Pages) -> Outcome<()> {
        let private = self.form().private && self.form().writable && self.form().mapped;
        os::lock(pages, private)
    }

    fn note_lock(&self, pages: Pages, locked: bool) {
        let from = pages.base as usize - self.base() as usize;
        // The last page stands for those that come behind it.
        let to = from + pages.length;
        let to = if to == self.map_len() && !locked {
            usize::MAX
        } else {
            to
        };
        self.locks().set(from, to, locked);
    }

    /// Locks what `lock` had locked of a part that was mapped again; `from` and `to` count from the base.
    pub(super) fn lock_again(&self, from: usize, to: usize) -> Outcome<()> {
        for (start, end, locked) in self.locks().within(from, to) {
            if locked && start < end {
                self.lock_pages(Pages {
                    base: self.base().wrapping_add(start),
                    length: end - start,
                })?;
            }
        }
        Ok(())
    }

    /// mprotect; never more than the mapping was opened for.
    pub fn protect(&self, position: usize, length: usize, protection: Protection) -> Outcome<()> {
        if protection == Protection::Write && self.form().access == Access::Read {
            return Err(Fail::system(code::EACCES, "mprotect").at(self.path()));
        }
        self.on_pages("mprotect", position, length, |pages| {
            self.protect_pages(pages, protection)
        })
    }

    /// The same for whole pages, whatever the mapping was opened for.
    pub fn protect_pages(&self, pages: Pages, protection: Protection) -> Outcome<()> {
        if protection.allows_stores() {
            self.share_copies()?;
        }
        let from = pages.base as usize - self.base() as usize;
        let at = |base: *mut u8| {
            os::protect(
                Pages {
                    base: base.wrapping_add(from),
                    length: pages.length,
                },
                protection,
            )
        };
        self.locked(|| at(self.base))?;
        for overlay in self.overlays() {
            overlay
                .with_slot(|slot| slot.locked(|_| at(overlay.base())))
                .unwrap_or(Ok(()))?;
        }
        self.remember(from, from + pages.length, protection);
        Ok(())
    }

    /// mincore.
    pub fn residency(&self, position: usize, length: usize) -> Outcome<Residency> {
        self.check_range(position, length)?;
        let pages = self.pages(position, length);
        let bitmap = if pages.length == 0 {
            Vec::new()
        } else {
            os::residency(pages, self.page).map_err(|fail| fail.at(self.path()))?
        };
        let file = if self.form().mapped {
            self.file()
        } else {
            None
        };
        Ok(Residency {
            pages: pages.length / self.page,
            resident: bitmap.iter().map(|bits| bits.count_ones() as usize).sum(),
            bitmap,
            exact: os::residency_is_exact(file.as_deref()),
        })
    }

    /// Drops contents: a hole in a shared file, zeros in memory, the file's own bytes in a private copy. Exact to the byte: whole pages are
    /// given back, the edges are overwritten.
    pub fn discard(&self, position: usize, length: usize) -> Outcome<()> {
        if self.form().access == Access::Read {
            return Err(Fail::system(code::EACCES, "madvise").at(self.path()));
        }
        self.check_range(position, length)?;
        self.permit(position, length, true)?;
        self.check_fault()?;
        if length == 0 || self.base.is_null() {
            return Ok(());
        }
        let (from, to) = (self.delta + position, self.delta + position + length);
        let first = from.next_multiple_of(self.page);
        // The last page belongs to the range when nothing of the user's lies behind it, in the mapping or in the file.
        let last = if to == self.delta + self.len() && self.is_last()? {
            to.next_multiple_of(self.page)
        } else {
            to / self.page * self.page
        };
        if first < last {
            let pages = Pages {
                base: self.base().wrapping_add(first),
                length: last - first,
            };
            self.give_back(pages, first)
                .map_err(|fail| fail.at(self.path()))?;
            self.reset(from, first.min(to) - from)?;
            if to > last {
                self.reset(last, to - last)
            } else {
                Ok(())
            }
        } else {
            self.reset(from, to - from)
        }
    }

    /// Whether nobody can see what lies in the last page behind the mapping.
    fn is_last(&self) -> Outcome<bool> {
        Ok(self.form().private || self.size()? <= self.offset() + self.len() as u64)
    }

    fn give_back(&self, pages: Pages, at: usize) -> Outcome<()> {
        if self.form().private {
            return if os::DROPS_PRIVATE_PAGES {
                os::drop_private(pages)
            } else {
                self.map_private_again(pages, at)
            };
        }
        match (self.file(), REMOVE) {
            (Some(file), _) if os::keeps_length(&file) => {
                Err(Fail::system(code::ENOTSUP, "madvise").hint("a section gives no pages back"))
            }
            (Some(file), _) => {
                self.shown(at, at + pages.length)
                    .into_iter()
                    .try_for_each(|(from, to, shows)| {
                        let piece = self.pages_at(from, to);
                        os::punch(piece, &file, self.file_base() + shows as u64)
                    })
            }
            (None, Some(remove)) => os::advise_raw(pages, remove),
            (None, None) => {
                Err(Fail::system(code::ENOTSUP, "madvise").hint("shared memory without a file"))
            }
        }
    }

    /// Zeros, or the file's bytes, in fresh pages.
    fn map_private_again(&self, pages: Pages, at: usize) -> Outcome<()> {
        let file = if self.form().mapped {
            self.file()
        } else {
            None
        };
        let again = || {
            // SAFETY: whole pages of this Region, private ones; the slot's lock keeps the handler off.
            unsafe {
                os::map_again(
                    pages.base,
                    pages.length,
                    file.as_deref(),
                    self.file_base() + at as u64,
                    self.form(),
                )
            }
        };
        let adopted = |overlay: &Arc<Overlay>| self.is_adopted() && overlay.base() == self.base();
        match self.overlays().into_iter().find(adopted) {
            Some(overlay) => overlay
                .with_slot(|slot| slot.locked(|_| again()))
                .unwrap_or_else(again),
            None => self.locked(again),
        }?;
        let _ = self.lock_again(at, at + pages.length);
        self.protect_again(self.base(), at, at + pages.length)
    }

    /// The edge of a discarded range: `from` counts from the base.
    fn reset(&self, from: usize, length: usize) -> Outcome<()> {
        if length == 0 {
            return Ok(());
        }
        // SAFETY: inside this Region's pages (the caller computed it from a checked range).
        unsafe { std::ptr::write_bytes(self.base().add(from), 0, length) };
        if self.form().private
            && self.form().mapped
            && let Some(file) = self.file()
        {
            let mut bytes = vec![0_u8; length];
            let got = os::read_at(&file, &mut bytes, self.file_base() + from as u64)?;
            // SAFETY: as above, and `got <= length`.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base().add(from), got) };
        }
        Ok(())
    }

    fn on_pages(
        &self,
        syscall: &'static str,
        position: usize,
        length: usize,
        action: impl FnOnce(Pages) -> Outcome<()>,
    ) -> Outcome<()> {
        self.check_range(position, length)?;
        let pages = self.pages(position, length);
        if pages.length == 0 {
            return Ok(());
        }
        if !self.is_in_one_piece() {
            let mapped = self.mapped_pages(pages);
            if mapped.iter().map(|pages| pages.length).sum::<usize>() < pages.length {
                // As the kernel says of ranges that munmap(2) has been in.
                return Err(Fail::system(code::ENOMEM, syscall)
                    .hint("a part of the range is not mapped any more")
                    .at(self.path()));
            }
        }
        action(pages).map_err(|fail| fail.at(self.path()))
    }

    /// Whoever maps a page of this range again must protect it so.
    pub fn remember(&self, from: usize, to: usize, protection: Protection) {
        self.protections().set(from, to, protection);
        self.changed();
    }

    /// Puts back what `protect` had done to a part that was mapped again; `from` and `to` count from the base.
    pub(super) fn protect_again(&self, base: *mut u8, from: usize, to: usize) -> Outcome<()> {
        let sealed = self.sealed.load(Ordering::Acquire);
        for (start, end, protection) in self.protections().within(from, to) {
            if sealed && protection == Protection::Write {
                continue;
            }
            os::protect(
                Pages {
                    base: base.wrapping_add(start),
                    length: end - start,
                },
                protection,
            )?;
        }
        Ok(())
    }
}
