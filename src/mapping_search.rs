//! Searching and evicting: more methods of the class in `mapping`.

use std::sync::Arc;

use napi::Env;
use napi_derive::napi;

use crate::mapping::NativeMapping;
use crate::os;
use crate::work::search::Query;

#[napi]
impl NativeMapping {
    /// First start of a needle that lies within `from..end`, or -1.
    #[napi]
    pub fn index_of(&self, env: &Env, needle: &[u8], from: f64, end: f64) -> napi::Result<f64> {
        self.run(env, |region| Query::new(Arc::clone(region), needle, from as usize, end as usize).first().map(position))
    }

    /// Last start of a needle before `before`, within `from..end`, or -1.
    #[napi]
    pub fn last_index_of(&self, env: &Env, needle: &[u8], from: f64, end: f64, before: f64) -> napi::Result<f64> {
        self.run(env, |region| Query::new(Arc::clone(region), needle, from as usize, end as usize).last(before as usize).map(position))
    }

    /// How many needles lie within `from..end`, without overlap, left to right.
    #[napi]
    pub fn count(&self, env: &Env, needle: &[u8], from: f64, end: f64) -> napi::Result<f64> {
        self.run(env, |region| Query::new(Arc::clone(region), needle, from as usize, end as usize).count().map(|count| count as f64))
    }

    /// madvise(2), posix_fadvise(2): takes a range out of memory and loses no change.
    #[napi]
    pub fn evict(&self, env: &Env, position: f64, length: f64) -> napi::Result<()> {
        self.run(env, |region| {
            region.evict(position as usize, length as usize);
            Ok(())
        })
    }

    /// mincore(2): how many bytes of the pages of a range are in memory; -1 where the system does not tell.
    #[napi]
    pub fn resident_bytes(&self, env: &Env, position: f64, length: f64) -> napi::Result<f64> {
        self.run(env, |region| {
            let page = region.page();
            let from = (region.delta() + position as usize) / page * page;
            let to = (region.delta() + position as usize + length as usize).min(region.map_len());
            let pages = if from < to { os::resident(region.base().wrapping_add(from), to - from) } else { Some(0) };
            Ok(pages.map_or(-1.0, |pages| (pages * os::page_size()) as f64))
        })
    }
}

fn position(found: Option<usize>) -> f64 {
    found.map_or(-1.0, |at| at as f64)
}
