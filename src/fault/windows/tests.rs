//! The guard, provoked, where faults are exceptions. Run under wine: `cargo test --target x86_64-pc-windows-gnu fault` with wine as the
//! runner. Not one of these kills the process if the guard works.
#![allow(unsafe_code, reason = "maps memory, and breaks it")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use windows_sys::Win32::{
    Foundation::{
        EXCEPTION_IN_PAGE_ERROR, STATUS_DISK_FULL, STATUS_END_OF_FILE, STATUS_UNEXPECTED_IO_ERROR,
    },
    System::Diagnostics::Debug::RaiseException,
};

use super::{super::*, raw_file};
use crate::os::{self, Access, Form, Replacement, Reserved};

const PAGE: usize = 4096;
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

const READ: Form = Form {
    access: Access::Read,
    private: false,
    writable: false,
    exec: false,
    mapped: true,
};

/// The first byte of page i is i % 251 + 1.
fn filled_file(pages: usize) -> File {
    let mut file = tempfile::tempfile().unwrap();
    for page in 0..pages {
        file.write_all(&[(page % 251 + 1) as u8; PAGE]).unwrap();
    }
    file
}

/// A guarded view of a file for reading, as a Region would hold it: in a held range where the system has them.
struct Mapped {
    base: usize,
    file: File,
    slot: Slot,
    held: Option<Reserved>,
    _plain: Option<memmap2::MmapRaw>,
    mapping: u64,
}

impl Mapped {
    fn new(pages: usize) -> Self {
        assert!(ensure());
        let file = filled_file(pages);
        let len = pages * PAGE;
        let (held, plain) = if os::holds_places() {
            let held = Reserved::new(len).unwrap();
            // SAFETY: just reserved.
            unsafe { os::map_again(held.base(), len, Some(&file), 0, READ) }.unwrap();
            (Some(held), None)
        } else {
            let options = memmap2::MmapOptions::new();
            (None, Some(os::map_view(&options, &file, READ).unwrap()))
        };
        let base = held
            .as_ref()
            .map_or_else(|| plain.as_ref().unwrap().as_mut_ptr(), Reserved::base)
            as usize;
        let range = Range {
            base,
            len,
            page: PAGE,
            fd: raw_file(Some(&file)),
            file_offset: 0,
            backing: Backing::Shared,
            writable: false,
        };
        let mapping = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the mapping is this struct's, which changes it through the slot only.
        let slot = unsafe { register(range, mapping) }.unwrap();
        Self {
            base,
            file,
            slot,
            held,
            _plain: plain,
            mapping,
        }
    }

    fn read(&self, offset: usize) -> u8 {
        // SAFETY: inside the mapping; the guard answers for the rest.
        unsafe { ((self.base + offset) as *const u8).read_volatile() }
    }

    fn store(&self, offset: usize, value: u8) {
        // SAFETY: as in `read`.
        unsafe { ((self.base + offset) as *mut u8).write_volatile(value) };
    }

    fn in_file(&self, offset: usize) -> u8 {
        let mut byte = [0];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset as u64)).unwrap();
        file.read_exact(&mut byte).unwrap();
        byte[0]
    }

    /// What a page that cannot be read is told to the handler as.
    fn raise(&self, offset: usize, store: bool, status: i32) {
        let arguments = [usize::from(store), self.base + offset, status as usize];
        // SAFETY: the guard answers and the thread goes on; if not, the test dies, as it should.
        unsafe { RaiseException(EXCEPTION_IN_PAGE_ERROR as u32, 0, 3, arguments.as_ptr()) };
    }

    fn clear(&self) -> std::io::Result<()> {
        self.slot.clear(|offset, len| {
            // SAFETY: inside the mapping, under the slot's lock.
            unsafe {
                os::map_again(
                    (self.base + offset) as *mut u8,
                    len,
                    Some(&self.file),
                    offset as u64,
                    READ,
                )
            }
            .map_err(|_| std::io::ErrorKind::Unsupported.into())
        })
    }
}

#[test]
fn a_store_to_a_page_for_reading_is_private_and_reported() {
    let mapped = Mapped::new(40);
    assert_eq!(mapped.slot.fault(), None);
    for page in [0, 7, 39] {
        mapped.store(page * PAGE + 5, 200);
        assert_eq!(mapped.read(page * PAGE + 5), 200);
        assert_eq!(mapped.in_file(page * PAGE + 5), (page + 1) as u8);
    }
    assert_eq!(
        mapped.slot.fault(),
        Some(Fault {
            kind: Kind::Protected,
            offset: 5
        })
    );
    assert_eq!(mapped.slot.count(), 3);
    // Other pages go on to show the file.
    let mut file = &mapped.file;
    file.seek(SeekFrom::Start(8 * PAGE as u64)).unwrap();
    file.write_all(&[99]).unwrap();
    assert_eq!(mapped.read(8 * PAGE), 99);
}

