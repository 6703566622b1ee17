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

/// The sender prints how long each round trip took, in nanoseconds; the answerer says `ready` and answers.
pub fn trips(path: &str, sender: bool, count: usize) -> Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    // SAFETY: the benchmark that started this made the file and leaves it alone.
    let map = unsafe { MmapMut::map_mut(&file)? };
    let word = |at: usize| {
        // SAFETY: aligned words of a page that lives as long as this function; others use them by atomic operations only.
        unsafe { AtomicU32::from_ptr(map.as_ptr().cast_mut().cast::<u32>().add(at)) }
    };
    let mut out = std::io::stdout();
    if !sender {
        writeln!(out, "ready")?;
        out.flush()?;
    }
    let mut times = Vec::with_capacity(count);
    for turn in 0..count as u32 {
        if sender {
            let begun = Instant::now();
            post(word(0), turn + 1);
            wait(word(1), turn);
            times.push(begun.elapsed().as_nanos().to_string());
        } else {
            wait(word(0), turn);
            post(word(1), turn + 1);
        }
    }
    writeln!(out, "{}", times.join("\t"))
}

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
