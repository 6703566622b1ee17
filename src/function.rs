//! Functions for JavaScript made with Node-API itself: numbers in, a number or nothing out.
//!
//! A method of a class of napi-rs costs four times as much to call (280 against 66 ns on Node 22), which is felt where the work is a system call or a CRC.
#![allow(
    unsafe_code,
    reason = "Node-API's own functions and the pointer that it hands back"
)]

use std::ffi::{CStr, c_void};

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, Error, Status, sys};

use crate::error::Outcome;

/// Most arguments of a function.
const MOST: usize = 3;

/// What a function does; an argument that is absent or no number is 0. It may be dropped on any thread.
type Action = dyn Fn([f64; MOST]) -> Outcome<Option<f64>> + Send + Sync;

/// A JavaScript function that lives as long as the engine holds it, and `action` with it.
pub fn make<'env>(
    env: &'env Env,
    name: &CStr,
    action: impl Fn([f64; MOST]) -> Outcome<Option<f64>> + Send + Sync + 'static,
) -> napi::Result<Unknown<'env>> {
    // Boxed twice, as a pointer to a trait object has two words.
    let action: Box<Box<Action>> = Box::new(Box::new(action));
    let data = Box::into_raw(action).cast::<c_void>();
    let mut function = std::ptr::null_mut();
    // SAFETY: `data` lives until `free`, which the engine calls when the function is collected.
    let mut status = unsafe {
        sys::napi_create_function(
            env.raw(),
            name.as_ptr(),
            name.count_bytes() as isize,
            Some(call),
            data,
            &raw mut function,
        )
    };
    if status == sys::Status::napi_ok {
        // SAFETY: as above; `function` is a fresh handle.
        status = unsafe {
            sys::napi_add_finalizer(
                env.raw(),
                function,
                data,
                Some(free),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
    }
    if status != sys::Status::napi_ok {
        // SAFETY: the function that knows it was not handed out.
        drop(unsafe { Box::from_raw(data.cast::<Box<Action>>()) });
        let why = "the engine refused a function".to_owned();
        return Err(Error::new(Status::from(status), why));
    }
    // SAFETY: a fresh handle of this environment.
    unsafe { Unknown::from_napi_value(env.raw(), function) }
}

unsafe extern "C" fn call(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut count = MOST;
    let mut arguments = [std::ptr::null_mut(); MOST];
    let mut numbers = [0.0; MOST];
    let mut data = std::ptr::null_mut();
    let mut result = std::ptr::null_mut();
    // SAFETY: the engine calls with a live environment; what it fills lives on this stack.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            arguments.as_mut_ptr(),
            std::ptr::null_mut(),
            &raw mut data,
        );
        for (number, argument) in numbers.iter_mut().zip(&arguments).take(count) {
            sys::napi_get_value_double(env, *argument, number);
        }
    }
    // SAFETY: the pointer that `make` gave; the function that is being called keeps it.
    let action = unsafe { &*data.cast_const().cast::<Box<Action>>() };
    match action(numbers) {
        Ok(None) => {}
        // SAFETY: in this environment.
        Ok(Some(number)) => unsafe {
            sys::napi_create_double(env, number, &raw mut result);
        },
        Err(fail) => {
            let thrown = fail.into_js(&Env::from_raw(env));
            // SAFETY: throws the finished error in this environment.
            unsafe { napi::JsError::from(thrown).throw_into(env) };
        }
    }
    result
}

/// On any thread.
unsafe extern "C" fn free(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the pointer that `make` gave, handed back once.
    drop(unsafe { Box::from_raw(data.cast::<Box<Action>>()) });
}
