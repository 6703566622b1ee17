//! What TypeScript calls once for every access or mapping, as functions of Node-API itself.
//!
//! For a method of a class napi-rs hashes the name of the class, asks the engine for the tag of the object and enters and leaves a table of
//! borrows under two locks: some 4,000 instructions (callgrind), where most of these here need a hundred.
#![allow(
    unsafe_code,
    reason = "Node-API's own functions and the pointers that it hands out"
)]

use std::ffi::{CStr, c_void};
use std::ptr::{null_mut, slice_from_raw_parts_mut};

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, Error, JsValue, Status, sys};
use napi_derive::napi;

use crate::mapping::NativeMapping;

/// Arguments after the mapping.
const MOST: usize = 2;

/// What was called with: handles of this call.
struct Call<'a> {
    env: &'a Env,
    arguments: [sys::napi_value; MOST],
}

impl<'a> Call<'a> {
    fn number(&self, index: usize) -> napi::Result<f64> {
        let mut number = 0.0;
        // SAFETY: a live handle of this call.
        checked(unsafe {
            sys::napi_get_value_double(self.env.raw(), self.arguments[index], &raw mut number)
        })?;
        Ok(number)
    }

    fn object(&self, index: usize) -> napi::Result<Unknown<'a>> {
        // SAFETY: a live handle of this call.
        unsafe { Unknown::from_napi_value(self.env.raw(), self.arguments[index]) }
    }

    /// The memory of a typed array of this kind: raw, as it can be a view of a mapping.
    fn array<T>(&self, index: usize, kind: sys::napi_typedarray_type) -> napi::Result<*mut [T]> {
        let (mut found, mut length, mut data) = (0, 0, null_mut());
        // SAFETY: a live handle of this call.
        checked(unsafe {
            sys::napi_get_typedarray_info(
                self.env.raw(),
                self.arguments[index],
                &raw mut found,
                &raw mut length,
                &raw mut data,
                null_mut(),
                null_mut(),
            )
        })?;
        if found != kind {
            return Err(Error::from_status(Status::InvalidArg));
        }
        Ok(slice_from_raw_parts_mut(data.cast(), length))
    }

    fn bytes(&self, index: usize) -> napi::Result<*mut [u8]> {
        self.array(index, sys::TypedarrayType::uint8_array)
    }

    fn numbers(&self, index: usize) -> napi::Result<&'a mut [f64]> {
        let numbers = self.array(index, sys::TypedarrayType::float64_array)?;
        if numbers.len() == 0 {
            return Ok(&mut []);
        }
        // SAFETY: as in `raw::numbers`: JavaScript does not run on this thread during the call, and the facade never shares this array.
        Ok(unsafe { &mut *numbers })
    }
}

