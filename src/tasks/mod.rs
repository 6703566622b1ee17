//! Work on a thread of libuv's pool, for the twins that return a Promise. One task a file.

pub mod flush;
pub mod open;
pub mod shared;
