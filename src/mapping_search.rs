//! Searching and evicting: more methods of the class in `mapping`.

use std::sync::Arc;

use memmap_scan::{Found, PIECE};
use napi::bindgen_prelude::{Uint8ArraySlice, Uint32ArraySlice};
use napi::{Env, JsString};
use napi_derive::napi;

use crate::bytes;
use crate::mapping::NativeMapping;
use crate::work::search::Query;

/// `lib/lines.ts`: what stands before the newlines in its array.
const LINES_HEAD: usize = 3;

/// Longer texts are the caller's to make: the engine may refuse them, and has errors of its own for that.
const PLAIN: usize = 1 << 20;

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

    /// Copies a block and finds its lines. Writes: how many bytes were taken, how many newlines are in them, whether there is a `\\r`; then where
    /// the newlines are. The taken bytes end with the last newline, or, `is_last`, with the block. 0: there is no newline.
    ///
    /// Gives their text where that is the bytes one by one (`latin1`, or ASCII); else the caller decodes the block.
    #[napi]
    pub fn line_block<'env>(
        &self,
        env: &'env Env,
        mut block: Uint8ArraySlice<'_>,
        position: f64,
        is_last: bool,
        latin1: bool,
        mut out: Uint32ArraySlice<'_>,
    ) -> napi::Result<Option<JsString<'env>>> {
        let block = crate::raw::bytes(&mut block);
        let (head, ends) = crate::raw::indexes(&mut out).split_at_mut(LINES_HEAD);
        let mut found = Found::default();
        self.run(env, |region| {
            for (index, piece) in block.chunks_mut(PIECE).enumerate() {
                let at = index * PIECE;
                bytes::read(region, &raw mut *piece, position as usize + at)?;
                found.add(piece, at, ends);
                if found.full {
                    break;
                }
            }
            Ok(())
        })?;
        let taken = if is_last && !found.full {
            block.len()
        } else {
            found.end
        };
        head.copy_from_slice(&[
            taken as u32,
            found.newlines as u32,
            u32::from(found.returns),
        ]);
        if taken == 0 || taken > PLAIN || (found.wide && !latin1) {
            return Ok(None);
        }
        env.create_string_latin1(&block[..taken]).map(Some)
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
