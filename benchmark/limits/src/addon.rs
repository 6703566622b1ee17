//! A Node-API add-on that maps, and does nothing that could be left out: no checks, no guard, no errors, no class. What it costs, every add-on
//! costs. `open(path, writable)` gives a handle, `read(handle, length)` a copy, `view(handle, length)` an ArrayBuffer over the pages, and
//! `close(handle, view?)` takes both away.

use std::ffi::c_void;
use std::fs::OpenOptions;
use std::ptr::{null, null_mut};

use memmap2::MmapRaw;
use napi_sys as sys;

type Native = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// The arguments of a call; those that are missing are `undefined`.
unsafe fn arguments<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> [sys::napi_value; N] {
    let mut count = N;
    let mut values = [null_mut(); N];
    // SAFETY: room for as many as are asked for.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            values.as_mut_ptr(),
            null_mut(),
            null_mut(),
        );
    }
    values
}

unsafe fn length_of(env: sys::napi_env, value: sys::napi_value) -> usize {
    let mut length = 0.0;
    // SAFETY: a place for the answer.
    unsafe { sys::napi_get_value_double(env, value, &raw mut length) };
    length as usize
}

unsafe fn map_of<'a>(env: sys::napi_env, handle: sys::napi_value) -> &'a MmapRaw {
    let mut data = null_mut();
    // SAFETY: only `open` makes what the benchmark passes here.
    unsafe {
        sys::napi_get_value_external(env, handle, &raw mut data);
        &*data.cast::<MmapRaw>()
    }
}

unsafe extern "C" fn open(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut path = [0_u8; 4096];
    let mut length = 0;
    let mut writable = false;
    let mut handle = null_mut();
    // SAFETY: places for the answers; the benchmark made the file and leaves it alone.
    unsafe {
        let [name, write] = arguments(env, info);
        sys::napi_get_value_string_utf8(
            env,
            name,
            path.as_mut_ptr().cast(),
            path.len(),
            &raw mut length,
        );
        sys::napi_get_value_bool(env, write, &raw mut writable);
        let path = std::str::from_utf8(&path[..length]).expect("a path of the benchmark's");
        let file = OpenOptions::new()
            .read(true)
            .write(writable)
            .open(path)
            .expect("a file of the benchmark's");
        let options = memmap2::MmapOptions::new();
        let map = if writable {
            options.map_raw(&file)
        } else {
            options.map_raw_read_only(&file)
        };
        let map = Box::into_raw(Box::new(map.expect("room for it")));
        sys::napi_create_external(env, map.cast(), None, null_mut(), &raw mut handle);
    }
    handle
}

unsafe extern "C" fn read(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut copy = null_mut();
    // SAFETY: the benchmark asks for no more than the file has.
    unsafe {
        let [handle, length] = arguments(env, info);
        let bytes = map_of(env, handle).as_ptr();
        sys::napi_create_buffer_copy(
            env,
            length_of(env, length),
            bytes.cast(),
            null_mut(),
            &raw mut copy,
        );
    }
    copy
}

unsafe extern "C" fn view(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut buffer = null_mut();
    // SAFETY: as above, and the buffer is detached before its pages go.
    unsafe {
        let [handle, length] = arguments(env, info);
        let bytes = map_of(env, handle).as_mut_ptr();
        sys::napi_create_external_arraybuffer(
            env,
            bytes.cast::<c_void>(),
            length_of(env, length),
            None,
            null_mut(),
            &raw mut buffer,
        );
    }
    buffer
}

unsafe extern "C" fn close(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: each handle is closed once.
    unsafe {
        let [handle, buffer] = arguments(env, info);
        let mut is_buffer = false;
        sys::napi_is_arraybuffer(env, buffer, &raw mut is_buffer);
        if is_buffer {
            sys::napi_detach_arraybuffer(env, buffer);
        }
        let map: *const MmapRaw = map_of(env, handle);
        drop(Box::from_raw(map.cast_mut()));
    }
    null_mut()
}

/// What Node looks for.
///
/// # Safety
///
/// Called by Node only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn napi_register_module_v1(
    env: sys::napi_env,
    exports: sys::napi_value,
) -> sys::napi_value {
    let all: [(&std::ffi::CStr, Native); 4] = [
        (c"open", open),
        (c"read", read),
        (c"view", view),
        (c"close", close),
    ];
    // SAFETY: names that end in NUL, in the environment that called.
    unsafe {
        sys::setup();
        for (name, function) in all {
            let mut value = null_mut();
            sys::napi_create_function(env, null(), 0, Some(function), null_mut(), &raw mut value);
            sys::napi_set_named_property(env, exports, name.as_ptr(), value);
        }
    }
    exports
}
