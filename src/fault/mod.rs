pub enum Backing { Shared, Private, Anonymous }
pub struct Range { pub base: usize, pub len: usize, pub page: usize, pub fd: i32, pub file_offset: u64, pub backing: Backing }
pub fn enabled() -> bool { false }
pub fn ensure() -> bool { true }
#[derive(Clone, Copy)] pub enum Kind { Truncated = 1 }
impl Kind { pub fn blocks(self) -> bool { true } pub fn name(self) -> &'static str { "truncated" } }
#[derive(Clone, Copy)] pub struct Fault { pub kind: Kind, pub offset: usize }
pub struct Slot;
pub struct Edit;
impl Edit { pub fn count(&self) -> u32 { 0 } }
impl Slot {
 pub fn fault(&self) -> Option<Fault> { None } pub fn count(&self) -> u32 { 0 }
 pub fn locked<R>(&self, f: impl FnOnce(&mut Edit) -> R) -> R { f(&mut Edit) }
 pub fn retire(&self, replace: impl FnOnce()) { replace() }
 pub fn clear(&self, _r: impl FnMut(usize, usize)) {}
 pub fn release(self, unmap: impl FnOnce()) { unmap() }
}
pub fn register(_r: Range, _id: u64) -> Option<Slot> { None }
pub struct Subscription;
pub fn subscribe(_e: *mut i32, _w: Box<dyn Fn() + Send>) -> Subscription { Subscription }
pub fn raw_fd(f: &std::fs::File) -> i32 { use std::os::fd::AsRawFd; f.as_raw_fd() }
