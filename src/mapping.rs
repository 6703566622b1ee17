//! The class that TypeScript wraps: convert, delegate, return. Every argument was checked in `lib/`; ranges are checked once more where memory is touched.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, BigInt, Buffer, Either3, ObjectFinalize, Unknown};
use napi_derive::napi;

use crate::bytes;
use crate::carrier::exports::Exports;
use crate::carrier::external;
use crate::carrier::overlay::Overlay;
use crate::error::{Fail, Outcome};
use crate::os::Access;
use crate::region::Region;
use crate::request::{self, Request};
use crate::tasks::flush::FlushTask;
use crate::tasks::open::OpenTask;
use crate::weak::Weak;
use crate::{fault, open, os, owners, registry};

/// Do not wait for the disk.
const FLUSH_NO_WAIT: u32 = 1;
/// Also drop other mappings' caches of the range.
const FLUSH_INVALIDATE: u32 = 2;

/// One holder of a Region.
///
/// Its methods take `&self`: napi-rs lends the object to a task until its Promise is settled, and `close()` must work meanwhile.
#[napi(custom_finalize)]
pub struct NativeMapping {
    pub(crate) region: RefCell<Option<Arc<Region>>>,
    /// After `close()`, until `release()`.
    pub(crate) closing: RefCell<Option<Arc<Region>>>,
    /// The length before a resize that moved.
    pub(crate) before: Cell<usize>,
    /// Where V8 carries the pages for this environment; stays here after `close()`, for `is_carried`.
    pub(crate) overlay: RefCell<Option<Arc<Overlay>>>,
    exports: RefCell<Exports>,
    /// The facade's object, entered under this Region's id.
    owner: Cell<Option<owners::Place>>,
}

impl NativeMapping {
    /// The first holder of a fresh Region.
    pub fn new(region: Arc<Region>) -> Self {
        Self {
            region: RefCell::new(Some(region)),
            closing: RefCell::default(),
            before: Cell::new(0),
            overlay: RefCell::default(),
            exports: RefCell::default(),
            owner: Cell::default(),
        }
    }

    pub(crate) fn open_region(&self) -> Outcome<Arc<Region>> {
        let region = self.region.borrow().clone().ok_or_else(Fail::closed)?;
        if let Some(overlay) = &*self.overlay.borrow()
            && region.is_adopted()
            && overlay.is_lost()
        {
            return Err(Fail::Coded {
                code: "ERR_INVALID_STATE",
                range: false,
                message: "Invalid state: the memory was transferred with a buffer that it stood on"
                    .into(),
            });
        }
        Ok(region)
    }

    pub(crate) fn run<T>(
        &self,
        env: &Env,
        action: impl FnOnce(&Arc<Region>) -> Outcome<T>,
    ) -> napi::Result<T> {
        self.open_region()
            .and_then(|region| action(&region))
            .map_err(|fail| fail.into_js(env))
    }

    fn disown(&self, env: &Env) {
        if let Some(place) = self.owner.take() {
            owners::remove(env, place);
        }
    }

    /// The Region, for another thread to let go of: this mapping is closed.
    pub(crate) fn take_region(&self, env: &Env) -> Option<Arc<Region>> {
        self.disown(env);
        self.region.borrow_mut().take()
    }

    /// A Region that this mapping has no more; kept until `release()` where views stand on it.
    pub(crate) fn let_go(&self, mut region: Arc<Region>) {
        if let Some(overlay) = &*self.overlay.borrow() {
            region.disown(overlay);
            if !(overlay.is_shared() && region.keep(Arc::clone(overlay))) {
                overlay.retire();
            }
        }
        // The registry's weak reference must not count: nobody else has this Region, and from now on nobody finds it.
        if Arc::strong_count(&region) == 1 {
            registry::forget(&region);
        }
        let alone = Arc::get_mut(&mut region).is_some_and(|region| region.owns_alone());
        region.let_go(true, alone);
        self.closing.replace((!alone).then_some(region));
    }
}

