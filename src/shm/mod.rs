//! `shm_open(3)`, `shm_unlink(3)`, `memfd_create(2)` and file seals (fcntl(2)): shared memory with the face of a file. On Windows: sections.
//!
//! Names arrive here checked (one leading slash, no other, no NUL, not too long): that is TypeScript's part, whose errors name the argument.
//! What a system lacks is `ENOTSUP` under the name of its call.

use std::fs::File;

use crate::error::Outcome;

pub use calls::{create, list, open, shm_open, shm_unlink};
pub use nameless::nameless;
pub use sealed::{add_seals, memfd_create, seals};

/// POSIX shared memory; Android's C library has none, Windows names sections.
#[cfg(all(unix, not(target_os = "android")))]
#[path = "calls_unix.rs"]
mod calls;

#[cfg(windows)]
#[path = "calls_windows.rs"]
mod calls;

#[cfg(not(any(windows, all(unix, not(target_os = "android")))))]
#[path = "no_calls.rs"]
mod calls;

mod nameless;

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[path = "seals.rs"]
mod sealed;

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
#[path = "no_seals.rs"]
mod sealed;

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "in a test the panic is the message")]
mod tests;
