//! Reading all segments once, for recovery: several at a time, through plain reads, which need no page tables and cannot fault.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;

use super::record::number;
use super::scan::{Ended, Met, scan};
use crate::error::{Fail, Outcome};

/// Reading and checking go on at memory speed; more threads only take memory.
const THREADS: usize = 4;

/// One segment to verify.
#[napi(object)]
pub struct LogSegment {
    /// Its file.
    pub path: String,
    /// What the CRC of its records begins with.
    pub seed: u32,
    /// Where its first record is.
    pub from: f64,
    /// Where it ends.
    pub length: f64,
    /// Up to where everything is promised to be there.
    pub durable: f64,
}

/// What is in it.
#[napi(object)]
#[derive(Default)]
pub struct LogFindings {
    /// 0: at the end of the log, 1: sealed, 2: at something that is no record.
    pub ended: u32,
    /// Where that is.
    pub end: f64,
    /// The file's length.
    pub size: f64,
    /// How many records.
    pub records: f64,
    /// Pairs of offset and length.
    pub damaged: Vec<f64>,
}

/// Reads segments and checks every record.
#[napi]
pub fn log_verify_sync(env: &Env, segments: Vec<LogSegment>) -> napi::Result<Vec<LogFindings>> {
    verify_all(&segments).map_err(|fail| fail.into_js(env))
}

/// The same on another thread.
#[napi(ts_return_type = "Promise<Array<LogFindings>>")]
pub fn log_verify(segments: Vec<LogSegment>) -> AsyncTask<VerifyTask> {
    AsyncTask::new(VerifyTask(segments))
}

/// See [`log_verify`].
pub struct VerifyTask(Vec<LogSegment>);

impl Task for VerifyTask {
    type Output = Outcome<Vec<LogFindings>>;
    type JsValue = Vec<LogFindings>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(verify_all(&self.0))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        output.map_err(|fail| fail.into_js(&env))
    }
}

fn verify_all(segments: &[LogSegment]) -> Outcome<Vec<LogFindings>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<Outcome<LogFindings>>>> =
        Mutex::new(segments.iter().map(|_| None).collect());
    let work = || {
        // One buffer a thread: fresh pages for every segment would cost more than reading it.
        let mut bytes = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(segment) = segments.get(at) else {
                return;
            };
            let found = verify(segment, &mut bytes);
            results.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(found);
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
    results
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .into_iter()
        .map(|found| found.unwrap_or_else(|| Ok(LogFindings::default())))
        .collect()
}

fn verify(segment: &LogSegment, bytes: &mut Vec<u8>) -> Outcome<LogFindings> {
    let path = PathBuf::from(&segment.path);
    let named = |error: &std::io::Error| Fail::io(error, "read").at(Some(&segment.path));
    bytes.clear();
    let mut file = std::fs::File::open(&path).map_err(|error| named(&error))?;
    std::io::Read::read_to_end(&mut file, bytes).map_err(|error| named(&error))?;
    let mut findings = LogFindings {
        size: bytes.len() as f64,
        ..LogFindings::default()
    };
    bytes.truncate(segment.length as usize);
    let (end, ended) = scan(
        bytes,
        segment.seed,
        segment.from as usize,
        segment.durable as usize,
        |at| number(&bytes[at..]),
        |met| {
            match met {
                Met::Record(..) => findings.records += 1.0,
                Met::Damage(offset, length) => {
                    findings.damaged.extend([offset as f64, length as f64]);
                }
            }
            true
        },
    );
    findings.end = end as f64;
    findings.ended = if ended == Ended::Stopped {
        Ended::Torn as u32
    } else {
        ended as u32
    };
    Ok(findings)
}
