//! `memmap/posix`: the calls under their own names. TypeScript has checked the types; what a call may do with its numbers, the kernel says.
//! The one thing that is said here is whose an address is: what this package does not own is EINVAL before the kernel sees it.

mod map;
mod memory;
mod objects;
mod reservation;
mod segments;

use napi::bindgen_prelude::BigInt;

use crate::errno::code;
use crate::error::{Fail, Outcome};

/// A `size_t` or an address. What the machine cannot address is `ENOMEM`, as the kernel says of lengths.
fn word(value: &BigInt, syscall: &'static str) -> Outcome<usize> {
    let (_, value, _) = value.get_u64();
    usize::try_from(value).map_err(|_| Fail::system(code::ENOMEM, syscall))
}
