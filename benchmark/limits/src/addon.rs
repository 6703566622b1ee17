//! An add-on by napi-rs that maps, and does nothing that could be left out: no checks, no guard, no errors, no facade. What it costs, every such
//! add-on costs.

use std::fs::OpenOptions;

use memmap2::{MmapOptions, MmapRaw};
use napi::bindgen_prelude::{Buffer, FromNapiValue, JsValue, Unknown};
use napi::{Env, sys};
use napi_derive::napi;

/// A mapping. Collected, it is unmapped.
#[napi]
pub struct Map {
    map: Option<MmapRaw>,
}

#[napi]
impl Map {
    /// Opens and maps a file that the benchmark made and leaves alone.
    #[napi(factory)]
    pub fn open(path: String, writable: bool) -> Self {
        let file = OpenOptions::new()
            .read(true)
            .write(writable)
            .open(path)
            .expect("a file of the benchmark's");
        let options = MmapOptions::new();
        let map = if writable {
            options.map_raw(&file)
        } else {
            options.map_raw_read_only(&file)
        };
        Self {
            map: Some(map.expect("room for it")),
        }
    }

    fn map(&self) -> &MmapRaw {
        self.map.as_ref().expect("a mapping that is open")
    }

    /// A copy of the first bytes.
    #[napi]
    pub fn read(&self, length: u32) -> Buffer {
        // SAFETY: the benchmark asks for no more than the file has.
        let bytes = unsafe { std::slice::from_raw_parts(self.map().as_ptr(), length as usize) };
        bytes.to_vec().into()
    }

    /// An ArrayBuffer over the first bytes.
    #[napi]
    pub fn view<'env>(&self, env: &'env Env, length: f64) -> Unknown<'env> {
        let mut buffer = std::ptr::null_mut();
        // SAFETY: as above, and `close` detaches it before the pages go.
        unsafe {
            sys::napi_create_external_arraybuffer(
                env.raw(),
                self.map().as_mut_ptr().cast(),
                length as usize,
                None,
                std::ptr::null_mut(),
                &raw mut buffer,
            );
            Unknown::from_napi_value(env.raw(), buffer).expect("a buffer")
        }
    }

    /// Takes the view away, and unmaps. An `fs.write` in flight knows the address still, and whatever is mapped next may get it: so pages without
    /// access come first, in one step, and go once nobody can know it any more. That no add-on can leave out.
    #[napi]
    pub fn close(&mut self, env: &Env, view: Option<Unknown<'_>>) {
        if let Some(view) = view {
            replace(self.map());
            // SAFETY: what `view` gave.
            unsafe { sys::napi_detach_arraybuffer(env.raw(), view.raw()) };
        }
        self.map = None;
    }
}

#[cfg(unix)]
fn replace(map: &MmapRaw) {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_FIXED;
    // SAFETY: the range is the mapping's own, which unmaps it afterwards.
    unsafe {
        libc::mmap(
            map.as_mut_ptr().cast(),
            map.len(),
            libc::PROT_NONE,
            flags,
            -1,
            0,
        )
    };
}

#[cfg(not(unix))]
fn replace(_map: &MmapRaw) {}
