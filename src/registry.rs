//! Which addresses this package owns: what `memmap/posix` lets a caller name by its address.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::os;
use crate::region::Region;
use crate::reservation::Space;

#[derive(Clone)]
enum Entry {
    Region(Weak<Region>),
    /// Its Regions are in its own book: there they may overlap, as one is placed over the other.
    Space(Weak<Space>),
}

/// By first address. Owners of address space do not overlap.
static ENTRIES: Mutex<BTreeMap<usize, Entry>> = Mutex::new(BTreeMap::new());

fn entries() -> MutexGuard<'static, BTreeMap<usize, Entry>> {
    ENTRIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on its addresses are ours.
pub fn enter(region: &Arc<Region>) {
    if !region.own_base().is_null() && !is_placed(region) {
        entries().insert(
            region.own_base() as usize,
            Entry::Region(Arc::downgrade(region)),
        );
    }
}

/// Before its addresses are given back, or another Region has them.
pub fn forget(region: &Region) {
    if region.own_base().is_null() || is_placed(region) {
        return;
    }
    let mut entries = entries();
    let base = region.own_base() as usize;
    // The next Region at this address may be there already.
    if let Some(Entry::Region(known)) = entries.get(&base)
        && std::ptr::eq(known.as_ptr(), region)
    {
        entries.remove(&base);
    }
}

/// From now on its addresses are ours.
pub fn enter_space(space: &Arc<Space>) {
    entries().insert(space.base(), Entry::Space(Arc::downgrade(space)));
}

/// Before its addresses are given back.
pub fn forget_space(space: &Space) {
    entries().remove(&space.base());
}

fn is_placed(region: &Region) -> bool {
    region.owned().is_some_and(|owned| owned.space().is_some())
}

/// Who begins at or before an address, and last. Upgraded by the caller, as a drop under the lock would take it again.
fn before(address: usize) -> Option<Entry> {
    entries()
        .range(..=address)
        .next_back()
        .map(|(_, entry)| entry.clone())
}

/// Pages of a Region that are mapped, in bytes from its base.
pub struct Stretch {
    /// Whose.
    pub region: Arc<Region>,
    /// The first byte.
    pub from: usize,
    /// The byte after the last.
    pub to: usize,
}

/// What is mapped in a range of addresses that are ours.
pub struct Found {
    /// By address.
    pub stretches: Vec<Stretch>,
    /// Not everything is mapped.
    pub gaps: bool,
}

/// Looks up whole pages. Anything that is not ours is EINVAL.
pub fn find(address: usize, length: usize, syscall: &'static str) -> Outcome<Found> {
    let foreign =
        || Fail::system(code::EINVAL, syscall).hint("not an address of a mapping of this package");
    let page = os::page_size();
    let start = address / page * page;
    let end = address
        .checked_add(length)
        .and_then(|end| end.checked_next_multiple_of(page))
        .ok_or_else(foreign)?;
    let mut found = Found {
        stretches: Vec::new(),
        gaps: false,
    };
    let mut at = start;
    // An address without a length must be ours, too.
    let mut look = true;
    while look || at < end {
        look = false;
        let (from, to, regions) = match before(at).ok_or_else(foreign)? {
            Entry::Region(region) => {
                let region = region
                    .upgrade()
                    .filter(|region| !region.is_retired())
                    .ok_or_else(foreign)?;
                let base = region.own_base() as usize;
                (base, base + region.map_len(), vec![region])
            }
            Entry::Space(space) => {
                let space = space
                    .upgrade()
                    .filter(|space| !space.is_closed())
                    .ok_or_else(foreign)?;
                (space.base(), space.base() + space.length(), space.regions())
            }
        };
        if at < from || at >= to {
            return Err(foreign());
        }
        let stop = to.min(end);
        found.add(&regions, at, stop);
        at = stop.max(at);
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, regions: &[Arc<Region>], at: usize, stop: usize) {
        let first = self.stretches.len();
        let mut mapped = 0;
        for region in regions {
            let base = region.own_base() as usize;
            let (from, to) = (
                at.saturating_sub(base),
                stop.saturating_sub(base).min(region.map_len()),
            );
            for (from, to) in region.mapped_ranges(from, to) {
                mapped += to - from;
                self.stretches.push(Stretch {
                    region: Arc::clone(region),
                    from,
                    to,
                });
            }
        }
        self.stretches[first..]
            .sort_by_key(|stretch| stretch.region.own_base() as usize + stretch.from);
        self.gaps |= mapped < stop.saturating_sub(at);
    }

    /// The Regions that have nothing mapped elsewhere.
    pub fn wholly(&self) -> Vec<Arc<Region>> {
        let mut whole: Vec<Arc<Region>> = Vec::new();
        for stretch in &self.stretches {
            let region = &stretch.region;
            if whole.iter().any(|known| Arc::ptr_eq(known, region)) {
                continue;
            }
            let all: usize = region
                .mapped_ranges(0, region.map_len())
                .iter()
                .map(|(from, to)| to - from)
                .sum();
            let here: usize = self
                .stretches
                .iter()
                .filter(|other| Arc::ptr_eq(&other.region, region))
                .map(|other| other.to - other.from)
                .sum();
            if here == all {
                whole.push(Arc::clone(region));
            }
        }
        whole
    }
}

/// The reservation that has all of a range, and where in it.
pub fn space_around(address: usize, length: usize) -> Option<(Arc<Space>, usize)> {
    let Entry::Space(space) = before(address)? else {
        return None;
    };
    let space = space.upgrade().filter(|space| !space.is_closed())?;
    let at = address - space.base();
    (at.checked_add(length)? <= space.length()).then_some((space, at))
}

/// The Region whose first byte is at an address.
pub fn at(address: usize) -> Option<Arc<Region>> {
    match before(address)? {
        Entry::Region(region) => region
            .upgrade()
            .filter(|region| !region.is_retired() && region.own_base() as usize == address),
        Entry::Space(space) => space.upgrade()?.regions().into_iter().find(|region| {
            region.own_base() as usize == address && !region.mapped_ranges(0, 1).is_empty()
        }),
    }
}
