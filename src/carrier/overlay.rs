//! The file mapped over pages that V8 owns (a WebAssembly memory, a resizable ArrayBuffer, a growable SharedArrayBuffer): the only zero-copy way inside
//! V8's memory cage. V8 gets zero pages back before it may free them: at close, or when the environment ends.
#![allow(
    unsafe_code,
    reason = "maps over pages of the engine, which stay referenced while they are ours; Node-API"
)]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use napi::bindgen_prelude::{JsValue, Unknown};
use napi::{Env, sys};

use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::fault::Slot;
use crate::os;
use crate::region::{Pages, Region};

/// The buffer whose pages carry a mapping.
pub struct Carrier {
    environment: usize,
    /// A strong reference to an ArrayBuffer that can be taken away from us; null where that cannot be, or the facade looks itself.
    buffer: sys::napi_ref,
    /// Other threads may have it.
    shared: bool,
}

/// One placement.
pub struct Overlay {
    pages: Pages,
    carrier: Carrier,
    /// `None` once V8 has its pages back.
    live: Mutex<Option<Live>>,
}

struct Live {
    slot: Option<Slot>,
}

// SAFETY: the pages are only handed to system calls, under `live`'s lock; the reference is only used on the thread of its environment.
unsafe impl Send for Overlay {}
// SAFETY: as above.
unsafe impl Sync for Overlay {}

/// All placements of this process, for the ends of environments.
static PLACED: Mutex<Vec<Weak<Overlay>>> = Mutex::new(Vec::new());

impl Carrier {
    /// Remembers the buffer; `None`: the memory is the user's, whose buffer comes and goes.
    pub fn of(env: &Env, buffer: Option<&Unknown<'_>>) -> napi::Result<Self> {
        let mut reference = std::ptr::null_mut();
        let mut detachable = false;
        if let Some(buffer) = buffer {
            // SAFETY: a live handle of this environment.
            unsafe { sys::napi_is_arraybuffer(env.raw(), buffer.raw(), &raw mut detachable) };
        }
        if let (Some(buffer), true) = (buffer, detachable) {
            // SAFETY: as above; deleted by `forget`.
            let status = unsafe {
                sys::napi_create_reference(env.raw(), buffer.raw(), 1, &raw mut reference)
            };
            if status != sys::Status::napi_ok {
                return Err(napi::Error::new(
                    napi::Status::from(status),
                    "the engine refused a reference to the carrier".to_owned(),
                ));
            }
        }
        Ok(Self {
            environment: env.raw() as usize,
            buffer: reference,
            shared: buffer.is_some() && !detachable,
        })
    }

    fn env(&self) -> sys::napi_env {
        self.environment as sys::napi_env
    }

    /// The user transferred the buffer: its pages are in one that we don't know, and that may be freed at any time.
    fn is_detached(&self) -> bool {
        if self.buffer.is_null() {
            return false;
        }
        let (mut scope, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        let mut detached = false;
        // SAFETY: only carriers of ArrayBuffers get here, which belong to one thread, and on that one; also in its cleanup hook, where handles still work.
        unsafe {
            sys::napi_open_handle_scope(self.env(), &raw mut scope);
            sys::napi_get_reference_value(self.env(), self.buffer, &raw mut value);
            if !value.is_null() {
                sys::napi_is_detached_arraybuffer(self.env(), value, &raw mut detached);
            }
            sys::napi_close_handle_scope(self.env(), scope);
        }
        detached
    }

    fn forget(&self) {
        if !self.buffer.is_null() {
            // SAFETY: as in `is_detached`; `Overlay::end` comes here once.
            unsafe { sys::napi_delete_reference(self.env(), self.buffer) };
        }
    }
}

impl Overlay {
    /// Maps the Region's pages once more, over `target` (its first byte and how many there are: whole pages, at least as many).
    pub fn place(
        region: &Region,
        (base, room): (*mut u8, usize),
        carrier: Carrier,
        adopt: bool,
    ) -> Outcome<Arc<Self>> {
        let refused = !(base as usize).is_multiple_of(region.page())
            || room < region.map_len()
            || !available()
            // Somebody else knows these private pages where they are now.
            || adopt && region.holders() > 1;
        if refused {
            carrier.forget();
            return Err(Fail::system(code::ENOTSUP, "mmap")
                .hint("the engine's pages cannot carry the mapping"));
        }
        let length = region.map_len();
        let slot = region.guard(base);
        let placed = match &slot {
            Some(slot) => slot.locked(|_| region.map_over(base, adopt)),
            None => region.map_over(base, adopt),
        };
        let overlay = Arc::new(Self {
            pages: Pages { base, length },
            carrier,
            live: Mutex::new(Some(Live { slot })),
        });
        if let Err(fail) = placed {
            // Whatever is there now, V8 gets zeros.
            overlay.restore();
            return Err(fail);
        }
        let mut all = placements();
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&overlay));
        Ok(overlay)
    }

    /// First byte.
    pub fn base(&self) -> *mut u8 {
        self.pages.base
    }

    /// Whether a SharedArrayBuffer stands there, which other threads may have.
    pub fn is_shared(&self) -> bool {
        self.carrier.shared
    }

    /// Whether the file is still there.
    pub fn is_live(&self) -> bool {
        self.live().is_some()
    }

    /// Whether the user took the pages away from us. Only on the thread of the environment.
    pub fn lost(&self) -> bool {
        self.carrier.is_detached()
    }

    /// Gives V8 zero pages back; once.
    pub fn restore(&self) {
        // Held to the end: whoever else restores (the last mapping, the end of the environment) goes on when it is done.
        let mut live = self.live();
        let Some(Live { slot }) = live.take() else {
            return;
        };
        let lost = self.carrier.is_detached();
        let give_back = || {
            if !lost {
                // SAFETY: the pages belong to a buffer that the facade still references; the slot's lock keeps the handler off.
                unsafe {
                    os::replace(self.pages.base, self.pages.length, os::Replacement::Zeros);
                };
            }
        };
        match slot {
            Some(slot) => slot.release(give_back),
            None => give_back(),
        }
        self.carrier.forget();
    }

    /// The engine has moved its memory: the pages are whoever's by now.
    pub fn forget(&self) {
        let Some(Live { slot }) = self.live().take() else {
            return;
        };
        if let Some(slot) = slot {
            slot.release(|| ());
        }
        self.carrier.forget();
    }

    /// Runs something with the guard's slot, while the placement is live.
    pub fn with_slot<R>(&self, action: impl FnOnce(&Slot) -> R) -> Option<R> {
        self.live()
            .as_ref()
            .and_then(|live| live.slot.as_ref().map(action))
    }

    fn live(&self) -> MutexGuard<'_, Option<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        self.restore();
    }
}

fn placements() -> MutexGuard<'static, Vec<Weak<Overlay>>> {
    PLACED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The environment ends: V8 will free its pages soon, and must not find a file there.
pub fn environment_ends(environment: usize) {
    let mine: Vec<_> = placements()
        .iter()
        .filter_map(Weak::upgrade)
        .filter(|overlay| overlay.carrier.environment == environment)
        .collect();
    for overlay in mine {
        overlay.restore();
    }
}

/// Whether overlays are possible here: nothing can be mapped over V8's pages on Windows.
pub fn available() -> bool {
    cfg!(unix)
}
