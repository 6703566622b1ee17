//! mmap(2), msync(2), madvise(2), `mremap(2)`, `memfd_create(2)`, `shmget(2)`, fcntl(2): the numbers of this target's headers.
//!
//! One function a family; in it one `offer!` a set of systems. The numbers come from the `libc` crate; where it lacks one
//! that the system has, the number stands here with the header it was read in. A name that is absent from the table is
//! "not offered by <platform>" in `lib/posix.ts`, whose list of names is the union of these. On Windows all are absent.
//! `__test__/constants.spec.ts` compares every one with the C headers of the machine.

use napi::Env;
use napi::bindgen_prelude::{JsObjectValue, Object};
use napi_derive::napi;

type Table = Vec<(&'static str, f64)>;

/// The constants of `memmap/posix` that this system has, by name.
#[napi(ts_return_type = "Record<string, number>")]
pub fn constants(env: &Env) -> napi::Result<Object<'_>> {
    let mut all = Object::new(env)?;
    for (name, value) in table() {
        all.set_named_property(name, value)?;
    }
    Ok(all)
}

#[cfg(not(unix))]
fn table() -> Table {
    Table::new()
}

#[cfg(unix)]
fn table() -> Table {
    let mut out = Table::with_capacity(256);
    families::protection(&mut out);
    families::map_flags(&mut out);
    families::huge_page_sizes(&mut out);
    families::sync(&mut out);
    families::advice(&mut out);
    families::locking(&mut out);
    families::remap_and_residency(&mut out);
    families::memfd(&mut out);
    families::sysv(&mut out);
    families::files(&mut out);
    families::sysconf(&mut out);
    out
}

#[cfg(unix)]
mod families {
    use super::Table;

    /// `offer!(out: A, B)` takes `libc::A` and `libc::B`; `offer!(out: A = 1)` is for what the libc crate lacks.
    macro_rules! offer {
        ($out:ident: $($name:ident),+ $(,)?) => {
            $out.extend([$((stringify!($name), f64::from(libc::$name))),+])
        };
        ($out:ident: $($name:ident = $value:expr),+ $(,)?) => {
            $out.extend([$((stringify!($name), f64::from($value))),+])
        };
    }

