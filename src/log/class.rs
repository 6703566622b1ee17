//! What `lib/log/` calls on the mapping of a segment.
#![allow(
    clippy::cast_ptr_alignment,
    reason = "records begin at multiples of eight"
)]
#![allow(unsafe_code, reason = "CRCs of mapped bytes, which need a slice")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use napi::Env;
use napi::bindgen_prelude::{Float64ArraySlice, Unknown};
use napi_derive::napi;

use super::pages::expect;
use super::record::{Found, HEAD, SEALED, checksum, find, next, number};
use super::scan::{Met, scan};
use crate::error::{Fail, Outcome};
use crate::function;
use crate::mapping::NativeMapping;
use crate::region::Region;

#[napi]
impl NativeMapping {
    /// A function `(offset)` that finishes the record at `offset`: its CRC goes where its length stands (0xffffffff: the segment's end), and then its
    /// word is there. One number crosses over, and it is not a method, as crossing over would cost more than the CRC.
    #[napi(ts_return_type = "(offset: number) => void")]
    pub fn sealer<'env>(&self, env: &'env Env, seed: u32) -> napi::Result<Unknown<'env>> {
        let region = self.run(env, |region| Ok(Arc::clone(region)))?;
        let sealer = Sealer { region, seed };
        function::make(env, c"seal", move |[offset, ..]| {
            sealer.seal(offset as usize).map(|()| None)
        })
    }

    /// The payload's length of the record at `offset`; -1: the end, -2: sealed, -3: no valid record.
    #[napi]
    pub fn log_find(&self, env: &Env, seed: u32, offset: u32) -> napi::Result<i32> {
        self.run(env, |region| {
            let at = offset as usize;
            if !at.is_multiple_of(8) || at + HEAD > region.len() {
                return Ok(-3);
            }
            Ok(match find(whole(region), seed, at, word(region, at)) {
                Found::Record(length) => length as i32,
                Found::End => -1,
                Found::Sealed => -2,
                Found::Invalid => -3,
            })
        })
    }

    /// Walks over records from `from` on and fills `out`: where to go on, how many pairs follow, then pairs of offset and length (negative: damage).
    /// Returns 0: at the end, 1: sealed, 2: at something that is no record, 3: `out` is full.
    #[napi]
    pub fn log_walk(
        &self,
        env: &Env,
        seed: u32,
        from: u32,
        durable: f64,
        mut out: Float64ArraySlice<'_>,
    ) -> napi::Result<u32> {
        self.run(env, |region| {
            let out = crate::raw::numbers(&mut out);
            let room = out.len().saturating_sub(2) / 2;
            let mut count = 0;
            let (end, ended) = scan(
                whole(region),
                seed,
                from as usize,
                durable as usize,
                |at| word(region, at),
                |met| {
                    let (offset, length) = match met {
                        Met::Record(offset, length) => (offset as f64, length as f64),
                        Met::Damage(offset, length) => (offset as f64, -(length as f64)),
                    };
                    out[2 + 2 * count] = offset;
                    out[3 + 2 * count] = length;
                    count += 1;
                    count < room
                },
            );
            out[0] = end as f64;
            out[1] = count as f64;
            Ok(ended as u32)
        })
    }

    /// Makes everything from `from` on zero and returns how many bytes lay between the first and the last that were not; pages of zeros are left alone.
    #[napi]
    pub fn log_erase(&self, env: &Env, from: f64) -> napi::Result<f64> {
        self.run(env, |region| erase(region, from as usize))
    }
}

fn erase(region: &Region, from: usize) -> Outcome<f64> {
    let mut dirty: Option<(usize, usize)> = None;
    let mut at = from;
    while at < region.len() {
        let end = (at + 1).next_multiple_of(4096).min(region.len());
        if let Some(first) = whole(region)[at..end].iter().position(|byte| *byte != 0) {
            let last = whole(region)[at..end]
                .iter()
                .rposition(|byte| *byte != 0)
                .unwrap_or(first);
            dirty = Some((dirty.map_or(at + first, |(start, _)| start), at + last + 1));
            crate::bytes::fill(region, &[0], at, end)?;
        }
        at = end;
    }
    Ok(dirty.map_or(0.0, |(start, end)| (end - start) as f64))
}

/// The mapped bytes as a slice, for CRCs.
fn whole(region: &Region) -> &[u8] {
    if region.len() == 0 {
        return &[];
    }
    // SAFETY: mapped while `region` is borrowed. The writer may store beyond the last committed record meanwhile, which is not read as anything but bytes:
    // a torn value fails its CRC. This is the one risk that is taken against the rules for references, as search.rs takes it.
    unsafe { std::slice::from_raw_parts(region.start(), region.len()) }
}

/// The word at `offset`, as the writer's `Atomics.store` left it; what was stored before it is visible too.
fn word(region: &Region, offset: usize) -> u32 {
    // SAFETY: `scan` and `find` stay inside the segment, whose records begin at multiples of eight of page-aligned memory.
    unsafe { AtomicU32::from_ptr(region.start().wrapping_add(offset).cast::<u32>()) }
        .load(Ordering::Acquire)
}

/// What the function of [`NativeMapping::sealer`] holds.
struct Sealer {
    region: Arc<Region>,
    seed: u32,
}

impl Sealer {
    fn seal(&self, offset: usize) -> Outcome<()> {
        let record = whole(&self.region).get(offset..).unwrap_or_default();
        let (word, length) = match record.get(4..HEAD).map(number) {
            Some(SEALED) | None => (SEALED, 0),
            Some(length) => (length + 1, length as usize),
        };
        let payload = HEAD
            .checked_add(length)
            .and_then(|end| record.get(HEAD..end));
        let Some(payload) = payload else {
            return Err(Fail::out_of_range("No record there".into()));
        };
        let sum = checksum(self.seed, offset as u32, word, payload);
        let start = self.region.start().wrapping_add(offset).cast::<u32>();
        // SAFETY: inside the segment (checked), whose records begin at multiples of eight of page-aligned memory. Nobody reads the CRC before the
        // word is stored; in one order with the atomic load of the readers' bell that follows in TypeScript.
        unsafe {
            start.add(1).write(sum);
            AtomicU32::from_ptr(start).store(word, Ordering::SeqCst);
        };
        expect(record, next(0, length));
        Ok(())
    }
}
