//! A range of whole pages and everything that must happen to it in order: it is mapped once, guarded, replaced at close, unmapped by the last `Arc`.
#![allow(
    unsafe_code,
    reason = "raw pointers to pages that others may write; no reference to mapped bytes is ever made"
)]

mod carried;
mod control;
mod faults;
mod memory;
mod owned;
mod parts;
mod permit;
mod remap;
mod resize;
mod runs;
mod sealed;

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use memmap2::MmapRaw;

pub use self::owned::Owned;
use self::parts::Part;
pub use self::resize::Resized;
use self::runs::Runs;

use self::memory::Holes;

use crate::carrier::overlay::Overlay;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::fault::Slot;
use crate::os::{self, Access, Form, Pages, Protection, Replacement, Reserved};
use crate::registry;

/// Where the pages come from.
pub struct Source {
    /// The file, absent for anonymous memory.
    pub file: Option<Arc<File>>,
    /// File offset of the user's first byte.
    pub offset: u64,
    /// The path, for messages.
    pub path: Option<String>,
    /// The mapping's own page size: larger for huge pages.
    pub page: usize,
    /// Extend without allocating.
    pub sparse: bool,
}

/// Who gives the address range back.
pub enum Memory {
    /// An empty mapping.
    Empty,
    /// memmap2's: the kernel chose the address.
    Mapped(MmapRaw),
    /// Address space reserved beyond the end, so that growing does not move.
    Reserved(Reserved),
    /// As much as is mapped, reserved first: where only such a range keeps its addresses when the file goes.
    Held(Reserved),
    /// Mapped by hand, attached, or placed in a reservation.
    Owned(Arc<Owned>),
}

impl From<MmapRaw> for Memory {
    fn from(mapped: MmapRaw) -> Self {
        Self::Mapped(mapped)
    }
}

/// The pages.
pub struct Region {
    memory: Memory,
    base: *mut u8,
    delta: usize,
    /// The user's bytes; changes only inside a reserved range.
    length: AtomicUsize,
    page: usize,
    form: Form,
    offset: u64,
    path: OnceLock<String>,
    id: u64,
    sparse: bool,
    /// Kept until `close()`: closing another descriptor of the same file would drop the process's fcntl locks on it early.
    file: Mutex<Option<Arc<File>>>,
    /// A second description of the file, for `SEEK_DATA`. Kept as long as `file`, for the same reason.
    holes: Mutex<Holes>,
    slot: Option<Slot>,
    holders: AtomicUsize,
    retired: AtomicBool,
    /// Where V8 carries these pages, too.
    overlays: Mutex<Vec<Weak<Overlay>>>,
    /// SharedArrayBuffers over these pages whose own mapping has closed.
    kept: Mutex<Vec<Arc<Overlay>>>,
    /// The carrier whose pages are the true ones: private memory cannot be in two places. Null where it is at `base`.
    adopted: AtomicPtr<u8>,
    label: AtomicU32,
    name: OnceLock<String>,
    /// `seal` took the right to write away.
    sealed: AtomicBool,
    /// Opened with `populate`: pages that carry it are faulted in as well.
    populated: AtomicBool,
    protections: Mutex<Runs<Protection>>,
    /// Pages that `lock` keeps in memory, also when they are mapped anew.
    locks: Mutex<Runs<bool>>,
    /// How often rights have changed: see `permit`.
    changes: AtomicU32,
    /// `None`: one piece, whose slot is `slot`.
    parts: Mutex<Option<Vec<Part>>>,
    /// Another Region has the pages; this one's views only wait to be detached.
    handed_over: AtomicBool,
}

