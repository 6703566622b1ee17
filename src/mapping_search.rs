//! Searching and evicting: more methods of the class in `mapping`.

use std::sync::Arc;

use napi::Env;
use napi_derive::napi;

use crate::mapping::NativeMapping;
use crate::work::search::Query;

#[napi]
impl NativeMapping {
    /// First start of a needle that lies within `from..end`, or -1.
    #[napi]
    pub fn index_of(&self, env: &Env, needle: &[u8], from: f64, end: f64) -> napi::Result<f64> {
        self.run(env, |region| {
            Query::new(Arc::clone(region), needle, from as usize, end as usize)
                .first()
                .map(position)
        })
    }

    /// Last start of a needle before `before`, within `from..end`, or -1.
    #[napi]
    pub fn last_index_of(
        &self,
        env: &Env,
        needle: &[u8],
        from: f64,
        end: f64,
        before: f64,
    ) -> napi::Result<f64> {
        self.run(env, |region| {
            Query::new(Arc::clone(region), needle, from as usize, end as usize)
                .last(before as usize)
                .map(position)
        })
    }

    /// How many needles lie within `from..end`, without overlap, left to right.
    #[napi]
    pub fn count(&self, env: &Env, needle: &[u8], from: f64, end: f64) -> napi::Result<f64> {
        self.run(env, |region| {
            Query::new(Arc::clone(region), needle, from as usize, end as usize)
                .count()
                .map(|count| count as f64)
        })
    }

    /// madvise(2), `posix_fadvise(2)`: takes a range out of memory and loses no change.
    #[napi]
    pub fn evict(&self, env: &Env, position: f64, length: f64) -> napi::Result<()> {
        self.run(env, |region| {
            region.evict(position as usize, length as usize);
            Ok(())
        })
    }
}

fn position(found: Option<usize>) -> f64 {
    found.map_or(-1.0, |at| at as f64)
}
