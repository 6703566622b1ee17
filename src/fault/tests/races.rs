//! Threads that fault against threads that close, map and clear.

use std::sync::{
    Barrier,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::{
    super::{
        answer::{set_delay, set_early_delay},
        *,
    },
    *,
};

/// Reads one byte at every address that is put into `target`, and takes it out again.
fn reader(target: &AtomicUsize, stop: &AtomicBool) -> u64 {
    let mut done = 0;
    while !stop.load(Ordering::Acquire) {
        let address = target.load(Ordering::Acquire);
        if address != 0 {
            // SAFETY: the main thread keeps the range, in some state, until `target` is 0 again.
            let byte = unsafe { std::ptr::read_volatile(address as *const u8) };
            assert!(byte == 0 || byte == mark(16));
            done += 1;
            target.store(0, Ordering::Release);
        }
        std::hint::spin_loop();
    }
    done
}

#[test]
fn closing_20000_mappings_while_a_thread_faults_in_them() {
    in_child(
        "races::closing_20000_mappings_while_a_thread_faults_in_them",
        || {
            const ROUNDS: u64 = 20_000;
            let (target, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
            let file = filled_file(64);
            let mut faulted = 0;
            let read = std::thread::scope(|scope| {
                let thread = scope.spawn(|| reader(&target, &stop));
                for round in 0..ROUNDS {
                    file.set_len((64 * PAGE) as u64).unwrap();
                    let mapped =
                        Mapped::file(file.try_clone().unwrap(), 64, WRITE, libc::MAP_SHARED);
                    file.set_len(0).unwrap();
                    target.store(mapped.base + 16 * PAGE, Ordering::Release);
                    for _ in 0..round * 7 % 3000 {
                        std::hint::spin_loop();
                    }
                    mapped.retire(if round % 2 == 0 {
                        libc::PROT_NONE
                    } else {
                        WRITE
                    });
                    // The reader holds a reference, as a view or a native task would.
                    while target.load(Ordering::Acquire) != 0 {
                        std::thread::yield_now();
                    }
                    faulted += u64::from(mapped.slot().count());
                }
                stop.store(true, Ordering::Release);
                thread.join().unwrap()
            });
            println!(
                "  {ROUNDS} closes against {read} reads, {faulted} of which faulted before the close"
            );
            assert_eq!(read, ROUNDS);
        },
    );
}

#[test]
fn a_sleeping_handler_never_touches_a_stranger_at_the_same_address() {
    in_child(
        "races::a_sleeping_handler_never_touches_a_stranger_at_the_same_address",
        || {
            const LEN: usize = 64 * PAGE;
            set_delay(3000);
            let stranger = filled_file(64);
            let mut late = 0;
            for round in 0..200 {
                let mut mapped = Mapped::filled(64, WRITE, libc::MAP_SHARED);
                mapped.truncate(0);
                let base = mapped.base;
                let ready = Barrier::new(2);
                std::thread::scope(|scope| {
                    let reader = scope.spawn(|| {
                        ready.wait();
                        // SAFETY: the old mapping, or the stranger's, or a retired one; what it
                        // reads is not looked at.
                        unsafe { std::ptr::read_volatile((base + 16 * PAGE) as *const u8) };
                    });
                    ready.wait();
                    std::thread::sleep(std::time::Duration::from_micros(300 + round * 10));
                    // The handler sleeps between look-up and lock. Close (without waiting for the
                    // reader, against the rules); the stranger's pages come in one step, because in
                    // a gap the reader would rightly die.
                    late += u32::from(mapped.slot().count() == 0);
                    mapped.retire(WRITE);
                    let flags = libc::MAP_SHARED | libc::MAP_FIXED;
                    let fd = stranger.as_raw_fd();
                    mapped
                        .slot
                        .take()
                        .unwrap()
                        .release(|| mmap(base, LEN, WRITE, flags, fd, 0));
                    // Half of the strangers are guarded mappings of ours.
                    let mut guarded = None;
                    if round % 2 == 0 {
                        let (file, backing) = (stranger.as_raw_fd(), Backing::Shared);
                        let range = Range {
                            base,
                            len: LEN,
                            page: PAGE,
                            fd: file,
                            file_offset: 0,
                            backing,
                            writable: true,
                        };
                        // SAFETY: just mapped, and unmapped by `release`.
                        guarded = unsafe { register(range, 1_000_000 + round) };
                    }
                    reader.join().unwrap();
                    for page in 0..64 {
                        // SAFETY: mapped above.
                        let byte =
                            unsafe { std::ptr::read_volatile((base + page * PAGE) as *const u8) };
                        assert_eq!(
                            byte,
                            mark(page),
                            "round {round}, page {page}: the stranger was overwritten"
                        );
                    }
                    match guarded {
                        Some(slot) => {
                            assert_eq!(slot.count(), 0);
                            slot.release(|| munmap(base, LEN));
                        }
                        None => munmap(base, LEN),
                    }
                });
            }
            assert_intact(&stranger, 64);
            println!("  200 rounds, in {late} of them the handler slept at the close");
            assert!(late > 100);
        },
    );
}

#[test]
fn threads_that_store_to_one_protected_page_lose_no_store() {
    const THREADS: usize = 4;
    const PAGES: usize = 2000;
    let mapped = Mapped::filled(PAGES, READ, libc::MAP_SHARED);
    let turns: Vec<_> = (0..PAGES).map(|_| AtomicUsize::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (mapped, turns) = (&mapped, &turns);
            scope.spawn(move || {
                for (page, turn) in turns.iter().enumerate() {
                    turn.fetch_add(1, Ordering::AcqRel);
                    while turn.load(Ordering::Acquire) < THREADS {
                        std::thread::yield_now();
                    }
                    mapped.store(page * PAGE + thread, 252 + thread as u8);
                }
            });
        }
    });
    for page in 0..PAGES {
        for thread in 0..THREADS {
            assert_eq!(
                mapped.read(page * PAGE + thread),
                252 + thread as u8,
                "page {page}, thread {thread}"
            );
        }
    }
    assert_eq!(
        mapped.slot().count() as usize,
        PAGES,
        "one fault a page, whoever came first"
    );
    assert_intact(mapped.file.as_ref().unwrap(), PAGES);
}