    pub fn protection(out: &mut Table) {
        offer!(out: PROT_NONE, PROT_READ, PROT_WRITE, PROT_EXEC);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            offer!(out: PROT_GROWSDOWN, PROT_GROWSUP);
            offer!(out: PROT_SEM = 0x8); // asm-generic/mman-common.h
        }
        #[cfg(all(
            target_arch = "aarch64",
            any(target_os = "linux", target_os = "android")
        ))]
        offer!(out: PROT_BTI = 0x10, PROT_MTE = 0x20); // arch/arm64 asm/mman.h; the libc crate has them for glibc only
    }

    pub fn map_flags(out: &mut Table) {
        offer!(out: MAP_FILE, MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MAP_ANON);

        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            offer!(out: MAP_TYPE, MAP_DENYWRITE, MAP_EXECUTABLE, MAP_GROWSDOWN, MAP_LOCKED, MAP_NORESERVE, MAP_POPULATE);
            offer!(out: MAP_NONBLOCK, MAP_STACK, MAP_HUGETLB);
            offer!(out: MAP_UNINITIALIZED = 0x400_0000); // asm-generic/mman-common.h
        }
        #[cfg(target_os = "linux")]
        offer!(out: MAP_SHARED_VALIDATE, MAP_FIXED_NOREPLACE, MAP_SYNC, MAP_DROPPABLE);
        #[cfg(target_os = "android")]
        {
            offer!(out: MAP_SHARED_VALIDATE = 0x3, MAP_DROPPABLE = 0x8); // linux/mman.h
            offer!(out: MAP_FIXED_NOREPLACE = 0x10_0000, MAP_SYNC = 0x8_0000); // asm-generic/mman-common.h
        }
        #[cfg(all(
            any(target_os = "linux", target_os = "android"),
            any(target_arch = "x86_64", target_arch = "x86")
        ))]
        offer!(out: MAP_32BIT = 0x40); // arch/x86 asm/mman.h; the libc crate has it for some x86 libcs only

        #[cfg(target_os = "macos")]
        {
            offer!(out: MAP_COPY, MAP_RENAME, MAP_NORESERVE, MAP_NOEXTEND, MAP_HASSEMAPHORE, MAP_NOCACHE, MAP_JIT);
            // xnu bsd/sys/mman.h
            offer!(out: MAP_RESILIENT_CODESIGN = 0x2000, MAP_RESILIENT_MEDIA = 0x4000, MAP_32BIT = 0x8000);
            offer!(out: MAP_TRANSLATED_ALLOW_EXECUTE = 0x2_0000, MAP_UNIX03 = 0x4_0000, MAP_TPRO = 0x8_0000);
        }
        #[cfg(target_os = "freebsd")]
        {
            offer!(out: MAP_COPY, MAP_HASSEMAPHORE, MAP_STACK, MAP_NOSYNC, MAP_GUARD, MAP_EXCL, MAP_NOCORE);
            offer!(out: MAP_PREFAULT_READ, MAP_32BIT, MAP_ALIGNMENT_SHIFT, MAP_ALIGNED_SUPER);
        }
    }

    /// linux/mman.h, linux/memfd.h and linux/shm.h encode the sizes alike (asm-generic/hugetlb_encode.h); the `MFD_` names
    /// are those that the libc crate has on every libc, and as unsigned as the headers have them.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn huge_page_sizes(out: &mut Table) {
        macro_rules! sizes {
            ($prefix:literal) => {
                out.extend(
                    [
                        (concat!($prefix, "SHIFT"), libc::MFD_HUGE_SHIFT),
                        (concat!($prefix, "MASK"), libc::MFD_HUGE_MASK),
                        (concat!($prefix, "64KB"), libc::MFD_HUGE_64KB),
                        (concat!($prefix, "512KB"), libc::MFD_HUGE_512KB),
                        (concat!($prefix, "1MB"), libc::MFD_HUGE_1MB),
                        (concat!($prefix, "2MB"), libc::MFD_HUGE_2MB),
                        (concat!($prefix, "8MB"), libc::MFD_HUGE_8MB),
                        (concat!($prefix, "16MB"), libc::MFD_HUGE_16MB),
                        (concat!($prefix, "32MB"), libc::MFD_HUGE_32MB),
                        (concat!($prefix, "256MB"), libc::MFD_HUGE_256MB),
                        (concat!($prefix, "512MB"), libc::MFD_HUGE_512MB),
                        (concat!($prefix, "1GB"), libc::MFD_HUGE_1GB),
                        (concat!($prefix, "2GB"), libc::MFD_HUGE_2GB),
                        (concat!($prefix, "16GB"), libc::MFD_HUGE_16GB),
                    ]
                    .map(|(name, value)| (name, f64::from(value))),
                )
            };
        }
        sizes!("MAP_HUGE_");
        sizes!("MFD_HUGE_");
        #[cfg(target_os = "linux")]
        sizes!("SHM_HUGE_");
        offer!(out: MAP_HUGE_16KB = 14 << libc::MFD_HUGE_SHIFT); // linux/mman.h
    }

    #[cfg(target_os = "freebsd")]
    pub fn huge_page_sizes(out: &mut Table) {
        offer!(out: MFD_HUGE_MASK, MFD_HUGE_64KB, MFD_HUGE_512KB, MFD_HUGE_1MB, MFD_HUGE_2MB, MFD_HUGE_8MB, MFD_HUGE_16MB);
        offer!(out: MFD_HUGE_32MB, MFD_HUGE_256MB, MFD_HUGE_512MB, MFD_HUGE_1GB, MFD_HUGE_2GB, MFD_HUGE_16GB);
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    pub fn huge_page_sizes(_: &mut Table) {}

    pub fn sync(out: &mut Table) {
        offer!(out: MS_ASYNC, MS_SYNC, MS_INVALIDATE);
        #[cfg(target_os = "macos")]
        offer!(out: MS_KILLPAGES, MS_DEACTIVATE);
    }

    pub fn advice(out: &mut Table) {
        offer!(out: MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE);

        #[cfg(not(target_os = "android"))]
        offer!(
            out: POSIX_MADV_NORMAL, POSIX_MADV_RANDOM, POSIX_MADV_SEQUENTIAL, POSIX_MADV_WILLNEED, POSIX_MADV_DONTNEED
        );
        #[cfg(target_os = "android")] // bionic sys/mman.h defines them so
        offer!(
            out: POSIX_MADV_NORMAL = libc::MADV_NORMAL, POSIX_MADV_RANDOM = libc::MADV_RANDOM,
            POSIX_MADV_SEQUENTIAL = libc::MADV_SEQUENTIAL, POSIX_MADV_WILLNEED = libc::MADV_WILLNEED,
            POSIX_MADV_DONTNEED = libc::MADV_DONTNEED
        );

        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            offer!(out: MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_HWPOISON, MADV_SOFT_OFFLINE, MADV_MERGEABLE);
            offer!(out: MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP);
            offer!(out: MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT);
            offer!(out: MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_DONTNEED_LOCKED);
            // asm-generic/mman-common.h; the libc crate has the first for glibc only, the others not yet
            offer!(out: MADV_COLLAPSE = 25, MADV_GUARD_INSTALL = 102, MADV_GUARD_REMOVE = 103);
        }
        #[cfg(target_os = "macos")]
        {
            offer!(out: MADV_ZERO_WIRED_PAGES, MADV_FREE_REUSABLE, MADV_FREE_REUSE, MADV_CAN_REUSE, MADV_ZERO);
            offer!(out: MADV_PAGEOUT = 10); // xnu bsd/sys/mman.h
        }
        #[cfg(target_os = "freebsd")]
        offer!(out: MADV_NOSYNC, MADV_AUTOSYNC, MADV_NOCORE, MADV_CORE, MADV_PROTECT);
    }

    pub fn locking(out: &mut Table) {
        offer!(out: MCL_CURRENT, MCL_FUTURE);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        offer!(out: MCL_ONFAULT, MLOCK_ONFAULT);
    }

    pub fn remap_and_residency(out: &mut Table) {
        #[cfg(target_os = "linux")]
        offer!(out: MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP);
        #[cfg(target_os = "android")]
        offer!(out: MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4); // linux/mman.h

        // Linux gives one bit and no name for it.
        #[cfg(any(target_os = "macos", target_os = "freebsd"))]
        {
            offer!(out: MINCORE_INCORE, MINCORE_REFERENCED, MINCORE_MODIFIED);
            offer!(out: MINCORE_REFERENCED_OTHER, MINCORE_MODIFIED_OTHER);
        }
        #[cfg(target_os = "macos")] // xnu bsd/sys/mman.h
        offer!(out: MINCORE_PAGED_OUT = 0x20, MINCORE_COPIED = 0x40, MINCORE_ANONYMOUS = 0x80);
        #[cfg(target_os = "freebsd")]
        offer!(out: MINCORE_SUPER);
    }

    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    pub fn memfd(out: &mut Table) {
        offer!(out: MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB);
        offer!(out: F_ADD_SEALS, F_GET_SEALS, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        offer!(out: MFD_NOEXEC_SEAL, MFD_EXEC, F_SEAL_FUTURE_WRITE, F_SEAL_EXEC);
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    pub fn memfd(_: &mut Table) {}

    /// Not on Android, whose headers have them, but which kills a process that calls shmget.
    #[cfg(not(target_os = "android"))]
    pub fn sysv(out: &mut Table) {
        offer!(out: IPC_PRIVATE = 0); // `(key_t) 0` everywhere; the libc crate gives FreeBSD's as an i64
        offer!(out: IPC_CREAT, IPC_EXCL, IPC_NOWAIT, IPC_RMID, IPC_SET, IPC_STAT);
        offer!(out: SHM_R, SHM_W, SHM_RDONLY, SHM_RND);
        #[cfg(any(target_os = "linux", target_os = "freebsd"))]
        offer!(out: IPC_INFO, SHM_LOCK, SHM_UNLOCK);
        #[cfg(target_os = "linux")]
        {
            offer!(out: SHM_REMAP, SHM_EXEC, SHM_HUGETLB, SHM_NORESERVE);
            // linux/shm.h
            offer!(out: SHM_STAT = 13, SHM_INFO = 14, SHM_STAT_ANY = 15, SHM_DEST = 0o1000, SHM_LOCKED = 0o2000);
        }
        #[cfg(target_os = "freebsd")]
        offer!(out: SHM_STAT, SHM_INFO);
    }

    #[cfg(target_os = "android")]
    pub fn sysv(_: &mut Table) {}

    /// What a caller of `shm_open` and mmap needs: how to open, and the bits of a mode.
    pub fn files(out: &mut Table) {
        offer!(out: O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_CLOEXEC, O_NOFOLLOW, O_NONBLOCK);
        offer!(out: S_IRWXU, S_IRUSR, S_IWUSR, S_IXUSR, S_IRWXG, S_IRGRP, S_IWGRP, S_IXGRP);
        offer!(out: S_IRWXO, S_IROTH, S_IWOTH, S_IXOTH);
    }

    pub fn sysconf(out: &mut Table) {
        offer!(out: _SC_PAGESIZE, _SC_PAGE_SIZE, _SC_PHYS_PAGES, _SC_NPROCESSORS_CONF, _SC_NPROCESSORS_ONLN);
        offer!(out: _SC_OPEN_MAX, _SC_IOV_MAX, _SC_CLK_TCK, _SC_VERSION);
        offer!(out: _SC_MAPPED_FILES, _SC_MEMLOCK, _SC_MEMLOCK_RANGE, _SC_MEMORY_PROTECTION, _SC_SYNCHRONIZED_IO);
        offer!(out: _SC_SHARED_MEMORY_OBJECTS, _SC_TYPED_MEMORY_OBJECTS, _SC_ADVISORY_INFO, _SC_FSYNC);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        offer!(out: _SC_AVPHYS_PAGES);
        #[cfg(any(all(target_os = "linux", target_env = "gnu"), target_os = "android"))]
        // musl has no cache sizes
        {
            offer!(out: _SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL1_DCACHE_LINESIZE);
            offer!(out: _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_in_the_table_twice() {
        let mut names: Vec<_> = table().into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn every_number_is_one_that_a_c_int_or_unsigned_can_hold() {
        for (name, value) in table() {
            assert!(
                value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value),
                "{name} is {value}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_numbers_are_those_that_mmap_itself_takes() {
        let all = table();
        for (name, value) in [
            ("PROT_READ", libc::PROT_READ),
            ("MAP_SHARED", libc::MAP_SHARED),
            ("MS_SYNC", libc::MS_SYNC),
            ("O_CREAT", libc::O_CREAT),
        ] {
            assert!(all.contains(&(name, f64::from(value))), "{name}");
        }
    }

    #[cfg(windows)]
    #[test]
    fn windows_offers_none() {
        assert!(table().is_empty());
    }
}
