//! Which buffers of a mapping JavaScript can still reach: `close()` must detach them all.
//!
//! A `WeakRef` would keep its buffer alive until the end of the current job (a million windows in one loop are a million buffers); Node-API's
//! weak references do not.
#![allow(unsafe_code, reason = "Node-API")]

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, JsValue, sys};

/// Below this many, dead references are not worth a look.
const SMALLEST: usize = 64;

/// Weak references to buffers, in the order of their making.
#[derive(Default)]
pub struct Exports {
    references: Vec<sys::napi_ref>,
    sweep_at: usize,
}

impl Exports {
    /// Remembers a buffer as long as it lives.
    pub fn add(&mut self, env: &Env, buffer: &Unknown<'_>) {
        if self.references.len() >= self.sweep_at.max(SMALLEST) {
            self.references.retain(|&reference| value_of(env, reference).is_some() || delete(env, reference));
            self.sweep_at = self.references.len() * 2;
        }
        let mut reference = std::ptr::null_mut();
        // SAFETY: a live handle of this environment; a count of 0 makes the reference weak.
        let status = unsafe { sys::napi_create_reference(env.raw(), buffer.raw(), 0, &raw mut reference) };
        if status == sys::Status::napi_ok {
            self.references.push(reference);
        }
    }

    /// Hands out what still lives, and forgets everything.
    pub fn take<'env>(&mut self, env: &'env Env) -> Vec<Unknown<'env>> {
        let living = self.references.iter().filter_map(|&reference| value_of(env, reference)).collect();
        self.forget(env);
        living
    }

    /// The mapping was collected: its buffers look after themselves.
    pub fn forget(&mut self, env: &Env) {
        for reference in self.references.drain(..) {
            delete(env, reference);
        }
    }
}

fn value_of(env: &Env, reference: sys::napi_ref) -> Option<Unknown<'_>> {
    let mut value = std::ptr::null_mut();
    // SAFETY: `reference` was made in this environment and is deleted by `Exports` only.
    let status = unsafe { sys::napi_get_reference_value(env.raw(), reference, &raw mut value) };
    if status != sys::Status::napi_ok || value.is_null() {
        return None;
    }
    // SAFETY: a fresh handle of this environment.
    unsafe { Unknown::from_napi_value(env.raw(), value) }.ok()
}

/// `false`, as `retain` wants it.
fn delete(env: &Env, reference: sys::napi_ref) -> bool {
    // SAFETY: as in `value_of`; the caller drops its copy.
    unsafe { sys::napi_delete_reference(env.raw(), reference) };
    false
}
