//! futex(2) between two processes, and a spinner that keeps a processor awake.

use std::fs::OpenOptions;
use std::io::{Read, Result, Write};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use memmap2::MmapMut;

/// On an idle virtual machine a halted processor takes tens of microseconds to wake. This uses what nobody else wants, until stdin ends.
pub fn spin() -> Result<()> {
    static DONE: AtomicBool = AtomicBool::new(false);
    // SAFETY: a zeroed sched_param is a valid one, and its priority must be 0 here.
    let set = unsafe {
        let idle: libc::sched_param = std::mem::zeroed();
        libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const idle)
    };
    if set != 0 {
        return Err(std::io::Error::last_os_error());
    }
    println!("ready");
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        DONE.store(true, Ordering::Relaxed);
    });
    while !DONE.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
    Ok(())
}

/// The sender prints how long each round trip took, in nanoseconds; the answerer says `ready` and answers. `relayed`: a sender that does not wait
/// itself, as an event loop cannot: a thread does, and tells it by an eventfd.
pub fn trips(path: &str, role: &str, count: usize) -> Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    // SAFETY: the benchmark that started this made the file and leaves it alone.
    let map = unsafe { MmapMut::map_mut(&file)? };
    let word = |at: usize| {
        // SAFETY: aligned words of a page that lives as long as this function; others use them by atomic operations only.
        unsafe { AtomicU32::from_ptr(map.as_ptr().cast_mut().cast::<u32>().add(at)) }
    };
    let turns = 0..count as u32;
    let times = match role {
        "sender" => send(turns, word(0), |turn| wait(word(1), turn)),
        "relayed" => {
            let bell = Bell::new()?;
            std::thread::scope(|scope| {
                let (answers, bell) = (word(1), &bell);
                let their = turns.clone();
                scope.spawn(move || {
                    for turn in their {
                        wait(answers, turn);
                        bell.ring();
                    }
                });
                send(turns, word(0), |_| bell.heard())
            })
        }
        _ => {
            let mut out = std::io::stdout();
            writeln!(out, "ready")?;
            out.flush()?;
            for turn in turns {
                wait(word(0), turn);
                post(word(1), turn + 1);
            }
            Vec::new()
        }
    };
    writeln!(std::io::stdout(), "{}", times.join("\t"))
}

fn send(turns: std::ops::Range<u32>, word: &AtomicU32, answered: impl Fn(u32)) -> Vec<String> {
    turns
        .map(|turn| {
            let begun = Instant::now();
            post(word, turn + 1);
            answered(turn);
            begun.elapsed().as_nanos().to_string()
        })
        .collect()
}

/// eventfd(2) and epoll(7): how another thread reaches the event loop of Node.
struct Bell {
    event: libc::c_int,
    poll: libc::c_int,
}

impl Bell {
    fn new() -> Result<Self> {
        // SAFETY: plain system calls; both descriptors last until the process ends.
        unsafe {
            let event = libc::eventfd(0, libc::EFD_CLOEXEC);
            let poll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            let mut what = libc::epoll_event {
                events: libc::EPOLLIN as u32,
                u64: 0,
            };
            if libc::epoll_ctl(poll, libc::EPOLL_CTL_ADD, event, &raw mut what) != 0 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(Self { event, poll })
        }
    }

    fn ring(&self) {
        // SAFETY: eight bytes, as eventfd(2) wants them.
        unsafe { libc::write(self.event, (&raw const ONE).cast(), 8) };
    }

    fn heard(&self) {
        let mut number = 0_u64;
        // SAFETY: room for one event, and for the eight bytes.
        unsafe {
            let mut event = std::mem::zeroed();
            libc::epoll_wait(self.poll, &raw mut event, 1, -1);
            libc::read(self.event, (&raw mut number).cast(), 8);
        }
    }
}

static ONE: u64 = 1;

fn wait(word: &AtomicU32, old: u32) {
    while word.load(Ordering::SeqCst) == old {
        // SAFETY: futex(2) on a word that is mapped; without a timeout.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                word.as_ptr(),
                libc::FUTEX_WAIT,
                old,
                std::ptr::null::<libc::timespec>(),
            );
        }
    }
}

fn post(word: &AtomicU32, value: u32) {
    word.store(value, Ordering::SeqCst);
    // SAFETY: futex(2) on a word that is mapped.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
}
