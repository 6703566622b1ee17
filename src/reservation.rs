//! Address space taken in advance, and what is placed in it.
//!
//! Locks are taken in this order: the book of the reservation, the parts of a Region, the slots of the guard.
#![allow(
    unsafe_code,
    reason = "replaces pages inside of the range that it owns"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::os::{self, Fresh, Pages, Replacement, Reserved};
use crate::region::{Memory, Owned, Region};
use crate::registry;

/// A range of address space; given back when the last Region placed in it is gone.
pub struct Space {
    reserved: Reserved,
    book: Mutex<Book>,
    closed: AtomicBool,
}

#[derive(Default)]
struct Book {
    claims: Vec<Claim>,
    regions: Vec<Weak<Region>>,
}

/// Who gives `from..to` back. A later placement takes over what it covers.
struct Claim {
    from: usize,
    to: usize,
    name: u64,
}

// SAFETY: the pointer in `reserved` is only handed to system calls, under the lock of `book`.
unsafe impl Send for Space {}
// SAFETY: as above.
unsafe impl Sync for Space {}

impl Space {
    /// Takes `length` bytes of address space; they cost no memory.
    pub fn new(length: usize) -> Outcome<Arc<Self>> {
        let whole = length
            .checked_next_multiple_of(os::page_size())
            .ok_or_else(|| Fail::system(code::ENOMEM, "mmap"))?;
        if whole == 0 {
            return Err(Fail::system(code::EINVAL, "mmap"));
        }
        let space = Arc::new(Self {
            reserved: Reserved::new(whole)?,
            book: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        registry::enter_space(&space);
        Ok(space)
    }

    /// First page.
    pub fn base(&self) -> usize {
        self.reserved.base() as usize
    }

    /// Whole pages, in bytes.
    pub fn length(&self) -> usize {
        self.reserved.length()
    }

    /// Nothing can be placed any more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether `close` was called.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is placed here and not closed. The caller must not hold the book when it drops them.
    pub fn regions(&self) -> Vec<Arc<Region>> {
        let all: Vec<_> = self
            .book()
            .regions
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        all.into_iter()
            .filter(|region| !region.is_retired())
            .collect()
    }

    /// The first place where nothing is mapped for so long.
    pub fn free_place(&self, length: usize) -> Option<usize> {
        let mut taken: Vec<(usize, usize)> = self
            .regions()
            .iter()
            .flat_map(|region| self.ranges_of(region))
            .collect();
        taken.sort_unstable();
        let mut at = 0;
        for (from, to) in taken {
            if from.saturating_sub(at) >= length {
                break;
            }
            at = at.max(to);
        }
        (self.length().saturating_sub(at) >= length).then_some(at)
    }

    /// What a Region has mapped, counted from the start of the reservation.
    fn ranges_of(&self, region: &Region) -> Vec<(usize, usize)> {
        let start = region.own_base() as usize - self.base();
        region
            .mapped_ranges(0, region.map_len())
            .into_iter()
            .map(|(from, to)| (start + from, start + to))
            .collect()
    }

    /// Moves fresh mappings to `at`, one behind the other, and has `finish` make a Region of them. Without `over` nothing may be mapped there;
    /// with it, Regions lose what they have there, in one step where only one is concerned. If it fails, the fresh mappings are gone.
    pub fn place(
        self: &Arc<Self>,
        at: usize,
        length: usize,
        over: bool,
        fresh: Vec<(Fresh, usize)>,
        finish: Box<dyn FnOnce(Memory) -> Arc<Region> + '_>,
    ) -> Outcome<Arc<Region>> {
        let mut waiting = fresh.into_iter();
        let placed = self.place_all(at, length, over, &mut waiting, finish);
        for (mapped, length) in waiting {
            mapped.discard(length);
        }
        placed
    }

    /// Where the pages of fresh mappings of `length` bytes end, all of them at `at`, one behind the other.
    fn end_of(&self, at: usize, length: usize, fresh: &[(Fresh, usize)]) -> Outcome<usize> {
        let page = os::page_size();
        let end = length
            .checked_next_multiple_of(page)
            .and_then(|whole| at.checked_add(whole));
        // What is moved is whole pages of its own: these would cover what lies behind.
        let moved = fresh
            .iter()
            .try_fold(at, |end, (_, whole)| end.checked_add(*whole));
        if moved != end {
            return Err(
                Fail::system(code::EINVAL, "mmap").hint("huge pages are placed as whole ones")
            );
        }
        match end {
            Some(end) if at.is_multiple_of(page) && length > 0 && end <= self.length() => Ok(end),
            Some(end) if end <= self.length() => Err(Fail::system(code::EINVAL, "mmap")
                .hint("a place has at least one byte, and begins with a page")),
            _ => Err(Fail::out_of_range(format!(
                "The value of \"at\" is out of range. The reservation has {} bytes, and {length} do not fit. Received {at}",
                self.length()
            ))),
        }
    }

    fn place_all(
        self: &Arc<Self>,
        at: usize,
        length: usize,
        over: bool,
        waiting: &mut std::vec::IntoIter<(Fresh, usize)>,
        finish: Box<dyn FnOnce(Memory) -> Arc<Region> + '_>,
    ) -> Outcome<Arc<Region>> {
        let end = self.end_of(at, length, waiting.as_slice())?;
        // Dropped after the book is free again: a Region's drop may need it.
        let all: Vec<Arc<Region>>;
        let mut book = self.book();
        if self.is_closed() {
            return Err(Fail::Coded {
                code: "ERR_INVALID_STATE",
                range: false,
                message: "The reservation is closed".into(),
            });
        }
        all = book.regions.iter().filter_map(Weak::upgrade).collect();
        let touched: Vec<&Arc<Region>> = all
            .iter()
            .filter(|region| overlap(self, region, at, end).is_some())
            .collect();
        let is_mapped = |region: &&Arc<Region>| {
            !region.is_retired()
                && self
                    .ranges_of(region)
                    .iter()
                    .any(|(from, to)| *from < end && *to > at)
        };
        if !over && touched.iter().any(is_mapped) {
            return Err(Fail::system(code::EEXIST, "mmap")
                .hint("something is mapped there: release it, or replace it"));
        }
        let target = self.reserved.base().wrapping_add(at);
        let put: Box<dyn FnOnce() -> Outcome<()> + '_> = Box::new(|| {
            let mut behind = 0;
            for (mapped, length) in waiting {
                // SAFETY: inside of the reservation, whose book is held, and `cut` keeps the handler off; nobody else knows the fresh mapping.
                let moved = unsafe { os::move_over(mapped, target.wrapping_add(behind), length) };
                if moved.is_err() {
                    // SAFETY: as above; a failed call may have left a hole.
                    unsafe { os::replace(target, end - at, Replacement::None) };
                    return moved;
                }
                behind += length;
            }
            Ok(())
        });
        let done = match touched.as_slice() {
            [one] => {
                let (from, to) = overlap(self, one, at, end).unwrap_or_default();
                one.cut(from, to, false, put)
            }
            several => {
                for region in several {
                    let (from, to) = overlap(self, region, at, end).unwrap_or_default();
                    let gone = region.pages_at(from, to);
                    // SAFETY: inside of the reservation, whose book is held; `cut` keeps the handler off.
                    let clear =
                        || unsafe { os::replace(gone.base, gone.length, Replacement::None) };
                    region.cut(
                        from,
                        to,
                        false,
                        Box::new(|| {
                            clear();
                            Ok(())
                        }),
                    )?;
                }
                put()
            }
        };
        book.yield_range(at, end);
        done?;
        let name = Owned::name();
        book.claims.push(Claim {
            from: at,
            to: end,
            name,
        });
        let region = finish(Memory::Owned(Arc::new(Owned::placed(
            self,
            target,
            end - at,
            name,
        ))));
        book.regions.retain(|region| region.strong_count() > 0);
        book.regions.push(Arc::downgrade(&region));
        drop(book);
        Ok(region)
    }

