//! Signals that are not ours, and handlers that are not ours.

use std::{
    ffi::{c_int, c_void},
    ptr::null_mut,
    sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
};

use super::{super::*, *};

type Action = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

static CALLS: AtomicU32 = AtomicU32::new(0);
static PAGE_TO_OPEN: AtomicUsize = AtomicUsize::new(0);

fn install(signal: c_int, handler: usize, flags: c_int) -> libc::sigaction {
    // SAFETY: all zeros is an action; the handlers of these tests have the type that `flags` says.
    unsafe {
        let mut old = std::mem::zeroed();
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = handler;
        new.sa_flags = flags;
        assert_eq!(libc::sigaction(signal, &raw const new, &raw mut old), 0);
        old
    }
}

fn front(signal: c_int) -> usize {
    // SAFETY: asks only.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, null_mut(), &raw mut old);
        old.sa_sigaction
    }
}

/// As V8's: knows one page, mends it, and goes on.
extern "C" fn opens_its_page(_signal: c_int, _info: *mut libc::siginfo_t, _context: *mut c_void) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    mprotect(PAGE_TO_OPEN.load(Ordering::Relaxed), PAGE, WRITE);
}

extern "C" fn plain(_signal: c_int) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    mprotect(PAGE_TO_OPEN.load(Ordering::Relaxed), PAGE, WRITE);
}

/// A page that is in no slot, and not writable.
fn foreign_page() -> usize {
    let page = mmap(
        0,
        PAGE,
        READ,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        -1,
        0,
    );
    PAGE_TO_OPEN.store(page, Ordering::Relaxed);
    page
}

fn poke(address: usize) {
    // SAFETY: a page of the test's own, or a fault that the test asks for.
    unsafe { std::ptr::write_volatile(address as *mut u8, 1) };
}

/// The guard works: a fresh mapping of a file that is truncated reads zero.
fn assert_guarded() {
    let mapped = Mapped::filled(2, WRITE, libc::MAP_SHARED);
    mapped.truncate(0);
    assert_eq!((mapped.read(PAGE), mapped.slot().count()), (0, 1));
}

#[test]
fn kill_bus_kills() {
    dies("chains::kill_bus_kills", libc::SIGBUS, &[], || {
        // Rust's own handler swallows it.
        install(libc::SIGBUS, libc::SIG_DFL, 0);
        assert_guarded();
        // SAFETY: dies of it.
        unsafe { libc::kill(libc::getpid(), libc::SIGBUS) };
        std::thread::sleep(std::time::Duration::from_secs(5));
    });
}

#[test]
fn kill_segv_kills() {
    dies("chains::kill_segv_kills", libc::SIGSEGV, &[], || {
        // Rust's own handler swallows it.
        install(libc::SIGSEGV, libc::SIG_DFL, 0);
        assert_guarded();
        // SAFETY: dies of it.
        unsafe { libc::kill(libc::getpid(), libc::SIGSEGV) };
        std::thread::sleep(std::time::Duration::from_secs(5));
    });
}

#[test]
fn a_store_to_a_foreign_page_kills() {
    dies(
        "chains::a_store_to_a_foreign_page_kills",
        libc::SIGSEGV,
        &[],
        || {
            assert_guarded();
            // Rust's runtime has a handler for stack overflows in front of the default; it gives up
            // the way we do.
            poke(foreign_page());
        },
    );
}

#[test]
fn a_null_pointer_kills() {
    dies("chains::a_null_pointer_kills", libc::SIGSEGV, &[], || {
        assert_guarded();
        poke(std::hint::black_box(8));
    });
}

#[test]
fn a_truncated_foreign_mapping_kills() {
    dies(
        "chains::a_truncated_foreign_mapping_kills",
        libc::SIGBUS,
        &[],
        || {
            assert_guarded();
            let file = filled_file(1);
            let base = mmap(0, PAGE, WRITE, libc::MAP_SHARED, file.as_raw_fd(), 0);
            file.set_len(0).unwrap();
            poke(base);
        },
    );
}

