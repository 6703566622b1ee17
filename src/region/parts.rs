//! Regions in parts. munmap(2) of a part leaves a hole, a mapping placed over a part takes it, a mirror shows its file twice: from then on the
//! guard has one slot for each part, as each has a story of its own.
#![allow(
    unsafe_code,
    reason = "registers parts of this Region's own range with the guard"
)]

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::owned::replace_all;
use super::{Memory, Region};
use crate::error::Outcome;
use crate::fault::{self, Backing, Slot};
use crate::os::{self, Pages, Replacement};

/// Whole pages of a Region, in bytes from its base.
pub(super) struct Part {
    from: usize,
    to: usize,
    /// Which byte of the Region's range of the file is at `from`.
    shows: usize,
    /// Nothing is mapped here any more. Views may still point here: `PROT_NONE` pages keep the place.
    hole: bool,
    slot: Option<Slot>,
}

impl Region {
    pub(super) fn parts(&self) -> MutexGuard<'_, Option<Vec<Part>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn part(&self, from: usize, to: usize, shows: usize, hole: bool) -> Part {
        let file = if self.form.mapped && !hole {
            self.file()
        } else {
            None
        };
        let range = fault::Range {
            base: self.base as usize + from,
            len: to - from,
            page: self.page,
            fd: fault::raw_file(file.as_deref()),
            file_offset: if file.is_some() {
                self.file_base() + shows as u64
            } else {
                0
            },
            backing: if hole {
                Backing::Anonymous
            } else {
                self.backing(file.is_some())
            },
            writable: self.form.writable && !hole,
        };
        // SAFETY: a part of this Region's pages; every mmap and mprotect on them goes through this slot's lock once it is in the books.
        let slot = unsafe { fault::register_part(range, self.id, from) };
        if self.retired.load(Ordering::Acquire)
            && let Some(slot) = &slot
        {
            slot.retire(|| ());
        }
        Part {
            from,
            to,
            shows,
            hole,
            slot,
        }
    }

    /// Takes `from..to` out of this Region, and runs `change`, which puts other pages there, while the guard's handler keeps off.
    /// With `hole` those pages are nobody's, and an access that comes too late finds zeros. A fault that was not cleared is cleared first.
    pub fn cut(
        &self,
        from: usize,
        to: usize,
        hole: bool,
        change: Box<dyn FnOnce() -> Outcome<()> + '_>,
    ) -> Outcome<()> {
        if !self.retired.load(Ordering::Acquire) && self.fault().1 > 0 {
            // Which pages the guard had replaced is in the books of the slots that end here. If it fails, they stay replaced.
            let _ = self.clear_fault();
        }
        let mut parts = self.parts();
        let whole = parts.is_none();
        let before = parts.take().unwrap_or_else(|| {
            vec![Part {
                from: 0,
                to: self.map_len(),
                shows: 0,
                hole: false,
                slot: None,
            }]
        });
        let (mut after, mut ending) = (Vec::new(), Vec::new());
        for part in before {
            if !whole && (part.to <= from || part.from >= to) {
                after.push(part);
                continue;
            }
            if part.from < from {
                after.push(self.part(part.from, part.to.min(from), part.shows, part.hole));
            }
            if part.to > to {
                let start = part.from.max(to);
                after.push(self.part(start, part.to, part.shows + (start - part.from), part.hole));
            }
            ending.push(part);
        }
        if hole {
            after.push(self.part(from, to, 0, true));
        }
        sort(&mut after);
        // The new slots answer already; the old ones end with the change.
        let mut slots: Vec<&Slot> = ending
            .iter()
            .filter_map(|part| part.slot.as_ref())
            .collect();
        if whole {
            slots.extend(&self.slot);
        }
        let result = ended(&slots, change);
        *parts = Some(after);
        drop(parts);
        self.changed();
        if result.is_ok() {
            self.cut_overlays(from, to);
        }
        result
    }

    /// What was placed over this Region is gone: `PROT_NONE` pages are left, and views may still point there. They are a hole of this one's.
    pub fn fall_back(&self, from: usize, to: usize) {
        if let Some(parts) = &mut *self.parts() {
            let mut at = from;
            let mut holes = Vec::new();
            for part in parts.iter() {
                if part.from > at && at < to {
                    holes.push((at, part.from.min(to)));
                }
                at = at.max(part.to);
            }
            if at < to {
                holes.push((at, to));
            }
            for (from, to) in holes {
                parts.push(self.part(from, to, 0, true));
            }
            sort(parts);
        }
        self.changed();
    }

    /// munmap(2) of a part: `PROT_NONE` pages stay.
    pub fn punch_out(&self, from: usize, to: usize) {
        let pages = self.pages_at(from, to);
        // SAFETY: whole pages of this Region (the caller has clipped the range to what it still has); `cut` keeps the handler off.
        let clear = || unsafe { os::replace(pages.base, pages.length, Replacement::None) };
        let _ = self.cut(
            from,
            to,
            true,
            Box::new(|| {
                clear();
                Ok(())
            }),
        );
    }

    /// After mremap(2) in place: another Region has these pages now, and this one only waits for its views to go.
    pub fn hand_over(&self) {
        crate::registry::forget(self);
        let mark = || {
            self.handed_over.store(true, Ordering::Release);
            Ok(())
        };
        let _ = self.cut(0, self.map_len(), false, Box::new(mark));
    }

    /// Whether `hand_over` was called.
    pub fn is_handed_over(&self) -> bool {
        self.handed_over.load(Ordering::Acquire)
    }

    /// The second half shows what the first does.
    pub fn mirror(&self, half: usize) {
        let end = self.map_len();
        let mut parts = self.parts();
        let both = vec![self.part(0, half, 0, false), self.part(half, end, 0, false)];
        let slots: Vec<&Slot> = self.slot.iter().collect();
        let _ = ended(&slots, Box::new(|| Ok(())));
        *parts = Some(both);
    }

    /// What this Region still has of `from..to`, in order, and whether it is a hole. `None`: all of it.
    pub(super) fn pieces(&self, from: usize, to: usize) -> Option<Vec<(usize, usize, bool)>> {
        let parts = self.parts();
        let mut pieces = Vec::new();
        for part in parts.as_ref()? {
            let (start, end) = (part.from.max(from), part.to.min(to));
            if start < end {
                pieces.push((start, end, part.hole));
            }
        }
        Some(pieces)
    }

    /// What `from..to` shows, piece by piece: from, to, which byte of the Region's range of the file is at the first.
    pub(super) fn shown(&self, from: usize, to: usize) -> Vec<(usize, usize, usize)> {
        let parts = self.parts();
        let Some(parts) = parts.as_ref() else {
            return vec![(from, to, from)];
        };
        let pieces = parts.iter().filter(|part| !part.hole).map(|part| {
            let start = part.from.max(from);
            (
                start,
                part.to.min(to),
                part.shows + start - part.from.min(start),
            )
        });
        pieces.filter(|(start, end, _)| start < end).collect()
    }

    /// The parts of `from..to` that are mapped.
    pub fn mapped_ranges(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let Some(pieces) = self.pieces(from, to) else {
            let to = to.min(self.map_len());
            return if from < to {
                vec![(from, to)]
            } else {
                Vec::new()
            };
        };
        let mut mapped = Vec::new();
        for (start, end, hole) in pieces {
            if !hole {
                mapped.push((start, end));
            }
        }
        mapped
    }

    /// Those of some pages of this Region that are mapped.
    pub fn mapped_pages(&self, pages: Pages) -> Vec<Pages> {
        if self.is_in_one_piece() {
            return vec![pages];
        }
        let from = pages.base as usize - self.base as usize;
        let mapped = self.mapped_ranges(from, from + pages.length);
        mapped
            .into_iter()
            .map(|(from, to)| self.pages_at(from, to))
            .collect()
    }

    /// Whether anything of `from..to` is still this Region's, mapped or not.
    pub fn holds(&self, from: usize, to: usize) -> bool {
        self.parts()
            .as_ref()
            .is_none_or(|parts| parts.iter().any(|part| part.from < to && part.to > from))
    }

    /// Whether nothing was taken out of it, and nothing is in it twice.
    pub fn is_in_one_piece(&self) -> bool {
        self.parts().is_none()
    }

    pub(super) fn with_part_slots(&self, look: &mut impl FnMut(&Slot)) {
        if let Some(parts) = &*self.parts() {
            parts
                .iter()
                .filter_map(|part| part.slot.as_ref())
                .for_each(look);
        }
    }

    /// Runs something while the handler keeps off all parts.
    pub(super) fn parts_locked<R>(&self, action: impl FnOnce() -> R) -> R {
        match &*self.parts() {
            None => match &self.slot {
                Some(slot) => slot.locked(|_| action()),
                None => action(),
            },
            Some(parts) => {
                let slots: Vec<&Slot> =
                    parts.iter().filter_map(|part| part.slot.as_ref()).collect();
                all_locked(&slots, action)
            }
        }
    }

    /// Maps the file's pages again in every part; a hole stays one.
    pub(super) fn clear_parts(&self) -> Outcome<()> {
        let mut result = Ok(());
        if let Some(parts) = &*self.parts() {
            for part in parts {
                let Some(slot) = &part.slot else { continue };
                let cleared = if part.hole {
                    // Pages that were opened have zeros, and nobody's.
                    let _ = slot.clear(|_, _| Ok(()));
                    Ok(())
                } else {
                    self.clear_part(
                        slot,
                        self.base.wrapping_add(part.from),
                        part.from,
                        part.shows,
                    )
                };
                result = result.and(cleared);
            }
        }
        result
    }

    /// Close: the file goes away from under whatever still points here.
    pub(super) fn take_away(&self, with: Replacement) {
        if let (Some(slot), Memory::Reserved(reserved)) = (&self.slot, &self.memory) {
            // Views from before it was cut reach further than it does now.
            slot.locked(|edit| {
                let len = reserved.length();
                edit.set_range(fault::Range {
                    len,
                    ..edit.range()
                });
            });
        }
        let Memory::Owned(owned) = &self.memory else {
            match &self.slot {
                Some(slot) => slot.retire(|| self.replace(with)),
                None => self.replace(with),
            }
            if !self.is_in_one_piece() {
                self.with_part_slots(&mut |slot| slot.retire(|| ()));
                self.replace(with);
            }
            return;
        };
        owned.with_ranges(|ranges| {
            if !self.is_handed_over() {
                if let Some(slot) = &self.slot {
                    slot.retire(|| ());
                }
                self.with_part_slots(&mut |slot| slot.retire(|| ()));
                // SAFETY: this Region's ranges. Outside of the locks: in a retired slot the handler puts nothing but zero pages.
                unsafe { replace_all(ranges, with) };
            }
        });
    }

    /// Zeros where `take_away` had put nothing.
    pub(super) fn put_zeros(&self) {
        match &self.memory {
            Memory::Owned(owned) => owned.with_ranges(|ranges| {
                if !self.is_handed_over() {
                    // SAFETY: as in `take_away`.
                    unsafe { replace_all(ranges, Replacement::Zeros) };
                }
            }),
            _ => self.locked(|| self.replace(Replacement::Zeros)),
        }
    }

    /// Whether this Region's drop gives the addresses back.
    pub fn owns_alone(&self) -> bool {
        match &self.memory {
            Memory::Owned(owned) => Arc::strong_count(owned) == 1,
            _ => true,
        }
    }

    /// The slots of all parts, for the end.
    pub(super) fn take_part_slots(&mut self) -> Vec<Slot> {
        let parts = self
            .parts
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        parts
            .into_iter()
            .flatten()
            .filter_map(|part| part.slot)
            .collect()
    }

    /// The pages from `from` to `to`, in bytes from the base.
    pub fn pages_at(&self, from: usize, to: usize) -> Pages {
        Pages {
            base: self.base.wrapping_add(from),
            length: to - from,
        }
    }
}