// SAFETY: `base` is only used through raw copies; what others write meanwhile is data, never a Rust reference.
unsafe impl Send for Region {}
// SAFETY: as above; all other fields are Sync.
unsafe impl Sync for Region {}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Region {
    /// Takes what was mapped under the guard. `length` is the user's; the pages begin `delta` bytes before its first byte.
    pub fn new(memory: Memory, length: usize, form: Form, source: Source) -> Arc<Self> {
        let page = source.page;
        let delta = if form.mapped {
            usize::try_from(source.offset % page as u64).unwrap_or(0)
        } else {
            0
        };
        let base = match &memory {
            Memory::Empty => std::ptr::null_mut(),
            // memmap2 points at the user's first byte; where pages are huge, it was told of whole ones only.
            Memory::Mapped(mapped) if page == os::page_size() => {
                mapped.as_mut_ptr().wrapping_sub(delta)
            }
            Memory::Mapped(mapped) => mapped.as_mut_ptr(),
            Memory::Reserved(reserved) | Memory::Held(reserved) => reserved.base(),
            Memory::Owned(owned) => owned.base(),
        };
        let mut region = Self {
            memory,
            base,
            delta,
            length: AtomicUsize::new(length),
            page,
            form,
            offset: source.offset,
            path: source.path.map_or_else(OnceLock::new, OnceLock::from),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            sparse: source.sparse,
            file: Mutex::new(source.file),
            holes: Mutex::new(Holes::Unknown),
            slot: None,
            holders: AtomicUsize::new(1),
            retired: AtomicBool::new(false),
            overlays: Mutex::new(Vec::new()),
            kept: Mutex::new(Vec::new()),
            adopted: AtomicPtr::new(std::ptr::null_mut()),
            label: AtomicU32::new(0),
            name: OnceLock::new(),
            sealed: AtomicBool::new(false),
            populated: AtomicBool::new(false),
            protections: Mutex::default(),
            locks: Mutex::default(),
            changes: AtomicU32::new(0),
            parts: Mutex::new(None),
            handed_over: AtomicBool::new(false),
        };
        if !region.base.is_null() {
            region.slot = region.guard(region.base);
        }
        let region = Arc::new(region);
        registry::enter(&region);
        region
    }

    /// The range's owner, where that is not memmap2.
    pub fn owned(&self) -> Option<&Arc<Owned>> {
        match &self.memory {
            Memory::Owned(owned) => Some(owned),
            _ => None,
        }
    }

    /// Unique in this process.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The user's length in bytes.
    pub fn len(&self) -> usize {
        self.length.load(Ordering::Acquire)
    }

    /// From the page-aligned base to the user's first byte.
    pub fn delta(&self) -> usize {
        self.delta
    }

    /// File offset of the user's first byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whole pages, in bytes.
    pub fn map_len(&self) -> usize {
        self.whole(self.len())
    }

    /// The pages of `length` bytes of the user's; an empty mapping has none, wherever in a page it begins.
    fn whole(&self, length: usize) -> usize {
        if length == 0 {
            0
        } else {
            (self.delta + length).next_multiple_of(self.page)
        }
    }

    /// The mapping's own page size.
    pub fn page(&self) -> usize {
        self.page
    }

    /// The file as the user named it.
    pub fn path(&self) -> Option<&str> {
        self.path.get().map(String::as_str)
    }

    /// Names an object that was opened by descriptor.
    pub fn set_path(&self, path: Option<String>) {
        if let Some(path) = path {
            let _ = self.path.set(path);
        }
    }

    /// The open file; `None` for anonymous memory and after `close()`.
    pub fn file(&self) -> Option<Arc<File>> {
        self.file_cell().clone()
    }

    /// First page; null for an empty mapping.
    pub fn base(&self) -> *mut u8 {
        let adopted = self.adopted.load(Ordering::Acquire);
        if adopted.is_null() {
            self.base
        } else {
            adopted
        }
    }

    /// First page of the range that this Region owns, whatever carries its bytes; null for an empty mapping.
    pub fn own_base(&self) -> *mut u8 {
        self.base
    }

    /// The user's first byte; null for an empty mapping.
    pub fn start(&self) -> *mut u8 {
        if self.base.is_null() {
            self.base
        } else {
            self.base().wrapping_add(self.delta)
        }
    }

    /// Fails unless the mapping has these bytes: a facade may have looked before somebody made it shorter.
    pub fn check_range(&self, position: usize, length: usize) -> Outcome<()> {
        match position.checked_add(length) {
            Some(end) if end <= self.len() => Ok(()),
            _ => Err(Fail::out_of_range(
                "The range is outside of the mapping".into(),
            )),
        }
    }

    /// The whole pages that a range of the user's bytes touches.
    pub fn pages(&self, position: usize, length: usize) -> Pages {
        let from = (self.delta + position) / self.page * self.page;
        let to = (self.delta + position + length).next_multiple_of(self.page);
        Pages {
            base: self.base().wrapping_add(from),
            length: if length == 0 { 0 } else { to - from },
        }
    }

    /// Runs something that maps or protects pages of this Region while the guard's handler keeps off.
    pub fn locked<R>(&self, action: impl FnOnce() -> R) -> R {
        self.parts_locked(action)
    }

    /// How many mappings stand on these pages.
    pub fn holders(&self) -> usize {
        self.holders.load(Ordering::Acquire)
    }