    /// A Region that took the place of another one.
    pub fn enter(&self, region: &Arc<Region>) {
        self.book().regions.push(Arc::downgrade(region));
    }

    /// The ranges of one owner, while nobody can place anything there.
    pub fn with_claims<R>(&self, name: u64, action: impl FnOnce(&[Pages]) -> R) -> R {
        let book = self.book();
        let mine = book.claims.iter().filter(|claim| claim.name == name);
        let ranges: Vec<Pages> = mine
            .map(|claim| Pages {
                base: self.reserved.base().wrapping_add(claim.from),
                length: claim.to - claim.from,
            })
            .collect();
        action(&ranges)
    }

    /// What is still one owner's is nobody's from now on; whoever had lost the place to it has a hole there.
    pub fn give_back(&self, name: u64) {
        // Dropped after the book is free again: a Region's drop may need it.
        let all: Vec<Arc<Region>>;
        let mut book = self.book();
        all = book.regions.iter().filter_map(Weak::upgrade).collect();
        for claim in book.claims.iter().filter(|claim| claim.name == name) {
            // SAFETY: inside of the reservation, whose book is held; the owner is gone.
            unsafe {
                os::replace(
                    self.reserved.base().wrapping_add(claim.from),
                    claim.to - claim.from,
                    Replacement::None,
                );
            };
            for region in &all {
                if let Some((from, to)) = extent(self, region, claim.from, claim.to) {
                    region.fall_back(from, to);
                }
            }
        }
        book.claims.retain(|claim| claim.name != name);
        drop(book);
    }
}

impl Book {
    /// Nobody gives `from..to` back but who comes next.
    fn yield_range(&mut self, from: usize, to: usize) {
        let mut tails = Vec::new();
        for claim in &mut self.claims {
            if claim.from < to && claim.to > from {
                if claim.to > to {
                    tails.push(Claim {
                        from: to,
                        to: claim.to,
                        name: claim.name,
                    });
                }
                claim.to = from;
            }
        }
        self.claims.extend(tails);
        self.claims.retain(|claim| claim.from < claim.to);
    }
}

/// The part of `at..end` where a Region was placed, in bytes from its base.
fn extent(space: &Space, region: &Region, at: usize, end: usize) -> Option<(usize, usize)> {
    let start = region.own_base() as usize - space.base();
    let (from, to) = (at.max(start), end.min(start + region.map_len()));
    (from < to).then(|| (from - start, to - start))
}

/// The part of `at..end` where a Region still has something.
fn overlap(space: &Space, region: &Region, at: usize, end: usize) -> Option<(usize, usize)> {
    extent(space, region, at, end).filter(|(from, to)| region.holds(*from, *to))
}

impl Drop for Space {
    fn drop(&mut self) {
        registry::forget_space(self);
    }
}
