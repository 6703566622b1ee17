//! `Reservation`: convert, delegate, return.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{BigInt, Buffer, Either3};
use napi_derive::napi;

use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::mapping::NativeMapping;
use crate::open;
use crate::os::{self, Access, Form, Fresh};
use crate::region::{Region, Source};
use crate::request::Request;
use crate::reservation::Space;

/// Address space taken in advance.
#[napi]
pub struct NativeReservation {
    space: Option<Arc<Space>>,
    address: usize,
    length: usize,
}

impl NativeReservation {
    fn space(&self) -> Outcome<&Arc<Space>> {
        self.space.as_ref().ok_or_else(Fail::closed)
    }
}

#[napi]
impl NativeReservation {
    /// mmap(2) with `PROT_NONE`.
    #[napi(factory)]
    pub fn reserve(env: &Env, length: f64) -> napi::Result<Self> {
        let space = if os::CAN_PLACE {
            Space::new(length as usize)
        } else {
            Err(Fail::system(code::ENOTSUP, "mmap"))
        };
        let space = space.map_err(|fail| fail.into_js(env))?;
        Ok(Self {
            address: space.base(),
            length: space.length(),
            space: Some(space),
        })
    }

    /// First byte.
    #[napi(getter)]
    pub fn address(&self) -> BigInt {
        BigInt::from(self.address as u64)
    }

    /// Whole pages, in bytes.
    #[napi(getter)]
    pub fn length(&self) -> f64 {
        self.length as f64
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "numbers cross into native code faster than an object that has them"
    )]
    /// Maps a file at a fixed place; the other arguments are those of `NativeMapping.openSync`. `over`: whatever is there gives way.
    #[napi]
    pub fn place(
        &self,
        env: &Env,
        at: f64,
        over: bool,
        target: Either3<String, Buffer, i32>,
        flags: u32,
        offset: f64,
        length: f64,
        mode: u32,
    ) -> napi::Result<NativeMapping> {
        let request = Request::new(target, flags, offset, length, mode, 0.0);
        let place = || {
            let space = self.space()?;
            open::open_as(&request, &mut |file, form, source, length| {
                let arguments = os::plain_arguments(form, os::raw_fd(file), source.offset)?;
                if !source.offset.is_multiple_of(source.page as u64) {
                    return Err(Fail::system(code::EINVAL, "mmap")
                        .hint("the offset must be a multiple of the page size"));
                }
                place(
                    space,
                    at as usize,
                    over,
                    &[length],
                    &|| Fresh::map(length, arguments),
                    form,
                    source,
                )
            })
        };
        place()
            .map(NativeMapping::new)
            .map_err(|fail| fail.into_js(env))
    }

    /// Zero-filled private memory at a fixed place.
    #[napi]
    pub fn place_memory(
        &self,
        env: &Env,
        at: f64,
        over: bool,
        length: f64,
    ) -> napi::Result<NativeMapping> {
        let length = length as usize;
        let place = || {
            let form = Form {
                access: Access::Write,
                private: true,
                writable: true,
                exec: false,
                mapped: false,
            };
            let source = Source {
                file: None,
                offset: 0,
                path: None,
                page: os::page_size(),
                sparse: false,
            };
            let arguments = os::plain_arguments(form, -1, 0)?;
            place(
                self.space()?,
                at as usize,
                over,
                &[length],
                &|| Fresh::map(length, arguments),
                form,
                source,
            )
        };
        place()
            .map(NativeMapping::new)
            .map_err(|fail| fail.into_js(env))
    }

    /// The same pages of a file twice in a row; `at` -1: the first free place.
    #[napi]
    pub fn mirror(
        &self,
        env: &Env,
        at: f64,
        target: Either3<String, Buffer, i32>,
        flags: u32,
        offset: f64,
        length: f64,
    ) -> napi::Result<NativeMapping> {
        let request = Request::new(target, flags, offset, length, 0, 0.0);
        let mirror = || {
            let space = self.space()?;
            open::open_as(&request, &mut |file, form, source, length| {
                if length == 0
                    || !length.is_multiple_of(source.page)
                    || !source.offset.is_multiple_of(source.page as u64)
                {
                    return Err(
                        Fail::system(code::EINVAL, "mmap").hint("a mirror needs whole pages")
                    );
                }
                let arguments = os::plain_arguments(form, os::raw_fd(file), source.offset)?;
                let at = if at < 0.0 {
                    space.free_place(2 * length).ok_or_else(|| {
                        Fail::system(code::ENOMEM, "mmap").hint("no room in the reservation")
                    })?
                } else {
                    at as usize
                };
                place(
                    space,
                    at,
                    false,
                    &[length, length],
                    &|| Fresh::map(length, arguments),
                    form,
                    source,
                )
            })
        };
        mirror()
            .map(NativeMapping::new)
            .map_err(|fail| fail.into_js(env))
    }

    /// The ids of the mappings in it that are open.
    #[napi]
    pub fn placed(&self) -> Vec<f64> {
        self.space.as_ref().map_or_else(Vec::new, |space| {
            space
                .regions()
                .iter()
                .map(|region| region.id() as f64)
                .collect()
        })
    }

    /// Those of which nothing remains, as others were placed over them.
    #[napi]
    pub fn bare(&self) -> Vec<f64> {
        let all = self
            .space
            .as_ref()
            .map_or_else(Vec::new, |space| space.regions());
        all.iter()
            .filter(|region| region.mapped_ranges(0, region.map_len()).is_empty())
            .map(|region| region.id() as f64)
            .collect()
    }

    /// Nothing can be placed any more; the address space goes with the last mapping in it.
    #[napi]
    pub fn close(&mut self) {
        if let Some(space) = self.space.take() {
            space.close();
        }
    }
}

/// Fresh mappings of these lengths, one behind the other.
fn place(
    space: &Arc<Space>,
    at: usize,
    over: bool,
    lengths: &[usize],
    map: &dyn Fn() -> Outcome<Fresh>,
    form: Form,
    source: Source,
) -> Outcome<Arc<Region>> {
    let page = source.page;
    let mut fresh = Vec::new();
    let total = lengths.iter().sum();
    for length in lengths {
        match map() {
            Ok(mapped) => fresh.push((mapped, length.next_multiple_of(page))),
            Err(fail) => {
                for (mapped, length) in fresh {
                    mapped.discard(length);
                }
                return Err(fail);
            }
        }
    }
    let finish = |memory| {
        let region = Region::new(memory, total, form, source);
        if lengths.len() > 1 {
            region.mirror(lengths[0]);
        }
        region
    };
    space.place(at, total, over, fresh, Box::new(finish))
}