#[test]
fn a_released_mapping_kills() {
    dies(
        "chains::a_released_mapping_kills",
        libc::SIGSEGV,
        &[],
        || {
            let mapped = Mapped::filled(2, WRITE, libc::MAP_SHARED);
            let base = mapped.base;
            drop(mapped);
            poke(base);
        },
    );
}

#[test]
fn an_ignored_signal_stays_ignored_but_a_real_fault_kills() {
    dies(
        "chains::an_ignored_signal_stays_ignored_but_a_real_fault_kills",
        libc::SIGBUS,
        &[],
        || {
            install(libc::SIGBUS, libc::SIG_IGN, 0);
            assert_guarded();
            // SAFETY: ignored.
            unsafe { libc::kill(libc::getpid(), libc::SIGBUS) };
            assert_guarded();
            let file = filled_file(1);
            let base = mmap(0, PAGE, WRITE, libc::MAP_SHARED, file.as_raw_fd(), 0);
            file.set_len(0).unwrap();
            poke(base);
        },
    );
}

#[test]
fn the_handler_that_was_here_before_gets_its_faults() {
    in_child(
        "chains::the_handler_that_was_here_before_gets_its_faults",
        || {
            install(
                libc::SIGSEGV,
                opens_its_page as Action as usize,
                libc::SA_SIGINFO | libc::SA_ONSTACK,
            );
            assert_guarded();
            for round in 1..=1000 {
                let page = foreign_page();
                poke(page);
                assert_eq!(CALLS.load(Ordering::Relaxed), round);
                munmap(page, PAGE);
            }
            let mapped = Mapped::filled(2, READ, libc::MAP_SHARED);
            mapped.store(0, 1);
            assert_eq!(
                (mapped.slot().count(), CALLS.load(Ordering::Relaxed)),
                (1, 1000),
                "ours is not passed on"
            );
        },
    );
}

#[test]
fn a_plain_handler_is_called_and_one_for_a_single_signal_only_once() {
    let test = "chains::a_plain_handler_is_called_and_one_for_a_single_signal_only_once";
    dies(test, libc::SIGSEGV, &[], || {
        install(
            libc::SIGSEGV,
            plain as extern "C" fn(c_int) as usize,
            libc::SA_RESETHAND,
        );
        assert_guarded();
        poke(foreign_page());
        if CALLS.load(Ordering::Relaxed) != 1 {
            std::process::exit(7);
        }
        poke(foreign_page());
    });
}

/// Stands in front of whatever `BEHIND` says, as a crash reporter does.
static BEHIND: AtomicUsize = AtomicUsize::new(0);
extern "C" fn passes_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the guard's handler, which was here before.
    unsafe {
        std::mem::transmute::<usize, Action>(BEHIND.load(Ordering::Relaxed))(signal, info, context);
    };
}

#[test]
fn a_handler_in_front_that_calls_us_makes_no_circle() {
    dies(
        "chains::a_handler_in_front_that_calls_us_makes_no_circle",
        libc::SIGBUS,
        &[],
        || {
            assert_guarded();
            let ours = front(libc::SIGBUS);
            BEHIND.store(ours, Ordering::Relaxed);
            install(
                libc::SIGBUS,
                passes_on as Action as usize,
                libc::SA_SIGINFO | libc::SA_ONSTACK,
            );
            // Without another open: through the stranger.
            let mapped = Mapped::filled(2, WRITE, libc::MAP_SHARED);
            if front(libc::SIGBUS) == ours || front(libc::SIGBUS) == passes_on as Action as usize {
                std::process::exit(7);
            }
            mapped.truncate(0);
            mapped.read(0);
            if CALLS.load(Ordering::Relaxed) != 0 {
                std::process::exit(8);
            }
            // A foreign fault: second layer, stranger, first layer, default. Dies instead of going
            // round.
            let file = filled_file(1);
            let base = mmap(0, PAGE, WRITE, libc::MAP_SHARED, file.as_raw_fd(), 0);
            file.set_len(0).unwrap();
            poke(base);
        },
    );
}