    /// One more mapping stands on these pages; `false` when the last one has closed.
    pub fn hold(&self) -> bool {
        self.holders
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
                if count == 0 { None } else { Some(count + 1) }
            })
            .is_ok()
    }

    /// What the facade of one thread tells that of another.
    pub fn label(&self) -> u32 {
        self.label.load(Ordering::Acquire)
    }

    /// See `label`.
    pub fn set_label(&self, label: u32) {
        self.label.store(label, Ordering::Release);
    }

    /// The name that `handles` gave it.
    pub fn name(&self) -> Option<&str> {
        self.name.get().map(String::as_str)
    }

    /// Once; later calls give the first name.
    pub fn set_name(&self, name: String) -> String {
        self.name.get_or_init(|| name).clone()
    }

    /// The form, as `seal` may have changed it.
    pub fn form(&self) -> Form {
        if self.sealed.load(Ordering::Acquire) {
            Form {
                access: Access::Read,
                writable: false,
                ..self.form
            }
        } else {
            self.form
        }
    }

    /// A mapping closes (or is collected: `explicit` false). The last explicit one takes the file away from under whatever still points here.
    ///
    /// `alone` says that nobody else has the `Arc`: then the caller's drop unmaps, and nothing needs to be replaced.
    pub fn let_go(&self, explicit: bool, alone: bool) {
        if self.holders.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        self.restore_kept();
        if !explicit || alone {
            return;
        }
        self.retired.store(true, Ordering::Release);
        // Their key is about to change: no wake would ever reach them.
        crate::wait::close(self.id);
        // Without a guard nobody turns a late access to nothing into zeros: then zeros must be there at once.
        let with = if self.slot.is_some() && self.owns_alone() {
            Replacement::None
        } else {
            Replacement::Zeros
        };
        self.take_away(with);
        self.file_cell().take();
        *self.holes_cell() = Holes::Unknown;
    }

    /// After `let_go`, when some view could not be detached: zeros under it.
    pub fn leave_zeros(&self) {
        if self.retired.load(Ordering::Acquire) && self.slot.is_some() {
            self.put_zeros();
        }
    }

    /// Makes a range of the file durable: its pages, then the file.
    pub fn flush(
        &self,
        position: usize,
        length: usize,
        wait: bool,
        invalidate: bool,
    ) -> Outcome<()> {
        self.check_range(position, length)?;
        self.check_fault()?;
        if self.form.private || self.base.is_null() || length == 0 {
            return Ok(());
        }
        let done = self.sync(self.pages(position, length), wait, invalidate);
        match done {
            // The disk's own word is told once, so it goes before all. That pages are not there any more (Windows) is none.
            Err(fail) if !(self.is_retired() && fail.errno() == Some(code::EINVAL)) => {
                Err(fail.at(self.path()))
            }
            // Whoever let go of it while this waited for its thread took file and pages away: how much was synced, nobody knows.
            _ if self.is_retired() => Err(Fail::closed()),
            _ => self.check_fault(),
        }
    }

    fn sync(&self, pages: Pages, wait: bool, invalidate: bool) -> Outcome<()> {
        let Some(file) = self.file() else {
            return Ok(());
        };
        for pages in self.mapped_pages(pages) {
            os::sync_pages(pages, wait, invalidate)?;
        }
        if wait { os::sync_file(&file) } else { Ok(()) }
    }

    /// The file's length now; that of the mapping where there is no file.
    pub fn size(&self) -> Outcome<u64> {
        match self.file() {
            Some(file) => os::facts(&file)
                .map(|facts| facts.size)
                .map_err(|fail| fail.at(self.path())),
            None => Ok(self.len() as u64),
        }
    }

    /// Whether it has address space to grow in.
    pub fn is_reserved(&self) -> bool {
        matches!(self.memory, Memory::Reserved(_))
    }

    /// Whether it was opened from a file (and is not closed).
    pub fn has_file(&self) -> bool {
        self.file_cell().is_some()
    }

    fn file_base(&self) -> u64 {
        self.offset - self.delta as u64
    }

    fn file_cell(&self) -> MutexGuard<'_, Option<Arc<File>>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn protections(&self) -> MutexGuard<'_, Runs<Protection>> {
        self.protections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn locks(&self) -> MutexGuard<'_, Runs<bool>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, with: Replacement) {
        if !self.base.is_null() {
            let length = match &self.memory {
                Memory::Reserved(reserved) => reserved.length(),
                _ => self.map_len(),
            };
            // SAFETY: the pages are this Region's until its drop, and the caller holds the slot's lock.
            unsafe { os::replace(self.base, length, with) };
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        registry::forget(self);
        let memory = std::mem::replace(&mut self.memory, Memory::Empty);
        let mut slots = self.take_part_slots();
        slots.extend(self.slot.take());
        parts::release_all(slots, Box::new(|| drop(memory)));
    }
}
