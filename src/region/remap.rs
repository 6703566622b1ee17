//! mremap(2): the pages of a Region under another length or at another place, as a new Region. The caller closes the old one, whose views
//! become length 0; until they have, its range stays taken, so that nobody else's mapping falls where they point.
#![allow(
    unsafe_code,
    reason = "moves mappings of this Region, and cuts its own tail off"
)]

use std::sync::Arc;

use super::{Memory, Owned, Region, Source};
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::os::{self, Fresh, RemapKind, Replacement};
use crate::registry;

impl Region {
    /// `old` and `new` are lengths in bytes; `target` is the address that `MREMAP_FIXED` names, inside of a reservation.
    pub fn remap(
        self: &Arc<Self>,
        old: usize,
        new: usize,
        kind: RemapKind,
        target: usize,
    ) -> Outcome<Arc<Self>> {
        let bad = || Fail::system(code::EINVAL, "mremap");
        let whole = new
            .checked_next_multiple_of(self.page)
            .ok_or_else(|| Fail::system(code::ENOMEM, "mremap"))?;
        let before = old.checked_next_multiple_of(self.page).ok_or_else(bad)?;
        if new == 0 || self.delta != 0 || kind.keep && whole != before {
            return Err(bad());
        }
        if self.is_carried() {
            return Err(Fail::system(code::EBUSY, "mremap")
                .hint("the engine's own memory carries the mapping"));
        }
        let place = if kind.fixed {
            let found = registry::space_around(target, whole);
            let outside = || bad().hint("MREMAP_FIXED only inside of a Reservation");
            // Before anything moves: what cannot be placed could not go back.
            Some(
                found
                    .filter(|(_, at)| at.is_multiple_of(self.page))
                    .ok_or_else(outside)?,
            )
        } else {
            None
        };
        if before == 0 {
            // "creates a new mapping of the same pages": of shared ones only.
            if self.form.private || !kind.may_move {
                return Err(bad());
            }
        } else if before != self.map_len() {
            return Err(bad().hint("it takes a mapping as a whole"));
        } else {
            if self.holders() > 1 {
                return Err(Fail::system(code::EBUSY, "mremap")
                    .hint("the mapping is shared with another one"));
            }
            if self.fault().1 > 0 {
                self.clear_fault()?;
            }
            // As the kernel says of ranges with more than one mapping in them.
            if !self.is_in_one_piece()
                || self
                    .protections()
                    .within(0, before)
                    .any(|(from, to, _)| from > 0 || to < before)
            {
                return Err(Fail::system(code::EFAULT, "mremap"));
            }
            if let (None, false) = (&place, kind.keep)
                && let Some(region) = self.remap_here(before, whole, new, kind.may_move)?
            {
                return Ok(region);
            }
        }
        let fresh = if self.form.private {
            os::move_elsewhere(self.base, before, whole)?
        } else {
            os::map_twice(self.base, whole)?
        };
        let Some((space, at)) = place else {
            return Ok(self.successor(Memory::Owned(Arc::new(Owned::mapped(fresh, whole))), new));
        };
        let fresh = vec![(Fresh::adopt(fresh, whole)?, whole)];
        space.place(
            at,
            whole,
            true,
            fresh,
            Box::new(|memory| self.successor(memory, new)),
        )
    }

    /// Without moving, if that is possible; `None`: it has to move, and may.
    fn remap_here(
        self: &Arc<Self>,
        before: usize,
        whole: usize,
        new: usize,
        may_move: bool,
    ) -> Outcome<Option<Arc<Self>>> {
        let Memory::Owned(owned) = &self.memory else {
            // memmap2 gives this range back, with the length that it knows.
            return if may_move {
                Ok(None)
            } else {
                Err(Fail::system(code::ENOMEM, "mremap")
                    .hint("it was not mapped by mmap of memmap/posix: it would have to move"))
            };
        };
        if whole < before {
            // SAFETY: the tail of this Region; the lock keeps the handler off.
            self.locked(|| unsafe {
                os::replace(
                    self.base.wrapping_add(whole),
                    before - whole,
                    Replacement::None,
                );
            });
        } else if whole > before {
            match os::grow_here(self.base, before, whole) {
                Ok(()) => owned.grown(whole),
                // EFAULT: pages that were mapped again after a fault are a mapping of their own to the kernel.
                Err(fail)
                    if matches!(fail.errno(), Some(code::ENOMEM | code::EFAULT)) && may_move =>
                {
                    return Ok(None);
                }
                Err(fail) => return Err(fail),
            }
        }
        let memory = Memory::Owned(Arc::clone(owned));
        let region = match owned.space() {
            None => self.successor_after(memory, new),
            Some(space) => {
                let region = self.successor_after(memory, new);
                space.enter(&region);
                region
            }
        };
        Ok(Some(region))
    }

    /// The new Region answers for the pages before the old one stops to.
    fn successor_after(self: &Arc<Self>, memory: Memory, length: usize) -> Arc<Self> {
        let region = self.successor(memory, length);
        self.hand_over();
        registry::enter(&region);
        region
    }

    fn successor(&self, memory: Memory, length: usize) -> Arc<Self> {
        let source = Source {
            file: self.file(),
            offset: self.offset,
            path: self.path().map(str::to_owned),
            page: self.page,
            sparse: self.sparse,
        };
        let region = Self::new(memory, length, self.form, source);
        let protection = self.protections().within(0, 1).next();
        if let Some((_, _, protection)) = protection {
            region.remember(0, region.map_len(), protection);
        }
        region
    }
}
