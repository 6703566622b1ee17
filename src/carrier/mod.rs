//! Region -> the buffer that JavaScript sees; one file for each kind of buffer.

pub mod exports;
pub mod external;
pub mod held;
mod mark;
pub mod overlay;
pub mod shared;