#[napi]
impl NativeMapping {
    /// open(2), mmap(2). `flags`: bits of `lib/flags.ts`; `length` -1: to the end.
    #[napi]
    pub fn open_sync(
        env: &Env,
        target: Either3<String, Buffer, i32>,
        flags: u32,
        offset: f64,
        length: f64,
        mode: u32,
        capacity: f64,
    ) -> napi::Result<Self> {
        let request = Request::new(target, flags, offset, length, mode, capacity);
        open::open(&request)
            .map(Self::new)
            .map_err(|fail| fail.into_js(env))
    }

    /// The same on another thread.
    #[napi(ts_return_type = "Promise<NativeMapping>")]
    pub fn open(
        target: Either3<String, Buffer, i32>,
        flags: u32,
        offset: f64,
        length: f64,
        mode: u32,
        capacity: f64,
    ) -> AsyncTask<OpenTask> {
        AsyncTask::new(OpenTask(Request::new(
            target, flags, offset, length, mode, capacity,
        )))
    }

    /// Private zero-filled memory.
    #[napi]
    pub fn anonymous(env: &Env, length: f64, flags: u32) -> napi::Result<Self> {
        open::anonymous(
            length as usize,
            flags & request::HUGE != 0,
            flags & request::NO_RESERVE != 0,
        )
        .map(Self::new)
        .map_err(|fail| fail.into_js(env))
    }

    /// See `direct`.
    pub fn describe(&self, env: &Env, out: &mut [f64], owner: Unknown<'_>) -> napi::Result<()> {
        self.run(env, |region| {
            self.disown(env);
            if let Some(weak) = Weak::new(env, &owner) {
                self.owner.set(Some(owners::add(env, region.id(), weak)));
            }
            let fd = region.file().map_or(-1, |file| os::raw_fd(&file));
            let facts = [
                region.len() as f64,
                region.delta() as f64,
                region.offset() as f64,
                f64::from(fd),
                region.page() as f64,
                if region.form().mapped || !region.has_file() {
                    1.0
                } else {
                    0.0
                },
                region.map_len() as f64,
                region.id() as f64,
                f64::from(u8::from(region.is_reserved())),
                f64::from(u8::from(region.form().access != Access::Read)),
                f64::from(u8::from(fault::is_lost())),
                f64::from(region.changes()),
            ];
            store(out, &facts);
            Ok(())
        })
    }

    /// Of the user's first byte.
    #[napi(getter)]
    pub fn address(&self, env: &Env) -> napi::Result<BigInt> {
        self.run(env, |region| {
            Ok(BigInt::from(region.start() as usize as u64))
        })
    }

