//! Every kind of fault, what is reported, and what the pages hold afterwards.

use super::{super::*, *};

fn fault(mapped: &Mapped) -> (Kind, usize) {
    let fault = mapped.slot().fault().unwrap();
    (fault.kind, fault.offset)
}

#[test]
fn a_truncated_file_reads_zeros_from_its_end_on() {
    let mapped = Mapped::filled(16, WRITE, libc::MAP_SHARED);
    assert_eq!(mapped.slot().fault(), None);
    mapped.truncate(PAGE + 10);
    assert_eq!(mapped.read(10 * PAGE + 5), 0);
    assert_eq!(fault(&mapped), (Kind::Truncated, 10 * PAGE + 5));
    for page in (2..16).rev() {
        assert_eq!(mapped.read(page * PAGE), 0);
        mapped.store(page * PAGE, 7);
        assert_eq!(mapped.read(page * PAGE), 7);
    }
    assert_eq!(mapped.slot().count(), 1, "the tail is replaced at once");
    assert_eq!(
        (
            mapped.read(5),
            mapped.read(PAGE + 9),
            mapped.read(PAGE + 10)
        ),
        (mark(0), mark(1), 0)
    );
    assert_eq!(
        mapped.file.as_ref().unwrap().metadata().unwrap().len(),
        (PAGE + 10) as u64
    );
}

#[test]
fn clearing_maps_the_file_there_again() {
    let mapped = Mapped::filled(16, WRITE, libc::MAP_SHARED);
    mapped.truncate(4 * PAGE);
    assert_eq!(mapped.read(8 * PAGE), 0);
    mapped.truncate(2 * PAGE);
    assert_eq!(mapped.read(3 * PAGE), 0);
    assert_eq!(mapped.slot().count(), 2);
    assert_eq!(fault(&mapped), (Kind::Truncated, 8 * PAGE));
    mapped.store(8 * PAGE, 9);
    mapped.truncate(16 * PAGE);
    assert_eq!(mapped.clear(), [(2, 14)]);
    assert_eq!((mapped.slot().fault(), mapped.slot().count()), (None, 0));
    mapped.store(8 * PAGE + 1, 5);
    assert_eq!((mapped.read(8 * PAGE), mapped.read(8 * PAGE + 1)), (0, 5));
    assert_eq!(mapped.slot().fault(), None);
    // And again.
    mapped.truncate(0);
    assert_eq!(mapped.read(0), 0);
    assert_eq!(fault(&mapped), (Kind::Truncated, 0));
    assert_eq!(mapped.clear(), [(0, 16)]);
}

#[test]
fn a_private_mapping_of_a_truncated_file_lives_too() {
    let mapped = Mapped::filled(8, WRITE, libc::MAP_PRIVATE);
    mapped.store(6 * PAGE, 99);
    mapped.store(0, 98);
    mapped.truncate(PAGE);
    assert_eq!(mapped.read(6 * PAGE), 0);
    assert_eq!(mapped.read(0), 98);
    assert_eq!(fault(&mapped), (Kind::Truncated, 6 * PAGE));
    assert_eq!(mapped.clear(), [(1, 7)]);
}

#[test]
fn stores_to_a_read_mapping_go_to_private_copies_page_by_page() {
    let mapped = Mapped::filled(256, READ, libc::MAP_SHARED);
    for page in 0..256 {
        mapped.store(page * PAGE + 1, 200);
        assert_eq!(mapped.slot().count() as usize, page + 1, "a fault a page");
        mapped.store(page * PAGE + 2, 201);
        assert_eq!(
            [
                mapped.read(page * PAGE),
                mapped.read(page * PAGE + 1),
                mapped.read(page * PAGE + 2)
            ],
            [mark(page), 200, 201]
        );
    }
    assert_eq!(mapped.slot().count(), 256);
    assert_eq!(fault(&mapped), (Kind::Protected, 1));
    assert_intact(mapped.file.as_ref().unwrap(), 256);
    assert_eq!(mapped.clear(), [(0, 256)]);
    assert_eq!(mapped.read(PAGE + 1), mark(1));
}

