//! A range of whole pages and everything that must happen to it in order: it is mapped once, guarded, replaced at close, unmapped by the last `Arc`.
#![allow(unsafe_code, reason = "raw pointers to pages that others may write; no reference to mapped bytes is ever made")]

mod control;
mod resize;

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use memmap2::MmapRaw;

pub use self::resize::Resized;

use crate::carrier::overlay::Overlay;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::fault::{self, Backing, Fault, Kind, Slot};
use crate::os::{self, Protection, Replacement, Reserved};

/// What a mapping may do with its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Stores never reach the file.
    Read,
    /// Shared with the file.
    Write,
    /// Private: stores are kept, and never reach the file.
    Copy,
}

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

/// A range of whole pages of a live Region.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    /// The first one.
    pub base: *mut u8,
    /// In bytes.
    pub length: usize,
}

/// Who gives the address range back.
pub enum Memory {
    /// An empty mapping.
    Empty,
    /// memmap2's: the kernel chose the address.
    Mapped(MmapRaw),
    /// Address space reserved beyond the end, so that growing does not move.
    Reserved(Reserved),
}

impl From<MmapRaw> for Memory {
    fn from(mapped: MmapRaw) -> Self {
        Self::Mapped(mapped)
    }
}

/// How the pages are mapped, for those that put them there again.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// What the user may do.
    pub access: Access,
    /// `MAP_PRIVATE` (or anonymous) instead of `MAP_SHARED`.
    pub private: bool,
    /// `PROT_WRITE`.
    pub writable: bool,
    /// `PROT_EXEC`.
    pub exec: bool,
    /// The pages are the file's; false for anonymous memory and for a private copy that was read.
    pub mapped: bool,
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
    slot: Option<Slot>,
    holders: AtomicUsize,
    retired: AtomicBool,
    /// Where V8 carries these pages, too.
    overlays: Mutex<Vec<Weak<Overlay>>>,
    /// The carrier whose pages are the true ones: private memory cannot be in two places. Null where it is at `base`.
    adopted: AtomicPtr<u8>,
    label: AtomicU32,
    name: OnceLock<String>,
    /// `seal` took the right to write away.
    sealed: AtomicBool,
    /// What `protect` changed, latest last, in bytes from `base`: whoever maps a page again must protect it again.
    protections: Mutex<Vec<(usize, usize, Protection)>>,
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
        let delta = if form.mapped { usize::try_from(source.offset % page as u64).unwrap_or(0) } else { 0 };
        let base = match &memory {
            Memory::Empty => std::ptr::null_mut(),
            // memmap2 points at the user's first byte.
            Memory::Mapped(mapped) => mapped.as_mut_ptr().wrapping_sub(delta),
            Memory::Reserved(reserved) => reserved.base(),
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
            slot: None,
            holders: AtomicUsize::new(1),
            retired: AtomicBool::new(false),
            overlays: Mutex::new(Vec::new()),
            adopted: AtomicPtr::new(std::ptr::null_mut()),
            label: AtomicU32::new(0),
            name: OnceLock::new(),
            sealed: AtomicBool::new(false),
            protections: Mutex::new(Vec::new()),
        };
        if !region.base.is_null() {
            region.slot = region.guard(region.base);
        }
        Arc::new(region)
    }

    /// A slot of the guard for these pages at `base`: the Region's own place, or a carrier's.
    pub fn guard(&self, base: *mut u8) -> Option<Slot> {
        let file = if self.form.mapped { self.file() } else { None };
        let range = fault::Range {
            base: base as usize,
            // A reserved range may be empty so far; its slot must be there all the same.
            len: self.map_len().max(self.page),
            page: self.page,
            fd: file.as_ref().map_or(-1, |file| os::raw_fd(file)),
            file_offset: if file.is_some() { self.file_base() } else { 0 },
            backing: match (file.is_some(), self.form.private) {
                (false, _) => Backing::Anonymous,
                (true, true) => Backing::Private,
                (true, false) => Backing::Shared,
            },
            writable: self.form.writable,
        };
        // SAFETY: the pages are this Region's (or a carrier's that it placed), and every mmap and mprotect on them goes through the slot's lock.
        unsafe { fault::register(range, self.id) }
    }

    /// Maps the file over `target`, in this Region's form: a carrier's pages.
    pub fn map_over(&self, target: *mut u8) -> Outcome<()> {
        let file = if self.form.mapped { self.file() } else { None };
        let form = if self.form.mapped { self.form } else { Form { writable: true, ..self.form } };
        // SAFETY: the carrier vouches for `target`, which is as long as this Region; the slot's lock is held.
        unsafe { os::map_again(target, self.map_len(), file.as_deref(), self.file_base(), form) }.map_err(|fail| fail.at(self.path()))?;
        if !self.form.mapped {
            // SAFETY: both are `map_len` bytes; these pages are nobody's file, so neither side can fault.
            unsafe { std::ptr::copy_nonoverlapping(self.base(), target, self.map_len()) };
        }
        self.protect_again(target, 0, self.map_len())
    }

    /// V8 carries these pages, too; with `adopt` they are the true ones from now on.
    pub fn carry(&self, overlay: &Arc<Overlay>, adopt: bool) {
        let mut all = self.overlays.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(overlay));
        if adopt {
            self.adopted.store(overlay.base(), Ordering::Release);
        }
    }

    /// V8 gets those pages back.
    pub fn disown(&self, overlay: &Overlay) {
        let _ = self.adopted.compare_exchange(overlay.base(), std::ptr::null_mut(), Ordering::AcqRel, Ordering::Acquire);
    }

    /// Whether the true pages are a carrier's, which ends with its environment.
    pub fn is_adopted(&self) -> bool {
        !self.adopted.load(Ordering::Acquire).is_null()
    }

    /// Whether any carrier stands on these pages: they can't get another length then.
    pub fn is_carried(&self) -> bool {
        !self.overlays().is_empty()
    }

    fn overlays(&self) -> Vec<Arc<Overlay>> {
        let all = self.overlays.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).collect()
    }

    fn with_slots(&self, mut look: impl FnMut(&Slot)) {
        if let Some(slot) = &self.slot {
            look(slot);
        }
        // Looked at under its own lock, as most mappings have none.
        if !self.overlays.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            for overlay in self.overlays() {
                overlay.with_slot(&mut look);
            }
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
        (self.delta + self.len()).next_multiple_of(self.page)
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
        if adopted.is_null() { self.base } else { adopted }
    }

    /// The user's first byte; null for an empty mapping.
    pub fn start(&self) -> *mut u8 {
        if self.base.is_null() { self.base } else { self.base().wrapping_add(self.delta) }
    }

    /// The whole pages that a range of the user's bytes touches.
    pub fn pages(&self, position: usize, length: usize) -> Pages {
        let from = (self.delta + position) / self.page * self.page;
        let to = (self.delta + position + length).next_multiple_of(self.page);
        Pages { base: self.base().wrapping_add(from), length: if length == 0 { 0 } else { to - from } }
    }

    /// Runs something that maps or protects pages of this Region while the guard's handler keeps off.
    pub fn locked<R>(&self, action: impl FnOnce() -> R) -> R {
        match &self.slot {
            Some(slot) => slot.locked(|_| action()),
            None => action(),
        }
    }

    /// How many mappings stand on these pages.
    pub fn holders(&self) -> usize {
        self.holders.load(Ordering::Acquire)
    }

    /// One more mapping stands on these pages; `false` when the last one has closed.
    pub fn hold(&self) -> bool {
        self.holders.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| if count == 0 { None } else { Some(count + 1) }).is_ok()
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
        if self.sealed.load(Ordering::Acquire) { Form { access: Access::Read, writable: false, ..self.form } } else { self.form }
    }

    /// Maps the pages once more, from a descriptor that cannot write: F_SEAL_WRITE is EBUSY while any mapping could.
    pub fn become_read_only(&self) -> Outcome<()> {
        if self.is_carried() || self.holders() > 1 {
            return Err(Fail::system(code::EBUSY, "fcntl").hint("the mapping is shared or carried by the engine"));
        }
        let Some(file) = self.file() else { return Err(Fail::closed()) };
        let read_only = os::reopen_read_only(&file)?;
        self.sealed.store(true, Ordering::Release);
        self.map_all(&read_only).inspect_err(|_| self.become_writable_again())
    }

    /// The seal was refused.
    pub fn become_writable_again(&self) {
        self.sealed.store(false, Ordering::Release);
        if let Some(file) = self.file() {
            let _ = self.map_all(&file);
        }
    }

    fn map_all(&self, file: &File) -> Outcome<()> {
        let (length, form) = (self.map_len(), self.form());
        if self.base.is_null() {
            return Ok(());
        }
        // SAFETY: all pages are this Region's; the slot's lock is held where there is a slot.
        let map = || unsafe { os::map_again(self.base, length, Some(file), self.file_base(), form) };
        match &self.slot {
            Some(slot) => slot.locked(|edit| {
                map()?;
                edit.set_range(fault::Range { writable: form.writable, ..edit.range() });
                Ok(())
            }),
            None => map(),
        }
    }

    /// A mapping closes (or is collected: `explicit` false). The last explicit one takes the file away from under whatever still points here.
    ///
    /// `alone` says that nobody else has the `Arc`: then the caller's drop unmaps, and nothing needs to be replaced.
    pub fn let_go(&self, explicit: bool, alone: bool) {
        if self.holders.fetch_sub(1, Ordering::AcqRel) != 1 || !explicit || alone {
            return;
        }
        self.retired.store(true, Ordering::Release);
        // Their key is about to change: no wake would ever reach them.
        crate::wait::close(self.id);
        // Without a guard nobody turns a late access to nothing into zeros: then zeros must be there at once.
        let with = if self.slot.is_some() { Replacement::None } else { Replacement::Zeros };
        match &self.slot {
            Some(slot) => slot.retire(|| self.replace(with)),
            None => self.replace(with),
        }
        self.file_cell().take();
    }

    /// After `let_go`, when some view could not be detached: zeros under it.
    pub fn leave_zeros(&self) {
        if self.retired.load(Ordering::Acquire)
            && let Some(slot) = &self.slot
        {
            slot.locked(|_| self.replace(Replacement::Zeros));
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
        (first.map(|fault| Fault { offset: fault.offset.saturating_sub(self.delta), ..fault }), count)
    }

    /// Fails when nothing may be trusted until `clear_fault`.
    pub fn check_fault(&self) -> Outcome<()> {
        match self.fault() {
            (Some(Fault { kind, offset }), _) if kind != Kind::Protected => Err(Fail::Coded {
                code: "ERR_MAPPING_FAULT",
                range: false,
                message: format!("The mapping faulted ({kind:?} at {offset}); call clearFault() to map the file's pages again"),
            }),
            _ => Ok(()),
        }
    }

    /// Maps the file's pages again where the guard had put others.
    pub fn clear_fault(&self) -> Outcome<()> {
        let mut result = Ok(());
        if let Some(slot) = &self.slot {
            result = self.clear_slot(slot, self.base);
        }
        for overlay in self.overlays() {
            if let Some(Err(fail)) = overlay.with_slot(|slot| self.clear_slot(slot, overlay.base())) {
                result = Err(fail);
            }
        }
        result.map_err(|fail| fail.at(self.path()))
    }

    fn clear_slot(&self, slot: &Slot, base: *mut u8) -> Outcome<()> {
        let file = if self.form.mapped { self.file() } else { None };
        let mut failed = None;
        let cleared = slot.clear(|offset, length| {
            // SAFETY: the range lies inside this Region or its carrier (the slot says so) and the slot's lock is held, so nobody else maps there.
            let done = unsafe { os::map_again(base.wrapping_add(offset), length, file.as_deref(), self.file_base() + offset as u64, self.form()) };
            done.and_then(|()| self.protect_again(base, offset, offset + length)).map_err(|fail| {
                failed = Some(fail);
                io::Error::other("not mapped")
            })
        });
        match (cleared, failed) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(fail)) => Err(fail),
            (Err(error), None) => Err(Fail::io(&error, "mmap")),
        }
    }

    /// Makes a range of the file durable: its pages, then the file.
    pub fn flush(&self, position: usize, length: usize, wait: bool, invalidate: bool) -> Outcome<()> {
        self.check_fault()?;
        if self.form.private || self.base.is_null() || length == 0 {
            return Ok(());
        }
        let Some(file) = self.file() else { return Ok(()) };
        os::sync_pages(self.pages(position, length), wait, invalidate).map_err(|fail| fail.at(self.path()))?;
        if wait {
            os::sync_file(&file).map_err(|fail| fail.at(self.path()))?;
        }
        self.check_fault()
    }

    /// The file's length now; that of the mapping where there is no file.
    pub fn size(&self) -> Outcome<u64> {
        match self.file() {
            Some(file) => os::facts(&file).map(|facts| facts.size).map_err(|fail| fail.at(self.path())),
            None => Ok(self.len() as u64),
        }
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

    fn protections(&self) -> MutexGuard<'_, Vec<(usize, usize, Protection)>> {
        self.protections.lock().unwrap_or_else(PoisonError::into_inner)
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
        let memory = std::mem::replace(&mut self.memory, Memory::Empty);
        match self.slot.take() {
            Some(slot) => slot.release(|| drop(memory)),
            None => drop(memory),
        }
    }
}
