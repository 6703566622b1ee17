//! The native core of memmap. Read in this order: `mapping` (what TypeScript calls), `request`, `open`, `region`, `os`, `fault`; for long work `native_jobs`, `jobs`, `pool`,
//! `work`, `search`.

mod bytes;
mod carrier;
mod environment;
mod errno;
mod error;
mod fault;
mod jobs;
mod mapping;
mod mapping_search;
mod native_jobs;
mod open;
mod os;
mod pool;
mod raw;
mod region;
mod request;
mod search;
mod tasks;
mod work;