#[test]
fn other_pages_of_a_read_mapping_go_on_showing_the_file() {
    use std::os::unix::fs::FileExt;
    let mapped = Mapped::filled(8, READ, libc::MAP_SHARED);
    mapped.store(3 * PAGE, 1);
    mapped
        .file
        .as_ref()
        .unwrap()
        .write_at(&[77], 2 * PAGE as u64)
        .unwrap();
    mapped
        .file
        .as_ref()
        .unwrap()
        .write_at(&[77], 3 * PAGE as u64)
        .unwrap();
    assert_eq!((mapped.read(2 * PAGE), mapped.read(3 * PAGE)), (77, 1));
    // A later truncation reaches the copied page, too, and goes before the earlier fault, which
    // lost nothing.
    mapped.truncate(PAGE);
    assert_eq!(mapped.read(3 * PAGE), 0);
    assert_eq!(fault(&mapped), (Kind::Truncated, 3 * PAGE));
}

#[test]
fn a_page_protected_after_opening_is_copied_and_clearing_gives_the_protection_back() {
    let mapped = Mapped::filled(8, WRITE, libc::MAP_SHARED);
    for protection in [READ, libc::PROT_NONE] {
        mapped.slot().locked(|edit| {
            mprotect(mapped.base + 4 * PAGE, PAGE, protection);
            edit.set_range(Range {
                writable: false,
                ..edit.range()
            });
        });
        if protection == libc::PROT_NONE {
            assert_eq!(
                mapped.read(4 * PAGE),
                mark(4),
                "a load from a PROT_NONE page"
            );
        } else {
            mapped.store(4 * PAGE + 1, 1);
        }
        assert_eq!(
            (fault(&mapped).0, mapped.slot().count()),
            (Kind::Protected, 1)
        );
        assert_eq!(mapped.clear(), [(4, 1)]);
    }
    assert_intact(mapped.file.as_ref().unwrap(), 8);
    mapped.store(4 * PAGE, 55);
    assert_eq!(
        mapped.slot().count(),
        0,
        "the file's own page again, as `clear` mapped it"
    );
}

