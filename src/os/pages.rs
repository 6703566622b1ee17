//! What system calls are told of pages: which they are, and how they are mapped.
#![allow(unsafe_code, reason = "loads from pages that the caller keeps mapped")]

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

impl Pages {
    /// Loads a byte of each page of `page` bytes, which brings it into memory. What is missing is the guard's.
    ///
    /// # Safety
    /// The pages stay mapped, or guarded, meanwhile.
    pub unsafe fn touch(self, page: usize) {
        for at in (0..self.length).step_by(page) {
            // SAFETY: as the caller promises; volatile, as the load is all that is wanted.
            unsafe { self.base.wrapping_add(at).read_volatile() };
        }
    }
}

/// What `evict` may do to the pages of a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Eviction {
    /// Every page is the file's: taking them out of the mapping loses nothing.
    Shared,
    /// Some pages may hold bytes that are nowhere else.
    Private,
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