/// Null stands for `undefined`.
type Method = fn(&NativeMapping, &Call<'_>) -> napi::Result<sys::napi_value>;

static METHODS: &[(&CStr, Method)] = &[
    (c"describe", |mapping, call| {
        mapping.describe(call.env, call.numbers(0)?, call.object(1)?)?;
        Ok(null_mut())
    }),
    (c"exportBuffer", |mapping, call| {
        let buffer = mapping.export_buffer(call.env, call.number(0)?, call.number(1)?)?;
        Ok(buffer.map_or(null_mut(), |buffer| buffer.raw()))
    }),
    (c"readInto", |mapping, call| {
        mapping.read_into(call.env, call.bytes(0)?, call.number(1)?)?;
        Ok(null_mut())
    }),
    (c"writeFrom", |mapping, call| {
        mapping.write_from(call.env, call.bytes(0)?, call.number(1)?)?;
        Ok(null_mut())
    }),
    (c"fault", |mapping, call| {
        mapping.fault(call.env, call.numbers(0)?)?;
        Ok(null_mut())
    }),
    (c"rights", |mapping, call| {
        let count = mapping.rights(call.env, call.numbers(0)?)?;
        let mut answer = null_mut();
        // SAFETY: in this environment.
        checked(unsafe { sys::napi_create_double(call.env.raw(), count as f64, &raw mut answer) })?;
        Ok(answer)
    }),
    (c"close", |mapping, call| {
        let mut answer = null_mut();
        let must_release = mapping.close(call.env);
        // SAFETY: in this environment.
        checked(unsafe { sys::napi_get_boolean(call.env.raw(), must_release, &raw mut answer) })?;
        Ok(answer)
    }),
    (c"exported", |mapping, call| {
        let buffers = mapping.exported(call.env);
        let mut answer = null_mut();
        // SAFETY: in this environment.
        checked(unsafe {
            sys::napi_create_array_with_length(call.env.raw(), buffers.len(), &raw mut answer)
        })?;
        for (index, buffer) in (0..).zip(buffers) {
            // SAFETY: live handles of this environment.
            checked(unsafe { sys::napi_set_element(call.env.raw(), answer, index, buffer.raw()) })?;
        }
        Ok(answer)
    }),
    (c"release", |mapping, call| {
        mapping.release(call.number(0)? != 0.0);
        Ok(null_mut())
    }),
];

/// Each takes the mapping first, and no other object: nobody but the facade has one.
///
/// `describe` enters the facade's object for news of faults, and writes: byteLength, delta, fileOffset, fd or -1, page size, 1 if mapped, bytes
/// of whole pages, id, 1 if address space is reserved, 1 if it may be written, 1 if the guard was displaced for good, how often
/// rights have changed.
///
/// `exportBuffer` makes an ArrayBuffer over the pages; `start` counts from the page-aligned base. `undefined` where the engine refuses external
/// buffers.
///
/// `close` is the first half of closing: the last holder takes the file away from under the views; without views the memory is simply unmapped,
/// and the answer is `false`: there is nothing to release. Between the halves `exported` gives every buffer that JavaScript can still reach; the
/// second call finds none. `release` is the second half, after they were detached. `viewsRemain`: 1 if some could not be, and read zeros from now on.
///
/// `fault` writes: kind (0 none, 1 truncated, 2 io, 3 nospace, 4 protected, 5 moved), offset from the user's first byte, how many faults so far, how
/// often rights have changed (as the last one of `describe`).
///
/// `rights` gives the number of runs of pages whose rights are not those that the mapping began with, and writes as many as fit: from, to (bytes from
/// the base), right (0 none, 1 read, 2 write, 4 not this mapping's any more).
#[napi(ts_return_type = "{
  describe(mapping: NativeMapping, out: Float64Array, owner: object): void
  exportBuffer(mapping: NativeMapping, start: number, length: number): ArrayBuffer | undefined
  readInto(mapping: NativeMapping, target: Uint8Array, position: number): void
  writeFrom(mapping: NativeMapping, source: Uint8Array, position: number): void
  fault(mapping: NativeMapping, out: Float64Array): void
  rights(mapping: NativeMapping, out: Float64Array): number
  close(mapping: NativeMapping): boolean
  exported(mapping: NativeMapping): ArrayBuffer[]
  release(mapping: NativeMapping, viewsRemain: number): void
}")]
pub fn direct(env: &Env) -> napi::Result<Unknown<'_>> {
    let mut object = null_mut();
    // SAFETY: in this environment.
    checked(unsafe { sys::napi_create_object(env.raw(), &raw mut object) })?;
    for method in METHODS {
        let mut function = null_mut();
        // SAFETY: in this environment; the table lives as long as the program.
        checked(unsafe {
            sys::napi_create_function(
                env.raw(),
                method.0.as_ptr(),
                method.0.count_bytes() as isize,
                Some(call),
                std::ptr::from_ref(&method.1).cast_mut().cast::<c_void>(),
                &raw mut function,
            )
        })?;
        // SAFETY: fresh handles of this environment.
        checked(unsafe {
            sys::napi_set_named_property(env.raw(), object, method.0.as_ptr(), function)
        })?;
    }
    // SAFETY: a fresh handle of this environment.
    unsafe { Unknown::from_napi_value(env.raw(), object) }
}

fn checked(status: sys::napi_status) -> napi::Result<()> {
    match status {
        sys::Status::napi_ok => Ok(()),
        failed => Err(Error::from_status(Status::from(failed))),
    }
}

unsafe extern "C" fn call(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: called by the engine, with a live environment.
    unsafe { answer(env, info) }.unwrap_or_else(|error| {
        // SAFETY: throws the finished error in this environment.
        unsafe { napi::JsError::from(error).throw_into(env) };
        null_mut()
    })
}

/// # Safety
/// In a call by the engine of one of `METHODS`.
unsafe fn answer(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> napi::Result<sys::napi_value> {
    let mut count = 1 + MOST;
    // What is not given is `undefined` in all that the engine fills.
    let mut given = [null_mut(); 1 + MOST];
    let (mut data, mut mapping) = (null_mut(), null_mut());
    // SAFETY: what the engine fills lives on this stack.
    checked(unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            given.as_mut_ptr(),
            null_mut(),
            &raw mut data,
        )
    })?;
    // SAFETY: a live handle of this call.
    checked(unsafe { sys::napi_unwrap(env, given[0], &raw mut mapping) })?;
    // SAFETY: napi-rs wraps a `NativeMapping` in its object, which this call holds, and lends it by `&` only.
    let mapping = unsafe { &*mapping.cast_const().cast::<NativeMapping>() };
    // SAFETY: what `direct` gave.
    let method = unsafe { *data.cast_const().cast::<Method>() };
    let [_, arguments @ ..] = given;
    let env = Env::from_raw(env);
    method(
        mapping,
        &Call {
            env: &env,
            arguments,
        },
    )
}
