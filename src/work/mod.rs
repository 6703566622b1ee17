//! What jobs do, one kind a file.

pub mod load;
pub mod search;

/// One slice takes about this long at most: cancelling, closing and the end of an environment wait for no more.
pub const SLICE_TIME: std::time::Duration = std::time::Duration::from_millis(8);
