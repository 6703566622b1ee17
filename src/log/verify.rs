//! Reading all segments once, for recovery: several at a time, through plain reads, which need no page tables and cannot fault.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use napi::bindgen_prelude::{AsyncTask, Float64Array, Float64ArraySlice};
use napi::{Env, Task};
use napi_derive::napi;

use super::record::number;
use super::scan::{Met, scan};
use crate::error::{Fail, Outcome};

/// Reading and checking go on at memory speed; more threads only take memory.
const THREADS: usize = 4;

/// One segment to verify.
struct LogSegment {
    path: String,
    /// What the CRC of its records begins with.
    seed: u32,
    /// Where its first record is.
    from: usize,
    /// Where it ends.
    length: usize,
    /// Up to where everything is promised to be there.
    durable: usize,
    /// From where on records are kept.
    start: usize,
}

/// What is in it: how the scan ended, where, the file's length, how many records, how many of them are kept, how many numbers follow, pairs of offset and
/// length of damage.
type Findings = Vec<f64>;

/// Where in [`Findings`].
const ENDED: usize = 0;
const END: usize = 1;
const RECORDS: usize = 3;
const KEPT: usize = 4;
const COUNT: usize = 5;

/// Numbers that come with each path: seed, first record, length, durable, start.
const GIVEN: usize = 5;

/// Reads segments and checks every record; `numbers` and the result are described in `lib/log/findings.ts`. Objects would be ten times the code.
#[napi]
pub fn log_verify_sync(
    env: &Env,
    paths: Vec<String>,
    numbers: Float64ArraySlice<'_>,
) -> napi::Result<Float64Array> {
    verify_all(&segments(paths, &numbers))
        .map(Float64Array::new)
        .map_err(|fail| fail.into_js(env))
}

/// The same on another thread.
#[napi(ts_return_type = "Promise<Float64Array>")]
pub fn log_verify(paths: Vec<String>, numbers: Float64ArraySlice<'_>) -> AsyncTask<VerifyTask> {
    AsyncTask::new(VerifyTask(segments(paths, &numbers)))
}

fn segments(paths: Vec<String>, numbers: &[f64]) -> Vec<LogSegment> {
    paths
        .into_iter()
        .zip(numbers.chunks_exact(GIVEN))
        .map(|(path, numbers)| LogSegment {
            path,
            seed: numbers[0] as u32,
            from: numbers[1] as usize,
            length: numbers[2] as usize,
            durable: numbers[3] as usize,
            start: numbers[4] as usize,
        })
        .collect()
}

/// See [`log_verify`].
pub struct VerifyTask(Vec<LogSegment>);

impl Task for VerifyTask {
    type Output = Outcome<Findings>;
    type JsValue = Float64Array;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(verify_all(&self.0))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        output
            .map(Float64Array::new)
            .map_err(|fail| fail.into_js(&env))
    }
}

fn verify_all(segments: &[LogSegment]) -> Outcome<Findings> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Outcome<Findings>>> =
        Mutex::new(segments.iter().map(|_| Ok(Vec::new())).collect());
    let work = || {
        // One buffer a thread: fresh pages for every segment would cost more than reading it.
        let mut bytes = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(segment) = segments.get(at) else {
                return;
            };
            let found = verify(segment, &mut bytes);
            results.lock().unwrap_or_else(PoisonError::into_inner)[at] = found;
        }
    };
    let threads = std::thread::available_parallelism()
        .map_or(1, std::num::NonZero::get)
        .min(THREADS)
        .min(segments.len());
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // Without threads this one does everything.
            let _ = std::thread::Builder::new()
                .name("memmap-verify".into())
                .spawn_scoped(scope, work);
        }
        work();
    });
    let mut all = Vec::new();
    for found in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
        all.append(&mut found?);
    }
    Ok(all)
}

fn verify(segment: &LogSegment, bytes: &mut Vec<u8>) -> Outcome<Findings> {
    let named = |error: &std::io::Error| Fail::io(error, "read").at(Some(&segment.path));
    bytes.clear();
    let mut file = std::fs::File::open(&segment.path).map_err(|error| named(&error))?;
    std::io::Read::read_to_end(&mut file, bytes).map_err(|error| named(&error))?;
    let mut findings = vec![0.0, 0.0, bytes.len() as f64, 0.0, 0.0, 0.0];
    bytes.truncate(segment.length);
    let (end, ended) = scan(
        bytes,
        segment.seed,
        segment.from,
        segment.durable,
        |at| number(&bytes[at..]),
        |met| {
            match met {
                Met::Record(offset, _) => {
                    findings[RECORDS] += 1.0;
                    if offset >= segment.start {
                        findings[KEPT] += 1.0;
                    }
                }
                Met::Damage(offset, length) => {
                    findings.extend([offset as f64, length as f64]);
                }
            }
            true
        },
    );
    findings[ENDED] = f64::from(ended as u32);
    findings[END] = end as f64;
    findings[COUNT] = (findings.len() - COUNT - 1) as f64;
    Ok(findings)
}
