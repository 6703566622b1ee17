//! What the facade sends, as checked Rust types. The bits are those of `lib/flags.ts`.

use crate::os::Access;
use std::path::PathBuf;

use napi::bindgen_prelude::{Buffer, Either3};

const WRITE: u32 = 1;
const COPY: u32 = 2;
const CREATE: u32 = 4;
const EXCLUSIVE: u32 = 8;
const SPARSE: u32 = 16;
const EXEC: u32 = 32;
const POPULATE: u32 = 64;
/// `MAP_NORESERVE`.
pub const NO_RESERVE: u32 = 128;
const LOCK: u32 = 256;
/// Huge pages.
pub const HUGE: u32 = 512;
const UNSAFE_COPY: u32 = 2048;
const UNSAFE_THROW: u32 = 4096;
const PRIVATE_READ: u32 = 8192;

/// What is to be mapped.
#[derive(Clone, Debug)]
pub enum Target {
    /// A path.
    Path(PathBuf),
    /// Somebody's descriptor, to be duplicated.
    Fd(i32),
}

/// What to do with a file that can vanish under a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IfUnsafe {
    /// Map it all the same.
    Map,
    /// Read it into private memory.
    Copy,
    /// Refuse.
    Throw,
}

/// How it is to be mapped.
#[derive(Clone, Debug)]
pub struct Request {
    /// What to map.
    pub target: Target,
    /// What the user may do.
    pub access: Access,
    /// File offset of the first byte.
    pub offset: u64,
    /// Absent: to the end of the file.
    pub length: Option<u64>,
    /// `Some(mode)`: create the file when it is not there.
    pub create: Option<u32>,
    /// It must not be there.
    pub exclusive: bool,
    /// Extend without allocating.
    pub sparse: bool,
    /// `'read'` as `MAP_PRIVATE`, which the engine may make writable behind our back.
    pub private_read: bool,
    /// `PROT_EXEC`.
    pub exec: bool,
    /// Fault the pages in at once.
    pub populate: bool,
    /// `MAP_NORESERVE`.
    pub no_reserve: bool,
    /// mlock(2).
    pub lock: bool,
    /// Insist on huge pages.
    pub huge: bool,
    /// Bytes of address space to reserve.
    pub capacity: Option<u64>,
    /// The most that a private copy may have, in bytes: what the engine can address at once.
    pub longest_copy: u64,
    /// What to do on a network, FUSE or removable file system.
    pub if_unsafe: IfUnsafe,
}

impl Request {
    /// The numbers are safe integers: TypeScript has seen to it.
    pub fn new(
        target: Either3<String, Buffer, i32>,
        flags: u32,
        offset: f64,
        length: f64,
        mode: u32,
        capacity: f64,
    ) -> Self {
        Self {
            target: match target {
                Either3::A(text) => Target::Path(text.into()),
                Either3::B(bytes) => Target::Path(path_of(&bytes)),
                Either3::C(fd) => Target::Fd(fd),
            },
            access: if flags & WRITE != 0 {
                Access::Write
            } else if flags & COPY != 0 {
                Access::Copy
            } else {
                Access::Read
            },
            offset: offset as u64,
            length: (length >= 0.0).then_some(length as u64),
            create: (flags & (CREATE | EXCLUSIVE) != 0).then_some(mode),
            exclusive: flags & EXCLUSIVE != 0,
            sparse: flags & SPARSE != 0,
            private_read: flags & PRIVATE_READ != 0,
            exec: flags & EXEC != 0,
            populate: flags & POPULATE != 0,
            no_reserve: flags & NO_RESERVE != 0,
            lock: flags & LOCK != 0,
            huge: flags & HUGE != 0,
            capacity: (capacity > 0.0 && flags & UNSAFE_COPY == 0).then_some(capacity as u64),
            longest_copy: capacity as u64,
            if_unsafe: if flags & UNSAFE_COPY != 0 {
                IfUnsafe::Copy
            } else if flags & UNSAFE_THROW != 0 {
                IfUnsafe::Throw
            } else {
                IfUnsafe::Map
            },
        }
    }

    /// A whole file by its descriptor.
    pub fn of_descriptor(fd: i32, access: Access) -> Self {
        Self {
            target: Target::Fd(fd),
            access,
            offset: 0,
            length: None,
            create: None,
            exclusive: false,
            sparse: false,
            private_read: false,
            exec: false,
            populate: false,
            no_reserve: false,
            lock: false,
            huge: false,
            capacity: None,
            longest_copy: 0,
            if_unsafe: IfUnsafe::Map,
        }
    }

    /// The path for messages; invalid UTF-8 is shown with replacement characters.
    pub fn path(&self) -> Option<String> {
        match &self.target {
            Target::Path(path) => Some(path.to_string_lossy().into_owned()),
            Target::Fd(_) => None,
        }
    }
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}
