//! The guard of systems that have none: nothing can be registered, so nothing below the first three
//! items is ever reached.

use std::{convert::Infallible, fs::File, io};

use super::{Event, Fault, Range};

/// Nobody looks at files.
pub type RawFile = i32;

/// None.
pub fn raw_file(_file: Option<&File>) -> RawFile {
    -1
}

/// There is no guard to lose.
pub fn is_lost() -> bool {
    false
}

/// Nothing to install, nothing to warn of.
pub fn ensure() -> bool {
    true
}

/// Nobody looks.
pub fn announce() {}

/// Always `None`.
///
/// # Safety
/// None here; `unsafe` because it is elsewhere.
#[allow(unsafe_code, reason = "same signature as where there is a guard")]
pub unsafe fn register(_range: Range, _mapping_id: u64) -> Option<Slot> {
    None
}

/// Always `None`.
///
/// # Safety
/// None here; `unsafe` because it is elsewhere.
#[allow(unsafe_code, reason = "same signature as where there is a guard")]
pub unsafe fn register_part(_range: Range, _mapping_id: u64, _shift: usize) -> Option<Slot> {
    None
}

/// Nothing will ever be reported.
///
/// # Safety
/// None here; `unsafe` because it is elsewhere.
#[allow(unsafe_code, reason = "same signature as where there is a guard")]
pub unsafe fn subscribe(_epoch: *mut i32, _wake: Box<dyn Fn() + Send>) -> Subscription {
    Subscription
}

/// Of a JavaScript environment that will hear nothing.
pub struct Subscription;

impl Subscription {
    #[allow(
        clippy::unused_self,
        reason = "same signature as where there is a guard"
    )]
    pub fn take_events(&self) -> Vec<Event> {
        Vec::new()
    }
}

/// Cannot exist.
pub struct Slot(Infallible);

/// Cannot exist.
pub struct Edit(Infallible);

impl Slot {
    pub fn fault(&self) -> Option<Fault> {
        match self.0 {}
    }
    pub fn count(&self) -> u32 {
        match self.0 {}
    }
    pub fn locked<R>(&self, _change: impl FnOnce(&mut Edit) -> R) -> R {
        match self.0 {}
    }
    pub fn retire<R>(&self, _replace: impl FnOnce() -> R) -> R {
        match self.0 {}
    }
    pub fn clear(&self, _remap: impl FnMut(usize, usize) -> io::Result<()>) -> io::Result<()> {
        match self.0 {}
    }
    pub fn release<R>(self, _unmap: impl FnOnce() -> R) -> R {
        match self.0 {}
    }
    pub fn leave<R>(self, _replace: impl FnOnce() -> R) -> R {
        match self.0 {}
    }
}

impl Edit {
    pub fn count(&self) -> u32 {
        match self.0 {}
    }
    pub fn range(&self) -> Range {
        match self.0 {}
    }
    pub fn set_range(&mut self, _range: Range) {
        match self.0 {}
    }
    pub fn remapped(&mut self, _offset: usize, _len: usize) -> io::Result<()> {
        match self.0 {}
    }
}
