//! Where the segments of one log lie, one after the other: a few places behind one ArrayBuffer, each of which a new file is mapped into when the
//! one before it is gone. Otherwise the engine would count a buffer of 16 MiB for every segment, and collect garbage for each few of them.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::maker::NativeSegmentMaker;
use crate::carrier::external;
use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::mapping::NativeMapping;
use crate::open;
use crate::os::{self, Fresh};
use crate::region::Region;
use crate::request::Request;
use crate::reservation::Space;

/// The segment that is written, and two that are made ahead: what was before is unmapped before a third is made.
const PLACES: usize = 3;

/// The places of one log.
pub struct Stage {
    space: Arc<Space>,
    /// Of one place, in bytes.
    length: usize,
    next: usize,
}

impl Stage {
    fn new(length: usize) -> Outcome<Self> {
        let space = Space::new(length.saturating_mul(PLACES))?;
        Ok(Self {
            space,
            length,
            next: 0,
        })
    }

    /// The one whose turn it is.
    pub fn place(&mut self) -> Place {
        let at = self.next * self.length;
        self.next = (self.next + 1) % PLACES;
        Place {
            space: Arc::clone(&self.space),
            at,
        }
    }
}

/// Where the next segment is to lie.
pub struct Place {
    space: Arc<Space>,
    at: usize,
}

impl Place {
    /// Maps a file there; fails if something is there.
    pub fn open(&self, request: &Request) -> Outcome<Arc<Region>> {
        open::open_as(request, &mut |file, form, source, length| {
            if source.page != os::page_size() {
                return Err(Fail::system(code::ENOTSUP, "mmap"));
            }
            let arguments = os::plain_arguments(form, os::raw_fd(file), source.offset)?;
            let fresh = Fresh::map(length, arguments)?;
            let whole = length.next_multiple_of(source.page);
            self.space.place(
                self.at,
                length,
                false,
                vec![(fresh, whole)],
                Box::new(|memory| Region::new(memory, length, form, source)),
            )
        })
    }
}

#[napi]
impl NativeSegmentMaker {
    /// One buffer with room for the segments that will be made, each of `length` bytes (whole pages): `placeOf` says where each lies. Once.
    /// `undefined` where the engine takes no buffer over foreign memory, or there is no address space: each has to have a buffer of its own then.
    #[napi(ts_return_type = "ArrayBuffer | undefined")]
    pub fn set_stage<'env>(
        &mut self,
        env: &'env Env,
        length: f64,
    ) -> napi::Result<Option<Unknown<'env>>> {
        let length = length as usize;
        let Some(stage) = Some(length)
            .filter(|length| length.is_multiple_of(os::page_size()))
            .and_then(|length| Stage::new(length).ok())
        else {
            return Ok(None);
        };
        let buffer = external::export_space(env, &stage.space)?;
        if buffer.is_some() {
            self.stage = Some(stage);
        }
        Ok(buffer)
    }

    /// Where in the buffer of `setStage` a mapping lies; -1: elsewhere.
    #[napi]
    pub fn place_of(&self, env: &Env, mapping: &NativeMapping) -> napi::Result<f64> {
        mapping.run(env, |region| {
            let space = self.stage.as_ref().map(|stage| &stage.space);
            let at = space.and_then(|space| {
                let at = (region.own_base() as usize).checked_sub(space.base())?;
                (at < space.length()).then_some(at)
            });
            Ok(at.map_or(-1.0, |at| at as f64))
        })
    }
}