#[test]
fn protected_private_and_anonymous_pages_keep_what_was_written_to_them() {
    let file = Mapped::filled(8, WRITE, libc::MAP_PRIVATE);
    let base = mmap(
        0,
        8 * PAGE,
        WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        -1,
        0,
    );
    let memory = Mapped::guard(
        base,
        8 * PAGE,
        PAGE,
        None,
        WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    for mapped in [file, memory] {
        mapped.store(3 * PAGE, 42);
        mapped
            .slot()
            .locked(|_| mprotect(mapped.base, mapped.len, READ));
        mapped.store(3 * PAGE + 1, 43);
        assert_eq!((mapped.read(3 * PAGE), mapped.read(3 * PAGE + 1)), (42, 43));
        assert_eq!(fault(&mapped), (Kind::Protected, 3 * PAGE + 1));
        assert_eq!(mapped.clear(), [], "there is nothing to map again");
        assert_eq!(mapped.read(3 * PAGE), 42);
    }
}

#[test]
fn a_grown_mapping_remembers_its_first_run_of_zeros() {
    let file = filled_file(16);
    let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
    let base = mmap(
        0,
        16 * PAGE,
        libc::PROT_NONE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        -1,
        0,
    );
    mmap(
        base,
        8 * PAGE,
        WRITE,
        libc::MAP_SHARED | libc::MAP_FIXED,
        fd,
        0,
    );
    let mut mapped = Mapped::guard(base, 8 * PAGE, PAGE, Some(file), WRITE, libc::MAP_SHARED);
    mapped.truncate(4 * PAGE);
    assert_eq!(mapped.read(6 * PAGE), 0);
    mapped.store(6 * PAGE, 3);
    mapped.truncate(16 * PAGE);
    mapped.slot().locked(|edit| {
        mmap(
            base + 8 * PAGE,
            8 * PAGE,
            WRITE,
            libc::MAP_SHARED | libc::MAP_FIXED,
            fd,
            8 * PAGE,
        );
        edit.set_range(Range {
            len: 16 * PAGE,
            ..edit.range()
        });
    });
    mapped.len = 16 * PAGE;
    mapped.store(9 * PAGE, 1);
    mapped.truncate(12 * PAGE);
    assert_eq!(mapped.read(15 * PAGE), 0);
    assert_eq!((mapped.read(6 * PAGE), mapped.read(9 * PAGE)), (3, 1));
    assert_eq!(mapped.clear(), [(4, 4), (12, 4)]);
    // Shrinking forgets what is past the end.
    assert_eq!(mapped.read(13 * PAGE), 0);
    mapped.slot().locked(|edit| {
        munmap(base + 8 * PAGE, 8 * PAGE);
        edit.set_range(Range {
            len: 8 * PAGE,
            ..edit.range()
        });
    });
    mapped.len = 8 * PAGE;
    assert_eq!(mapped.clear(), []);
}

#[test]
fn what_the_caller_maps_again_counts_as_the_files_own() {
    let mapped = Mapped::filled(16, READ, libc::MAP_SHARED);
    mapped.store(2 * PAGE, 1);
    mapped.store(3 * PAGE, 1);
    mapped.truncate(8 * PAGE);
    assert_eq!(mapped.read(12 * PAGE), 0);
    mapped.truncate(16 * PAGE);
    let again = |page: usize, pages: usize| {
        mapped.slot().locked(|edit| {
            mmap(
                mapped.base + page * PAGE,
                pages * PAGE,
                READ,
                libc::MAP_SHARED | libc::MAP_FIXED,
                mapped.fd(),
                page * PAGE,
            );
            edit.remapped(page * PAGE, pages * PAGE).unwrap();
        });
    };
    again(3, 1);
    again(10, 2);
    assert_eq!(mapped.clear(), [(2, 1), (8, 2), (12, 4)]);
}

#[test]
fn a_moved_range_starts_afresh() {
    let mut mapped = Mapped::filled(4, READ, libc::MAP_SHARED);
    mapped.store(0, 1);
    let (old, fresh) = (
        mapped.base,
        mmap(0, 4 * PAGE, READ, libc::MAP_SHARED, mapped.fd(), 0),
    );
    mapped.slot().locked(|edit| {
        munmap(old, 4 * PAGE);
        edit.set_range(Range {
            base: fresh,
            ..edit.range()
        });
    });
    mapped.base = fresh;
    assert_eq!(mapped.slot().count(), 1, "the fault is not forgotten");
    assert_eq!(mapped.read(0), mark(0));
    mapped.store(PAGE, 1);
    assert_eq!(mapped.slot().count(), 2);
    assert_eq!(mapped.clear(), [(1, 1)]);
}

#[test]
fn a_retired_range_gives_zeros_and_reports_nothing() {
    let mapped = Mapped::filled(300, WRITE, libc::MAP_SHARED);
    mapped.retire(libc::PROT_NONE);
    for page in (0..300).rev() {
        assert_eq!(mapped.read(page * PAGE), 0);
    }
    mapped.store(0, 1);
    assert_eq!((mapped.slot().fault(), mapped.slot().count()), (None, 0));
    assert_intact(mapped.file.as_ref().unwrap(), 300);
}

#[test]
fn system_calls_get_an_error_instead_of_a_signal() {
    let mapped = Mapped::filled(4, WRITE, libc::MAP_SHARED);
    mapped.truncate(0);
    let null = File::options().write(true).open("/dev/null").unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    // SAFETY: the kernel answers EFAULT for what is not there.
    let count = unsafe { libc::write(writer.as_raw_fd(), mapped.base as *const _, 16) };
    assert_eq!(
        (count, std::io::Error::last_os_error().raw_os_error()),
        (-1, Some(libc::EFAULT))
    );
    assert_eq!(mapped.slot().fault(), None);
    drop((null, reader));
}

#[test]
fn errno_survives_a_fault() {
    let mapped = Mapped::filled(4, WRITE, libc::MAP_SHARED);
    mapped.truncate(0);
    super::super::system::sys::set_errno(1234);
    assert_eq!(mapped.read(0), 0);
    assert_eq!(super::super::system::sys::errno(), 1234);
}

#[test]
fn huge_pages_that_run_out_are_replaced_whole() {
    const HUGE: usize = 2 << 20;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_HUGETLB | libc::MAP_NORESERVE;
    // SAFETY: maps fresh memory.
    let base = unsafe { libc::mmap(std::ptr::null_mut(), 4 * HUGE, WRITE, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        println!(
            "skipped: no huge pages here: {}",
            std::io::Error::last_os_error()
        );
        return;
    }
    let mapped = Mapped::guard(base as usize, 4 * HUGE, HUGE, None, WRITE, flags);
    mapped.store(HUGE + PAGE + 7, 5);
    if mapped.slot().count() == 0 {
        println!("skipped: this machine has huge pages to spare");
        return;
    }
    assert_eq!(fault(&mapped), (Kind::NoSpace, HUGE + PAGE + 7));
    mapped.store(2 * HUGE - 1, 6);
    assert_eq!(
        (
            mapped.slot().count(),
            mapped.read(HUGE + PAGE + 7),
            mapped.read(2 * HUGE - 1)
        ),
        (1, 5, 6)
    );
}

#[test]
fn out_of_private_memory_the_tail_becomes_a_memory_object() {
    in_child(
        "kinds::out_of_private_memory_the_tail_becomes_a_memory_object",
        || {
            let mapped = Mapped::filled(1 << 16, WRITE, libc::MAP_SHARED);
            mapped.truncate(PAGE);
            let little = libc::rlimit {
                rlim_cur: 64 << 20,
                rlim_max: 64 << 20,
            };
            // SAFETY: a valid limit.
            let set = unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const little) };
            assert_eq!(set, 0);
            assert_eq!((mapped.read(9 * PAGE), mapped.read(0)), (0, mark(0)));
            mapped.store(9 * PAGE, 8);
            assert_eq!(
                (fault(&mapped), mapped.read(9 * PAGE)),
                ((Kind::Truncated, 9 * PAGE), 8)
            );
            let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
            assert!(
                maps.contains("memmap zeros"),
                "256 MiB of zeros under a limit of 64:\n{maps}"
            );
        },
    );
}