/// One copy of the code for sorting.
fn sort(parts: &mut [Part]) {
    parts.sort_by_key(|part| part.from);
}

/// Runs something under the locks of several slots.
fn all_locked<R>(slots: &[&Slot], action: impl FnOnce() -> R) -> R {
    match slots.split_first() {
        None => action(),
        Some((first, rest)) => first.locked(|_| all_locked_boxed(rest, Box::new(action))),
    }
}

/// As above, with a type that does not grow with every step.
fn all_locked_boxed<'a, R>(slots: &[&Slot], action: Box<dyn FnOnce() -> R + 'a>) -> R {
    match slots.split_first() {
        None => action(),
        Some((first, rest)) => first.locked(|_| all_locked_boxed(rest, action)),
    }
}

/// As above; afterwards the slots have no pages.
fn ended(slots: &[&Slot], action: Box<dyn FnOnce() -> Outcome<()> + '_>) -> Outcome<()> {
    match slots.split_first() {
        None => action(),
        Some((first, rest)) => first.locked(|edit| {
            let result = ended(rest, action);
            edit.set_range(fault::Range {
                len: 0,
                ..edit.range()
            });
            result
        }),
    }
}

/// Unmaps under the locks of all slots.
pub(super) fn release_all(mut slots: Vec<Slot>, unmap: Box<dyn FnOnce() + '_>) {
    match slots.pop() {
        None => unmap(),
        Some(slot) => slot.release(|| release_all(slots, unmap)),
    }
}