#[test]
fn protecting_and_opening_again_never_loses_a_store_to_the_file() {
    in_child(
        "races::protecting_and_opening_again_never_loses_a_store_to_the_file",
        || {
            // The storing thread's fault is always older than the caller's mprotect: the page is
            // writable again when the handler wakes.
            let mapped = Mapped::filled(4, WRITE, libc::MAP_SHARED);
            for round in 0..100_u8 {
                set_delay(0);
                mapped
                    .slot()
                    .locked(|_| mprotect(mapped.base, mapped.len, READ));
                set_delay(2000);
                std::thread::scope(|scope| {
                    scope.spawn(|| mapped.store(PAGE, round));
                    std::thread::sleep(std::time::Duration::from_micros(700));
                    mapped
                        .slot()
                        .locked(|_| mprotect(mapped.base, mapped.len, WRITE));
                });
                let mut byte = [0];
                std::os::unix::fs::FileExt::read_exact_at(
                    mapped.file.as_ref().unwrap(),
                    &mut byte,
                    PAGE as u64,
                )
                .unwrap();
                if mapped.slot().count() == 0 {
                    assert_eq!(
                        byte,
                        [round],
                        "round {round}: the store went to a private copy"
                    );
                } else {
                    // The thread was so fast, or this one so slow, that the page was protected when
                    // the handler looked.
                    mapped.clear();
                }
            }
        },
    );
}

#[test]
fn clearing_against_faults() {
    let mapped = Mapped::filled(32, READ, libc::MAP_SHARED);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Acquire) {
                for page in 0..32 {
                    mapped.store(page * PAGE + 1, 9);
                    assert_eq!(mapped.read(page * PAGE), mark(page));
                }
            }
        });
        for _ in 0..5000 {
            mapped.clear();
        }
        stop.store(true, Ordering::Release);
    });
    mapped.clear();
    assert!((0..32).all(|page| mapped.read(page * PAGE + 1) == mark(page)));
    assert_intact(mapped.file.as_ref().unwrap(), 32);
}

#[test]
fn slots_come_and_go_while_others_fault() {
    let stop = AtomicBool::new(false);
    let rounds = std::thread::scope(|scope| {
        let churn = scope.spawn(|| {
            let mut kept = std::collections::VecDeque::new();
            let mut rounds = 0_u32;
            while !stop.load(Ordering::Acquire) {
                kept.push_back(Mapped::filled(1, READ, libc::MAP_SHARED));
                if kept.len() > 300 {
                    kept.pop_front();
                }
                rounds += 1;
            }
            rounds
        });
        for _ in 0..3000 {
            let mapped = Mapped::filled(2, READ, libc::MAP_SHARED);
            mapped.store(PAGE, 1);
            assert_eq!(mapped.slot().count(), 1);
        }
        stop.store(true, Ordering::Release);
        churn.join().unwrap()
    });
    assert!(rounds > 300);
}

#[test]
fn a_thread_that_stores_while_the_pages_are_left_to_their_owner_goes_on() {
    in_child(
        "races::a_thread_that_stores_while_the_pages_are_left_to_their_owner_goes_on",
        || {
            const PAGES: usize = 16;
            const LEN: usize = PAGES * PAGE;
            // The handler looks for its slot when that has long been free.
            set_early_delay(2000);
            let mut late = 0;
            for round in 0..300 {
                // An engine's own memory, with a file over it that may not be written.
                let mut mapped = Mapped::filled(PAGES, READ, libc::MAP_SHARED);
                let base = mapped.base;
                let ready = Barrier::new(2);
                std::thread::scope(|scope| {
                    let writer = scope.spawn(|| {
                        ready.wait();
                        let at = (base + round as usize % PAGES * PAGE) as *mut u8;
                        // SAFETY: the mapping's page, a private copy of it, or a zero page.
                        unsafe { std::ptr::write_volatile(at, 99) };
                    });
                    ready.wait();
                    std::thread::sleep(std::time::Duration::from_micros(200 + round * 8));
                    late += u32::from(mapped.slot().count() == 0);
                    let anonymous = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
                    let give_back = || mmap(base, LEN, WRITE, anonymous, -1, 0);
                    mapped.slot.take().unwrap().leave(give_back);
                    writer.join().unwrap();
                });
                munmap(base, LEN);
            }
            println!("  300 stores, {late} of them met the end of the slot");
            assert!(late > 30);
        },
    );
}
