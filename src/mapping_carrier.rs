//! The carriers of [`NativeMapping`]: what views stand on where the engine allows no buffer over foreign memory, and SharedArrayBuffers.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Uint8ArraySlice, Unknown};
use napi_derive::napi;

use crate::carrier::overlay::Overlay;
use crate::carrier::shared;
use crate::mapping::NativeMapping;

#[napi]
impl NativeMapping {
    /// A SharedArrayBuffer over all pages, from the page-aligned base. `undefined` where the engine has none over foreign memory.
    #[napi(ts_return_type = "SharedArrayBuffer | undefined")]
    pub fn export_shared<'env>(&self, env: &'env Env) -> napi::Result<Option<Unknown<'env>>> {
        let region = self.run(env, |region| Ok(Arc::clone(region)))?;
        shared::export(env, &region)
    }

    /// Maps the file over the engine's own pages, which the caller keeps alive until `close()`. `adopt`: they are the only true ones (private memory).
    #[napi]
    pub fn overlay(
        &self,
        env: &Env,
        mut target: Uint8ArraySlice<'_>,
        adopt: bool,
    ) -> napi::Result<()> {
        let room = target.len();
        let target = crate::raw::bytes(&mut target).as_mut_ptr();
        let overlay = self.run(env, |region| {
            let overlay = Overlay::place(region, target, room, env.raw() as usize)?;
            region.carry(&overlay, adopt);
            Ok(overlay)
        })?;
        self.overlay.replace(Some(overlay));
        Ok(())
    }

    /// Whether these are the bytes that `overlay` was given.
    #[napi]
    pub fn is_at(&self, mut target: Uint8ArraySlice<'_>) -> bool {
        let target = crate::raw::bytes(&mut target).as_mut_ptr();
        self.overlay
            .borrow()
            .as_ref()
            .is_some_and(|overlay| overlay.base() == target)
    }

    /// The engine moved its memory: nothing of ours is there any more, and nothing there is touched.
    #[napi]
    pub fn forget_overlay(&self) {
        if let (Some(overlay), Some(region)) = (self.overlay.take(), self.region.borrow().as_ref())
        {
            region.disown(&overlay);
            overlay.forget();
        }
    }
}
