//! The native core of memmap. Read in this order: `mapping` (what TypeScript calls), `request`, `open`, `region`, `os`, `fault`.

mod bytes;
mod carrier;
mod constants;
mod environment;
mod errno;
mod error;
mod fault;
mod mapping;
mod mapping_carrier;
mod mapping_control;
mod open;
mod os;
mod posix;
mod raw;
mod region;
mod registry;
mod request;
mod reservation;
mod shm;
mod sysconf;
mod sysv;
mod tasks;
