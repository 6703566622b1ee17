//! The native core of memmap. Read in this order: `mapping` (what TypeScript calls), `request`, `open`, `region`, `os`, `fault`; for long work
//! `native_jobs`, `jobs`, `pool`, `work`, `search`.

#![cfg_attr(
    test,
    allow(dead_code, reason = "napi-rs registers nothing in a test build")
)]

mod bytes;
mod carrier;
mod constants;
mod environment;
mod errno;
mod error;
mod fault;
mod handles;
mod jobs;
mod mapping;
mod mapping_carrier;
mod mapping_control;
mod mapping_search;
mod mapping_shared;
mod native_jobs;
mod open;
mod os;
mod owners;
mod pool;
mod raw;
mod region;
mod request;
mod search;
mod shared_memory;
mod shm;
#[cfg_attr(not(test), expect(dead_code, reason = "issue 7 calls it by name"))]
mod sysconf;
#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "issue 7 calls it by name")
)]
mod sysv;
mod tasks;
mod weak;
mod work;
