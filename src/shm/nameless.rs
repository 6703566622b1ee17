//! Memory that has no name.

use super::{File, Outcome};

/// memfd_create(2), of no size yet.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub fn nameless(_length: u64) -> Outcome<File> {
    super::memfd_create(c"memmap", libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)
}

/// shm_open(3) under a name that nobody else has, which is taken away at once. Of no size yet.
#[cfg(target_vendor = "apple")]
pub fn nameless(_length: u64) -> Outcome<File> {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{SystemTime, UNIX_EPOCH};

    use crate::errno::code;

    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Of at most 31 bytes: PSHMNAMLEN.
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let name = format!(
            "/mm{:x}.{:x}.{:x}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed),
            now.map_or(0, |now| now.subsec_nanos())
        );
        let name = std::ffi::CString::new(name).unwrap_or_default();
        match super::create(&name, 0, 0o600) {
            Err(fail) if fail.errno() == Some(code::EEXIST) => {}
            made => {
                let file = made?;
                super::shm_unlink(&name)?;
                return Ok(file);
            }
        }
    }
}

/// A section: for the threads of this process, as no descriptor of the C library's can stand for it.
#[cfg(windows)]
pub fn nameless(length: u64) -> Outcome<File> {
    crate::os::create_section(None, length.max(1))
}

/// None.
#[cfg(not(any(
    windows,
    target_vendor = "apple",
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd"
)))]
pub fn nameless(_length: u64) -> Outcome<File> {
    super::memfd_create(c"memmap", 0)
}
