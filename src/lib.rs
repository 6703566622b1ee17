//! The native core of memmap. Read in this order: `mapping` (what TypeScript calls), `request`, `open`, `region`, `os`, `fault`.

mod bytes;
mod carrier;
mod constants;
mod environment;
mod errno;
mod error;
mod fault;
mod futex;
mod mapping;
mod mapping_control;
mod open;
mod os;
mod raw;
mod region;
mod request;
mod tasks;
mod wait;