    /// See `direct`.
    pub fn export_buffer<'env>(
        &self,
        env: &'env Env,
        start: f64,
        length: f64,
    ) -> napi::Result<Option<Unknown<'env>>> {
        let region = self.run(env, |region| {
            let (start, length) = (start as usize, length as usize);
            match start.checked_add(length) {
                Some(end) if length > 0 && end <= region.delta() + region.len() => Ok(region),
                _ => Err(Fail::out_of_range("No such pages".into())),
            }
            .cloned()
        })?;
        let buffer = external::export(env, &region, start as usize, length as usize)?;
        if let Some(buffer) = &buffer {
            self.exports.borrow_mut().add(env, buffer);
        }
        Ok(buffer)
    }

    /// Copies out without a view.
    pub fn read_into(&self, env: &Env, target: *mut [u8], position: f64) -> napi::Result<()> {
        self.run(env, |region| bytes::read(region, target, position as usize))
    }

    /// Copies in without a view.
    pub fn write_from(&self, env: &Env, source: *const [u8], position: f64) -> napi::Result<()> {
        self.run(env, |region| {
            bytes::write(region, source, position as usize)
        })
    }

    /// Repeats a pattern over a range.
    #[napi]
    pub fn fill_bytes(&self, env: &Env, pattern: &[u8], begin: f64, end: f64) -> napi::Result<()> {
        self.run(env, |region| {
            bytes::fill(region, pattern, begin as usize, end as usize)
        })
    }

    /// memmove(3) inside the mapping.
    #[napi]
    pub fn copy_within(&self, env: &Env, target: f64, begin: f64, end: f64) -> napi::Result<()> {
        self.run(env, |region| {
            bytes::copy_within(region, target as usize, begin as usize, end as usize)
        })
    }

    /// memcmp(3): -1, 0 or 1.
    #[napi]
    pub fn compare_with(&self, env: &Env, other: &NativeMapping) -> napi::Result<i32> {
        self.run(env, |region| {
            other
                .open_region()
                .and_then(|other| bytes::compare(region, &other))
                .map(|order| order as i32)
        })
    }

    /// memcmp(3) against bytes of JavaScript.
    #[napi]
    pub fn compare_bytes(&self, env: &Env, other: &[u8]) -> napi::Result<i32> {
        self.run(env, |region| {
            bytes::compare_bytes(region, other).map(|order| order as i32)
        })
    }

    /// msync(2) and fsync(2). `flags`: 1 do not wait, 2 invalidate.
    #[napi]
    pub fn flush_sync(&self, env: &Env, offset: f64, length: f64, flags: u32) -> napi::Result<()> {
        let (wait, invalidate) = (flags & FLUSH_NO_WAIT == 0, flags & FLUSH_INVALIDATE != 0);
        self.run(env, |region| {
            region.flush(offset as usize, length as usize, wait, invalidate)
        })
    }

    /// The same on another thread.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn flush(
        &self,
        env: &Env,
        offset: f64,
        length: f64,
        flags: u32,
    ) -> napi::Result<AsyncTask<FlushTask>> {
        let (wait, invalidate) = (flags & FLUSH_NO_WAIT == 0, flags & FLUSH_INVALIDATE != 0);
        self.run(env, |region| {
            Ok(AsyncTask::new(FlushTask {
                region: Arc::clone(region),
                position: offset as usize,
                length: length as usize,
                wait,
                invalidate,
            }))
        })
    }

    /// The file's length now.
    #[napi]
    pub fn size(&self, env: &Env) -> napi::Result<f64> {
        self.run(env, |region| region.size().map(|size| size as f64))
    }

    /// See `direct`.
    pub fn fault(&self, env: &Env, out: &mut [f64]) -> napi::Result<()> {
        self.run(env, |region| {
            let (fault, count) = region.fault();
            let (kind, offset) = fault.map_or((0, 0), |fault| (fault.kind as u8, fault.offset));
            let changes = f64::from(region.changes());
            store(
                out,
                &[f64::from(kind), offset as f64, f64::from(count), changes],
            );
            Ok(())
        })
    }

    /// See `direct`.
    pub fn rights(&self, env: &Env, out: &mut [f64]) -> napi::Result<usize> {
        self.run(env, |region| {
            let runs = region.rights(0, region.map_len());
            let mut rest = out;
            for (from, to, right) in &runs {
                if rest.len() < 3 {
                    break;
                }
                store(rest, &[*from as f64, *to as f64, f64::from(*right as u8)]);
                rest = &mut rest[3..];
            }
            Ok(runs.len())
        })
    }

    /// Maps the file's pages again where the guard had put others.
    #[napi]
    pub fn clear_fault(&self, env: &Env) -> napi::Result<()> {
        self.run(env, |region| region.clear_fault())
    }

    /// First half of closing: see `direct`.
    pub fn close(&self, env: &Env) -> bool {
        self.disown(env);
        let region = self.region.borrow_mut().take();
        if let Some(region) = region {
            self.let_go(region);
        }
        self.closing.borrow().is_some()
    }

    /// Between the halves.
    pub fn exported<'env>(&self, env: &'env Env) -> Vec<Unknown<'env>> {
        self.exports.borrow_mut().take(env)
    }

    /// Second half.
    pub fn release(&self, views_remain: bool) {
        if let Some(region) = self.closing.take()
            && views_remain
        {
            region.leave_zeros();
        }
    }
}

impl ObjectFinalize for NativeMapping {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.exports.borrow_mut().forget(&env);
        self.disown(&env);
        Ok(())
    }
}

impl Drop for NativeMapping {
    fn drop(&mut self) {
        if let Some(region) = self.region.get_mut().take() {
            region.let_go(false, false);
        }
    }
}

/// Writes as many values as fit.
fn store(out: &mut [f64], values: &[f64]) {
    for (slot, value) in out.iter_mut().zip(values) {
        *slot = *value;
    }
}
