//! The native core of memmap. Read in this order: `mapping` (what TypeScript calls), `request`, `open`, `region`, `os`, `fault`; for long work
//! `native_jobs`, `jobs`, `pool`, `work`, `search`.

#![cfg_attr(
    test,
    allow(dead_code, reason = "napi-rs registers nothing in a test build")
)]

mod bytes;
mod carrier;
mod constants;
mod crc;
mod direct;
mod environment;
mod errno;
mod error;
mod fault;
mod function;
mod futex;
mod handles;
mod jobs;
#[cfg(unix)]
mod limit;
mod log;
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
mod posix;
mod raw;
mod region;
mod registry;
mod request;
mod reservation;
mod search;
mod shared_memory;
mod shm;
#[cfg(unix)]
mod sparse;
mod sysconf;
mod sysv;
mod tasks;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod thread;
mod wait;
mod weak;
mod work;
