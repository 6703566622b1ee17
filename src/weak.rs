//! Weak references of Node-API. A `WeakRef` of JavaScript would keep its target alive until the end of the current job, and cost a hash table entry.
#![allow(unsafe_code, reason = "Node-API")]

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, JsValue, sys};

/// A reference that does not keep its object alive. To be deleted in its environment: it has no `Drop`, as environments end first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Weak(sys::napi_ref);

impl Weak {
    /// `None` where the engine refuses.
    pub fn new<'env>(env: &Env, value: &impl JsValue<'env>) -> Option<Self> {
        let mut reference = std::ptr::null_mut();
        // SAFETY: a live handle of this environment; a count of 0 makes the reference weak.
        let status =
            unsafe { sys::napi_create_reference(env.raw(), value.raw(), 0, &raw mut reference) };
        (status == sys::Status::napi_ok).then_some(Self(reference))
    }

    /// The object, while it lives.
    pub fn get(self, env: &Env) -> Option<Unknown<'_>> {
        let mut value = std::ptr::null_mut();
        // SAFETY: the reference was made in this environment, and its one owner has not deleted it.
        let status = unsafe { sys::napi_get_reference_value(env.raw(), self.0, &raw mut value) };
        if status != sys::Status::napi_ok || value.is_null() {
            return None;
        }
        // SAFETY: a fresh handle of this environment.
        unsafe { Unknown::from_napi_value(env.raw(), value) }.ok()
    }

    /// Its owner drops all copies.
    pub fn delete(self, env: &Env) {
        // SAFETY: as in `get`.
        unsafe { sys::napi_delete_reference(env.raw(), self.0) };
    }
}
