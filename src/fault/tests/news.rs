//! The way of a fault to JavaScript.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};

use super::{super::*, *};

fn leak_epoch() -> *mut i32 {
    Box::into_raw(Box::new(AtomicI32::new(0))).cast()
}

fn read(epoch: *mut i32) -> i32 {
    // SAFETY: the tests leak or keep what they pass here.
    unsafe { AtomicI32::from_ptr(epoch) }.load(Ordering::Acquire)
}

#[test]
fn a_fault_counts_every_epoch_up_and_wakes_every_environment() {
    let ends = [(); 2].map(|()| {
        let (sender, receiver) = mpsc::channel();
        let epoch = leak_epoch();
        // SAFETY: leaked.
        let subscription =
            unsafe { subscribe(epoch, Box::new(move || sender.send(()).unwrap_or(()))) };
        (epoch, subscription, receiver)
    });
    let mapped = Mapped::filled(4, READ, libc::MAP_SHARED);
    let before = read(ends[0].0);
    mapped.store(PAGE + 3, 1);
    assert!(
        read(ends[0].0) > before,
        "at once, on the thread that faulted"
    );
    for (epoch, subscription, receiver) in &ends {
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(read(*epoch) > 0);
        // Other tests of this process fault, too, so the event may have been taken by an earlier
        // wake of theirs; ask for all.
        let events = subscription.take_events();
        assert!(events.len() <= 256);
        let want = Fault {
            kind: Kind::Protected,
            offset: PAGE + 3,
        };
        assert!(events.iter().any(|event| event.fault == want), "{events:?}");
    }
}

#[test]
fn events_come_once_in_order_and_the_oldest_are_lost() {
    in_child(
        "news::events_come_once_in_order_and_the_oldest_are_lost",
        || {
            let epoch = leak_epoch();
            let mapped = Mapped::filled(400, READ, libc::MAP_SHARED);
            mapped.store(0, 1);
            // SAFETY: leaked.
            let subscription = unsafe { subscribe(epoch, Box::new(|| ())) };
            assert_eq!(
                subscription.take_events(),
                [],
                "only what happens from now on"
            );
            for page in 1..4 {
                mapped.store(page * PAGE, 1);
            }
            let pages = |events: Vec<Event>| {
                events
                    .iter()
                    .map(|event| event.fault.offset / PAGE)
                    .collect::<Vec<_>>()
            };
            assert_eq!(pages(subscription.take_events()), [1, 2, 3]);
            assert_eq!(subscription.take_events(), []);
            for page in 4..400 {
                mapped.store(page * PAGE, 1);
            }
            assert_eq!(
                pages(subscription.take_events()),
                (400 - 256..400).collect::<Vec<_>>()
            );
            assert_eq!(read(epoch), 399);
            assert_eq!(
                mapped.slot().fault().unwrap().offset,
                0,
                "the first stands in the slot"
            );
        },
    );
}

#[test]
fn subscriptions_end_under_fire() {
    let stop = AtomicBool::new(false);
    let woken = Arc::new(AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mapped = Mapped::filled(64, READ, libc::MAP_SHARED);
            while !stop.load(Ordering::Acquire) {
                for page in 0..64 {
                    mapped.store(page * PAGE, 1);
                }
                mapped.clear();
            }
        });
        // JavaScript's memory, handed out again as soon as an environment has ended: a late write
        // would show in the next one's pattern.
        let memory = mmap(
            0,
            PAGE,
            WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        let mut counted = 0_u64;
        for _ in 0..2000 {
            let cell = memory as *mut i32;
            // SAFETY: mapped above; no subscription is alive.
            unsafe { std::ptr::write_volatile(cell, 0) };
            let (alive, woken) = (Arc::new(AtomicBool::new(true)), woken.clone());
            let seen = alive.clone();
            let wake = move || {
                assert!(seen.load(Ordering::Acquire), "woken after the end");
                woken.fetch_add(1, Ordering::Relaxed);
            };
            // SAFETY: `memory` outlives the subscription.
            let subscription = unsafe { subscribe(cell, Box::new(wake)) };
            std::thread::sleep(Duration::from_micros(50));
            drop(subscription);
            alive.store(false, Ordering::Release);
            // SAFETY: mapped above.
            counted += u64::from(unsafe { std::ptr::read_volatile(cell) } as u32);
            // SAFETY: as above.
            unsafe { std::ptr::write_volatile(cell, 0x5555_5555) };
            for _ in 0..200 {
                std::hint::spin_loop();
            }
            // SAFETY: as above.
            let left = unsafe { std::ptr::read_volatile(cell) };
            assert_eq!(left, 0x5555_5555, "a write after the end");
        }
        stop.store(true, Ordering::Release);
        println!(
            "  2000 subscriptions ended under fire, {counted} counted, {} wakes",
            woken.load(Ordering::Relaxed)
        );
        assert!(counted > 1000);
        munmap(memory, PAGE);
    });
}
