//! Systems without a wait that crosses processes, as far as this package goes: everything answers ENOTSUP.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use super::{End, Word};
use crate::errno::code;
use crate::error::{Fail, Outcome};

/// `isSupported('wait')`
pub fn supported() -> bool {
    false
}

/// Never succeeds.
pub fn wait(_word: Word, _expected: u32, _timeout: Duration) -> Outcome<End> {
    Err(Fail::system(code::ENOTSUP, "wait"))
}

/// Never succeeds.
pub fn wake(_word: Word, _count: u32) -> Outcome<u32> {
    Err(Fail::system(code::ENOTSUP, "notify"))
}

/// Whether a bell ends `wait_with` at once, or only its slice.
pub fn hears_bell() -> bool {
    true
}

/// Never succeeds.
pub fn wait_with(_bell: &AtomicU32, _seen: u32, _word: Word, _expected: u32) -> Outcome<End> {
    Err(Fail::system(code::ENOTSUP, "wait"))
}
