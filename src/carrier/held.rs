//! A strong reference to an ArrayBuffer of ours: the user can transfer any that he reaches, and then its pages are in a buffer that we don't know.
#![allow(unsafe_code, reason = "Node-API")]

use napi::bindgen_prelude::{JsValue, Unknown};
use napi::{Env, Error, Status, sys};

/// Only used and dropped on the thread of its environment, at the latest in the environment's cleanup hook.
pub struct Held {
    env: sys::napi_env,
    reference: sys::napi_ref,
}

impl Held {
    /// `None` for a SharedArrayBuffer, which cannot be transferred.
    pub fn new(env: &Env, buffer: &Unknown<'_>) -> napi::Result<Option<Self>> {
        let mut transferable = false;
        // SAFETY: a live handle of this environment.
        unsafe { sys::napi_is_arraybuffer(env.raw(), buffer.raw(), &raw mut transferable) };
        if !transferable {
            return Ok(None);
        }
        let mut reference = std::ptr::null_mut();
        // SAFETY: as above; deleted on drop.
        let status =
            unsafe { sys::napi_create_reference(env.raw(), buffer.raw(), 1, &raw mut reference) };
        if status == sys::Status::napi_ok {
            Ok(Some(Self {
                env: env.raw(),
                reference,
            }))
        } else {
            Err(Error::new(
                Status::from(status),
                "the engine refused a reference to the carrier".to_owned(),
            ))
        }
    }

    /// Whether its pages are elsewhere.
    pub fn is_detached(&self) -> bool {
        let (mut scope, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        let mut detached = false;
        // SAFETY: on the environment's thread (see the type); handles work in its cleanup hooks, too.
        unsafe {
            sys::napi_open_handle_scope(self.env, &raw mut scope);
            sys::napi_get_reference_value(self.env, self.reference, &raw mut value);
            if !value.is_null() {
                sys::napi_is_detached_arraybuffer(self.env, value, &raw mut detached);
            }
            sys::napi_close_handle_scope(self.env, scope);
        }
        detached
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: as in `is_detached`; nobody else has the reference.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}