#[test]
fn jumping_into_a_mapping_still_kills() {
    dies(
        "kinds::jumping_into_a_mapping_still_kills",
        libc::SIGSEGV,
        &[],
        || {
            let mapped = Mapped::filled(1, READ, libc::MAP_SHARED);
            // SAFETY: it is not, and dies of it.
            unsafe { std::mem::transmute::<usize, extern "C" fn()>(mapped.base)() };
        },
    );
}

#[test]
fn without_the_guard_a_truncated_file_kills() {
    let environment = [("MEMMAP_FAULT_GUARD", "0")];
    dies(
        "kinds::without_the_guard_a_truncated_file_kills",
        libc::SIGBUS,
        &environment,
        || {
            assert!(!enabled() && ensure());
            let file = filled_file(2);
            let base = mmap(
                0,
                2 * PAGE,
                WRITE,
                libc::MAP_SHARED,
                std::os::fd::AsRawFd::as_raw_fd(&file),
                0,
            );
            let range = Range {
                base,
                len: 2 * PAGE,
                page: PAGE,
                fd: 3,
                file_offset: 0,
                backing: Backing::Shared,
                writable: true,
            };
            // SAFETY: nothing is registered.
            assert!(unsafe { register(range, 1) }.is_none());
            file.set_len(0).unwrap();
            // SAFETY: dies.
            unsafe { std::ptr::read_volatile(base as *const u8) };
        },
    );
}
