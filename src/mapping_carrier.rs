//! The carriers of [`NativeMapping`]: what views stand on where the engine allows no buffer over foreign memory, and SharedArrayBuffers.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Uint8ArraySlice, Unknown};
use napi_derive::napi;

use crate::carrier::held::Held;
use crate::carrier::overlay::{Carrier, Overlay};
use crate::carrier::shared;
use crate::error::Outcome;
use crate::mapping::NativeMapping;
use crate::region::Region;

impl NativeMapping {
    /// The Region's pages over those of an engine, which `carrier` is of.
    pub(crate) fn place(
        &self,
        region: &Region,
        target: (*mut u8, usize),
        carrier: (usize, Carrier),
        adopt: bool,
    ) -> Outcome<()> {
        let overlay = Overlay::place(region, target, carrier, adopt)?;
        region.carry(&overlay, adopt);
        self.overlay.replace(Some(overlay));
        Ok(())
    }
}

#[napi]
impl NativeMapping {
    /// A SharedArrayBuffer over all pages, from the page-aligned base. `undefined` where the engine has none over foreign memory.
    #[napi(ts_return_type = "SharedArrayBuffer | undefined")]
    pub fn export_shared<'env>(&self, env: &'env Env) -> napi::Result<Option<Unknown<'env>>> {
        let region = self.run(env, |region| Ok(Arc::clone(region)))?;
        shared::export(env, &region)
    }

    /// Maps the file over the engine's own pages, which the caller keeps alive until `isCarried` is false. `adopt`: they are the only true ones
    /// (private memory). `kind`: 0 a SharedArrayBuffer, 1 a buffer that nobody can take away, 2 one that can be transferred (`watched`), with
    /// a page in reserve behind it, 3 a part of a memory of the user's, whose buffer is another one (`watched`, this) once it has grown.
    #[napi(
        ts_args_type = "target: Uint8Array, adopt: boolean, kind: number, watched?: ArrayBuffer"
    )]
    pub fn overlay(
        &self,
        env: &Env,
        mut target: Uint8ArraySlice<'_>,
        adopt: bool,
        kind: u32,
        watched: Option<Unknown<'_>>,
    ) -> napi::Result<()> {
        let room = target.len();
        let target = crate::raw::bytes(&mut target).as_mut_ptr();
        let held = watched
            .as_ref()
            .map(|buffer| Held::new(env, buffer))
            .transpose()?;
        let carrier = match kind {
            0 => Carrier::Shared,
            1 => Carrier::Own,
            2 => Carrier::Transferable(held),
            _ => Carrier::Foreign(held),
        };
        let carrier = (env.raw() as usize, carrier);
        self.run(env, |region| {
            self.place(region, (target, room), carrier, adopt)
        })
    }

    /// Whether the engine's pages are still ours. After `close()` they are until `restoreOverlay`; under a SharedArrayBuffer while other
    /// mappings of the memory are open.
    #[napi(getter)]
    pub fn is_carried(&self) -> bool {
        self.overlay
            .borrow()
            .as_ref()
            .is_some_and(|overlay| overlay.is_live())
    }

    /// After `close()`: nothing can be in flight on the engine's pages any more, or some view still reaches them. The engine gets zeros back.
    #[napi]
    pub fn restore_overlay(&self) {
        if let Some(overlay) = &*self.overlay.borrow() {
            overlay.restore();
        }
    }

    /// Whether these are the bytes that `overlay` was given; then their buffer is `watched` from now on.
    #[napi(ts_args_type = "target: Uint8Array, watched?: ArrayBuffer")]
    pub fn is_at(
        &self,
        env: &Env,
        mut target: Uint8ArraySlice<'_>,
        watched: Option<Unknown<'_>>,
    ) -> napi::Result<bool> {
        let target = crate::raw::bytes(&mut target).as_mut_ptr();
        let overlay = self.overlay.borrow();
        let Some(overlay) = overlay.as_ref().filter(|it| it.base() == target) else {
            return Ok(false);
        };
        if let Some(buffer) = &watched {
            overlay.watch(Held::new(env, buffer)?);
        }
        Ok(true)
    }

    /// The engine moved its memory: nothing of ours is there any more, and nothing there is touched.
    #[napi]
    pub fn forget_overlay(&self) {
        let Some(overlay) = self.overlay.take() else {
            return;
        };
        if let Some(region) = self.region.borrow().as_ref() {
            region.disown(&overlay);
        }
        // Before it is dropped, which would restore what is not there any more.
        overlay.forget();
    }
}
