//! What `memmap/log` needs from the native side. The format is in `docs/formats.md`, the log itself in `lib/log/`.
//!
//! `record` (one record's bytes), `scan` (all records of a segment), `verify` (all segments, for recovery), `class` (what TypeScript calls on a mapping),
//! `maker` (the next segment, ahead of time), `stage` (where it lies), `lock` (one writer).

mod class;
mod lock;
mod maker;
mod pages;
mod record;
mod scan;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod stage;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "no_stage.rs"]
mod stage;
mod verify;
