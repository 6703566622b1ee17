//! The memchr crate over a mapped file, and memcpy out of it, told what to do line by line: `find <threads> <needle>`, `count <threads> <byte as
//! a number>`, `copy <slice in bytes>`. Answers each line with `<nanoseconds> <nanoseconds of processor time, of all threads> <result>`. The file's path is the argument.

use std::io::{BufRead, Write};
use std::time::Instant;

use memchr::memmem::Finder;
use memmap2::Mmap;

fn main() -> std::io::Result<()> {
    let path = std::env::args_os().nth(1).expect("the path of a file");
    let file = std::fs::File::open(path)?;
    // SAFETY: the benchmark that started this made the file and leaves it alone.
    let map = unsafe { Mmap::map(&file)? };
    let mut target = Vec::new();
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.splitn(3, ' ');
        let (verb, number) = (words.next(), words.next());
        let number: usize = number.and_then(|n| n.parse().ok()).expect("a number");
        let rest = words.next().unwrap_or_default();
        let (begun, used) = (Instant::now(), processor());
        let result = match verb {
            Some("find") => shared(&map, number, |part| {
                Finder::new(rest.as_bytes()).find(part).map_or(0, |_| 1)
            }),
            Some("count") => {
                let byte: u8 = rest.parse().expect("a byte");
                shared(&map, number, |part| memchr::memchr_iter(byte, part).count())
            }
            Some("copy") => {
                target.resize(number, 0);
                for slice in map.chunks_exact(number) {
                    target.copy_from_slice(slice);
                    std::hint::black_box(&mut target);
                }
                map.len()
            }
            _ => panic!("what is {line}?"),
        };
        let took = begun.elapsed().as_nanos();
        writeln!(out, "{took} {} {result}", processor() - used)?;
        out.flush()?;
    }
    Ok(())
}

/// Equal parts, a thread each, and the sum of what they find. What crosses their bounds is not looked for: this is a floor.
fn shared(map: &[u8], threads: usize, work: impl Fn(&[u8]) -> usize + Sync) -> usize {
    if threads < 2 {
        return work(map);
    }
    std::thread::scope(|scope| {
        let parts = map.chunks(map.len().div_ceil(threads));
        let all: Vec<_> = parts.map(|part| scope.spawn(|| work(part))).collect();
        all.into_iter()
            .map(|one| one.join().expect("a thread that ends"))
            .sum()
    })
}

/// clock_gettime(2): what this process has used.
fn processor() -> i64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut now) };
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}