#[test]
fn displaced_four_times_the_guard_comes_back_and_then_says_no() {
    in_child(
        "chains::displaced_four_times_the_guard_comes_back_and_then_says_no",
        || {
            assert_guarded();
            for _ in 1..4 {
                // `process.off('SIGBUS')` leaves the default.
                install(libc::SIGBUS, libc::SIG_DFL, 0);
                assert!(ensure());
                assert_guarded();
                assert!(ensure(), "nothing to do");
            }
            let last = front(libc::SIGBUS);
            install(libc::SIGBUS, libc::SIG_DFL, 0);
            assert!(!ensure());
            assert_eq!(front(libc::SIGBUS), libc::SIG_DFL);
            // Whoever put it aside may put it back.
            install(libc::SIGBUS, last, libc::SA_SIGINFO | libc::SA_ONSTACK);
            assert!(ensure());
            assert_guarded();
        },
    );
}

#[test]
fn a_fault_on_a_small_alternate_stack_in_many_threads() {
    in_child(
        "chains::a_fault_on_a_small_alternate_stack_in_many_threads",
        || {
            static GO: AtomicBool = AtomicBool::new(false);
            let mapped = Mapped::filled(64, READ, libc::MAP_SHARED);
            std::thread::scope(|scope| {
                for thread in 0..16 {
                    let mapped = &mapped;
                    scope.spawn(move || {
                        while !GO.load(Ordering::Acquire) {
                            std::thread::yield_now();
                        }
                        for page in 0..64 {
                            mapped.store(page * PAGE + thread, 255);
                        }
                    });
                }
                GO.store(true, Ordering::Release);
            });
            assert_eq!(mapped.slot().count(), 64);
            assert!(
                (0..64).all(|page| (0..16).all(|thread| mapped.read(page * PAGE + thread) == 255))
            );
        },
    );
}

#[test]
fn a_closure_that_touches_mapped_bytes_dies_instead_of_hanging() {
    dies(
        "chains::a_closure_that_touches_mapped_bytes_dies_instead_of_hanging",
        libc::SIGBUS,
        &[],
        || {
            let mapped = Mapped::filled(2, WRITE, libc::MAP_SHARED);
            mapped.truncate(0);
            mapped.slot().locked(|_| mapped.read(0));
        },
    );
}

/// What matters of another copy of this package.
const COPY: &str = r"
#include <signal.h>
#include <string.h>
typedef void (*action)(int, siginfo_t *, void *);
static action behind;
static void front(int s, siginfo_t *i, void *c) { behind(s, i, c); }
unsigned long memmap_fault_guard_predecessor_1(int s, unsigned long h) {
  return h == (unsigned long)front ? (unsigned long)behind : 0;
}
void install(int s) {
  struct sigaction n, o;
  memset(&n, 0, sizeof n);
  sigaction(s, 0, &o);
  behind = o.sa_sigaction;
  n.sa_sigaction = front;
  n.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(s, &n, 0);
}
";

#[test]
fn another_copy_of_the_package_in_front_of_us_may_stay_there() {
    in_child(
        "chains::another_copy_of_the_package_in_front_of_us_may_stay_there",
        || {
            let directory = tempfile::tempdir().unwrap();
            let source = directory.path().join("copy.c");
            let library = directory.path().join("copy.so");
            std::fs::write(&source, COPY).unwrap();
            let mut compiler = std::process::Command::new("cc");
            let built = compiler
                .args(["-shared", "-fPIC", "-o"])
                .arg(&library)
                .arg(&source)
                .status();
            if !built.is_ok_and(|status| status.success()) {
                println!("  skipped: no C compiler");
                return;
            }
            assert_guarded();
            let ours = front(libc::SIGBUS);
            let path = std::ffi::CString::new(library.to_str().unwrap()).unwrap();
            // SAFETY: the library above; `install` has this type.
            unsafe {
                let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
                let install = libc::dlsym(handle, c"install".as_ptr());
                assert!(!install.is_null());
                std::mem::transmute::<*mut c_void, extern "C" fn(c_int)>(install)(libc::SIGBUS);
            }
            let theirs = front(libc::SIGBUS);
            assert_ne!(ours, theirs);
            for _ in 0..20 {
                assert!(ensure());
                assert_guarded();
                assert_eq!(front(libc::SIGBUS), theirs);
            }
        },
    );
}