#[test]
fn clear_shows_the_file_again_or_refuses() {
    let mapped = Mapped::new(40);
    mapped.store(3 * PAGE, 200);
    mapped.store(4 * PAGE, 201);
    let cleared = mapped.clear();
    if !os::page_abilities().revert && mapped.held.is_none() {
        assert!(cleared.is_err());
        assert_eq!(mapped.slot.count(), 2);
        return;
    }
    cleared.unwrap();
    assert_eq!(mapped.slot.fault(), None);
    for page in 0..40 {
        assert_eq!(mapped.read(page * PAGE), (page + 1) as u8, "page {page}");
    }
    mapped.store(3 * PAGE, 7);
    assert_eq!((mapped.read(3 * PAGE), mapped.in_file(3 * PAGE)), (7, 4));
}

#[test]
fn pages_that_cannot_be_read_become_zeros_where_places_are_held() {
    if !os::holds_places() {
        return;
    }
    for (status, kind) in [
        (STATUS_UNEXPECTED_IO_ERROR, Kind::Io),
        (STATUS_DISK_FULL, Kind::NoSpace),
    ] {
        let mapped = Mapped::new(40);
        // Once is not believed.
        mapped.raise(17 * PAGE + 3, false, status);
        assert_eq!(mapped.slot.fault(), None);
        mapped.raise(17 * PAGE + 3, false, status);
        let fault = mapped.slot.fault().unwrap();
        assert_eq!((fault.kind, fault.offset), (kind, 17 * PAGE + 3));
        for page in 0..40 {
            let byte = if page == 17 { 0 } else { (page + 1) as u8 };
            assert_eq!(mapped.read(page * PAGE), byte, "page {page}");
        }
        mapped.clear().unwrap();
        assert_eq!(mapped.read(17 * PAGE), 18);
    }
}

#[test]
fn past_the_end_of_a_truncated_file_are_zeros_where_places_are_held() {
    if !os::holds_places() {
        return;
    }
    let mapped = Mapped::new(40);
    // A file cannot be cut while it is mapped; one of three pages stands in for one that was.
    let short = filled_file(3);
    mapped.slot.locked(|edit| {
        edit.set_range(Range {
            fd: raw_file(Some(&short)),
            ..edit.range()
        });
    });
    mapped.raise(20 * PAGE, false, STATUS_END_OF_FILE);
    let fault = mapped.slot.fault().unwrap();
    assert_eq!((fault.kind, fault.offset), (Kind::Truncated, 20 * PAGE));
    for page in 0..40 {
        let byte = if page < 3 { (page + 1) as u8 } else { 0 };
        assert_eq!(mapped.read(page * PAGE), byte, "page {page}");
    }
}

#[test]
fn after_close_late_readers_find_zeros_and_the_file_can_be_cut() {
    let mapped = Mapped::new(40);
    mapped.store(2 * PAGE, 1);
    mapped.slot.retire(|| {
        // SAFETY: the mapping's own pages, under the slot's lock.
        unsafe { os::replace(mapped.base as *mut u8, 40 * PAGE, Replacement::None) };
    });
    if mapped.held.is_some() {
        mapped.file.set_len(10).unwrap();
        assert_eq!((mapped.read(5), mapped.read(39 * PAGE)), (0, 0));
        mapped.store(6 * PAGE, 9);
        assert_eq!(mapped.read(6 * PAGE), 9);
    } else {
        // The view is still there; whoever stores to it does so in private.
        mapped.store(6 * PAGE, 9);
        assert_eq!(mapped.in_file(6 * PAGE), 7);
    }
    assert_eq!(mapped.slot.count(), 1, "nothing is reported after close");
}

#[test]
fn threads_that_touch_a_range_while_its_pieces_are_exchanged_wait() {
    if !os::holds_places() {
        return;
    }
    let mapped = Arc::new(Mapped::new(64));
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|number| {
            let (mapped, stop) = (Arc::clone(&mapped), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut sum = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    for page in 0..64 {
                        if page != 30 {
                            let byte = mapped.read(page * PAGE + number);
                            assert_eq!(byte, (page + 1) as u8, "page {page}");
                        }
                        sum += 1;
                    }
                }
                sum
            })
        })
        .collect();
    for _ in 0..100 {
        mapped.store(30 * PAGE, 5);
        mapped.clear().unwrap();
        assert_eq!(mapped.read(30 * PAGE), 31);
    }
    stop.store(true, Ordering::Relaxed);
    let reads: u64 = readers.into_iter().map(|each| each.join().unwrap()).sum();
    assert!(reads > 0);
}

#[test]
fn the_news_reaches_a_subscriber() {
    let epoch = Box::leak(Box::new(AtomicI32::new(0)));
    let woken = Arc::new(AtomicBool::new(false));
    let wake = Arc::clone(&woken);
    // SAFETY: `epoch` is never freed.
    let subscription = unsafe {
        subscribe(
            epoch.as_ptr(),
            Box::new(move || wake.store(true, Ordering::Release)),
        )
    };
    let mapped = Mapped::new(2);
    mapped.store(PAGE, 3);
    assert!(epoch.load(Ordering::Acquire) >= 1);
    let end = Instant::now() + Duration::from_secs(20);
    while !woken.load(Ordering::Acquire) {
        assert!(Instant::now() < end, "the watcher was not woken");
        std::thread::sleep(Duration::from_millis(2));
    }
    let events = subscription.take_events();
    let ours = events.iter().find(|event| event.mapping == mapped.mapping);
    assert_eq!(
        ours.map(|event| (event.fault.kind, event.fault.offset)),
        Some((Kind::Protected, PAGE))
    );
}
