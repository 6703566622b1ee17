//! Memory that processes share: named objects (shm_overview(7), Windows: named sections) and nameless ones (memfd_create(2)) -> Regions.

use std::ffi::CString;
use std::fs::File;
use std::sync::Arc;

use crate::errno::code;
use crate::error::{Fail, Outcome};
use crate::open;
use crate::os::{self, Access, Seal};
use crate::region::Region;
use crate::shm;

/// shm_open(3) with `O_CREAT`, its size set and its memory provided. An existing object must be at least as long.
pub fn create(name: &str, length: u64, mode: u32, exclusive: bool) -> Outcome<Arc<Region>> {
    let object = object_name(name)?;
    let (file, created) = object_of(&object, length, mode, exclusive)?;
    let file = Arc::new(file);
    let result = sized(&file, length, created).and_then(|()| {
        open::region_of_object(&file, Access::Write, Some(length), Some(name.to_owned()))
    });
    if result.is_err() && created {
        let _ = shm::shm_unlink(&object);
    }
    result.map_err(|fail| fail.at(Some(name)))
}

/// Created, or opened. Two who create and unlink can miss each other: then both try again.
fn object_of(object: &CString, length: u64, mode: u32, exclusive: bool) -> Outcome<(File, bool)> {
    for _ in 0..64 {
        match shm::create(object, length, mode) {
            Err(fail) if fail.errno() == Some(code::EEXIST) && !exclusive => {}
            created => return created.map(|file| (file, true)),
        }
        match shm::open(object, true) {
            Err(fail) if fail.errno() == Some(code::ENOENT) => {}
            opened => return opened.map(|file| (file, false)),
        }
    }
    Err(Fail::system(code::EAGAIN, "shm_open").at(object.to_str().ok()))
}

fn sized(file: &File, length: u64, created: bool) -> Outcome<()> {
    let size = os::facts(file)?.size;
    if size >= length {
        return Ok(());
    }
    // Whoever created it may not have come to its size yet: two that agree on the length may both set it.
    if created || size == 0 {
        return open::extend(file, false, size, length).or_else(|fail| {
            // macOS sets the size of an object once: the other one was faster.
            if os::facts(file)?.size >= length {
                Ok(())
            } else {
                Err(fail)
            }
        });
    }
    Err(Fail::system(code::EINVAL, "shm_open").hint("the object is shorter"))
}

/// shm_open(3) of an object that is there.
pub fn open(name: &str, access: Access) -> Outcome<Arc<Region>> {
    let attempt = || {
        let file = Arc::new(shm::open(&object_name(name)?, access == Access::Write)?);
        if os::facts(&file)?.size == 0 {
            return Err(Fail::system(code::EAGAIN, "shm_open")
                .hint("its creator has not given it a size yet"));
        }
        open::region_of_object(&file, access, None, Some(name.to_owned()))
    };
    attempt().map_err(|fail| fail.at(Some(name)))
}

/// Memory without a name, sealed as asked. Seals that forbid writing to everyone make this mapping read-only, too.
pub fn nameless(length: u64, seals: &[Seal]) -> Outcome<Arc<Region>> {
    let file = Arc::new(shm::nameless(length)?);
    if os::facts(&file)?.size < length {
        os::set_length(&file, length)?;
    }
    // Against all writers: only possible while nobody maps it for writing, so before.
    let before = seals.contains(&Seal::Write);
    let access = if before { Access::Read } else { Access::Write };
    if before {
        shm::add_seals(&file, os::seal_bits(seals))?;
    }
    let region = open::region_of_object(&file, access, Some(length), None)?;
    if !before && !seals.is_empty() {
        shm::add_seals(&file, os::seal_bits(seals))?;
    }
    Ok(region)
}

/// Whether this system has memory without a name that a descriptor stands for, so that a child can have it.
pub fn has_nameless() -> bool {
    shm::nameless(1).is_ok_and(|file| os::raw_fd(&file) >= 0)
}

/// Whether such memory can be sealed.
pub fn has_seals() -> bool {
    shm::nameless(1).is_ok_and(|file| shm::seals(&file).is_ok())
}

/// Seals what a Region stands on; with `Write` the Region itself becomes read-only first, as a writable mapping would forbid the seal.
pub fn seal(region: &Region, seals: &[Seal]) -> Outcome<()> {
    let file = region
        .file()
        .ok_or_else(|| Fail::system(code::EINVAL, "fcntl"))?;
    if !seals.contains(&Seal::Write) {
        return shm::add_seals(&file, os::seal_bits(seals));
    }
    region.become_read_only()?;
    shm::add_seals(&file, os::seal_bits(seals)).inspect_err(|_| region.become_writable_again())
}

/// shm_unlink(3).
pub fn unlink(name: &str) -> Outcome<()> {
    shm::shm_unlink(&object_name(name)?).map_err(|fail| fail.at(Some(name)))
}

/// The names of all objects, where the system has a list.
pub fn list() -> Outcome<Vec<String>> {
    shm::list()
}

fn object_name(name: &str) -> Outcome<CString> {
    CString::new(name).map_err(|_| Fail::system(code::EINVAL, "shm_open"))
}
