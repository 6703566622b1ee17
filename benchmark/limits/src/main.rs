//! Programs that do only what nobody can leave out: the floor under every case. A persistent child: a request is a line of words between tabs,
//! `<verb> <path> <more>...`; the answer is `<result> <nanoseconds of processor time> <nanoseconds> <nanoseconds>...`, likewise between tabs.
//!
//! `memmap-limits spin` and `memmap-limits trips <path> <role> <count>` are programs of their own (see waits.rs).

mod files;
mod memory;
mod waits;

use std::io::{BufRead, Result, Write};

/// What a verb found, and how long each of its repetitions took.
pub struct Answer {
    /// Compared with what the others found.
    pub result: i64,
    /// In nanoseconds.
    pub times: Vec<u128>,
}

impl Answer {
    /// Of one action.
    pub fn timed(action: impl FnOnce() -> i64) -> Self {
        let begun = std::time::Instant::now();
        let result = action();
        Self {
            result,
            times: vec![begun.elapsed().as_nanos()],
        }
    }
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("spin") => waits::spin(),
        Some("trips") => waits::trips(&words[1], &words[2], number(&words, 3)),
        _ => serve(),
    }
}

fn serve() -> Result<()> {
    let mut maps = memory::Maps::default();
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<String> = line.split('\t').map(String::from).collect();
        let used = processor();
        let answer = match words[0].as_str() {
            "find" => memory::find(maps.get(&words[1])?, &words[2], number(&words, 3)),
            "count" => memory::count(maps.get(&words[1])?, &words[2], number(&words, 3)),
            "copy" => memory::copy(maps.get(&words[1])?, number(&words, 2)),
            "sum" => memory::sum(maps.get(&words[1])?),
            "increment" => files::increment(&words[1], number(&words, 2)),
            "open" => files::open(&words[1], number(&words, 2)),
            "hold" => files::hold(&words[1], number(&words, 2)),
            "touch" => files::touch(&words[1]),
            "append" => files::append(&words[1], number(&words, 2), number(&words, 3)),
            "unmap" => files::unmap(&words[1]),
            _ => panic!("what is {line}?"),
        }?;
        write!(out, "{}\t{}", answer.result, processor() - used)?;
        for time in answer.times {
            write!(out, "\t{time}")?;
        }
        writeln!(out)?;
        out.flush()?;
    }
    Ok(())
}

fn number(words: &[String], at: usize) -> usize {
    words[at].parse().expect("a number")
}

/// clock_gettime(2): what this process has used, in nanoseconds.
fn processor() -> i64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut now) };
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}
