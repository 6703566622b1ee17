//! What system calls are told of pages: which they are, and how they are mapped.

/// What a mapping may do with its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Stores never reach the file.
    Read,
    /// Shared with the file.
    Write,
    /// Private: stores are kept, and never reach the file.
    Copy,
}

/// A range of whole pages of memory that stays mapped meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    /// The first one.
    pub base: *mut u8,
    /// In bytes.
    pub length: usize,
}

/// How the pages are mapped, for those that put them there again.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// What the user may do.
    pub access: Access,
    /// `MAP_PRIVATE` (or anonymous) instead of `MAP_SHARED`.
    pub private: bool,
    /// `PROT_WRITE`.
    pub writable: bool,
    /// `PROT_EXEC`.
    pub exec: bool,
    /// The pages are the file's; false for anonymous memory and for a private copy that was read.
    pub mapped: bool,
}
