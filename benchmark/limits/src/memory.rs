//! What runs over the bytes of files that stay mapped, page cache warm.

use std::collections::HashMap;
use std::io::Result;

use memchr::memmem::Finder;
use memmap2::Mmap;

use crate::Answer;

/// Mapped once, by path: later requests find the pages in place, as those of the others do.
#[derive(Default)]
pub struct Maps(HashMap<String, Mmap>);

impl Maps {
    /// The bytes of a file.
    pub fn get(&mut self, path: &str) -> Result<&[u8]> {
        if !self.0.contains_key(path) {
            let file = std::fs::File::open(path)?;
            // SAFETY: the benchmark that started this made the file and leaves it alone.
            let map = unsafe { Mmap::map(&file)? };
            self.0.insert(path.to_owned(), map);
        }
        Ok(&self.0[path])
    }
}

/// memmem(3): where the needle is, or -1.
pub fn find(map: &[u8], needle: &str, threads: usize) -> Result<Answer> {
    let needle = needle.as_bytes();
    Ok(Answer::timed(|| {
        let found = shared(map, threads, |part| {
            // A finder of one byte is memchr.
            let found = match needle {
                [byte] => memchr::memchr(*byte, part),
                _ => Finder::new(needle).find(part),
            };
            found.map_or(-1, |at| at as i64)
        });
        let part = map.len().div_ceil(threads) as i64;
        let found = found.iter().enumerate().find(|(_, at)| **at >= 0);
        found.map_or(-1, |(i, at)| i as i64 * part + at)
    }))
}

/// How often a byte occurs.
pub fn count(map: &[u8], byte: &str, threads: usize) -> Result<Answer> {
    let byte: u8 = byte.parse().expect("a byte as a number");
    Ok(Answer::timed(|| {
        shared(map, threads, |part| {
            memchr::memchr_iter(byte, part).count() as i64
        })
        .iter()
        .sum()
    }))
}

/// memcpy(3), slice by slice, into the same target.
pub fn copy(map: &[u8], slice: usize) -> Result<Answer> {
    let mut target = vec![0; slice];
    Ok(Answer::timed(|| {
        for from in map.chunks_exact(slice) {
            target.copy_from_slice(from);
            std::hint::black_box(&mut target);
        }
        map.len() as i64
    }))
}

/// The sum of all 32-bit integers.
pub fn sum(map: &[u8]) -> Result<Answer> {
    Ok(Answer::timed(|| {
        let (words, _) = map.as_chunks::<4>();
        words
            .iter()
            .map(|word| i64::from(i32::from_ne_bytes(*word)))
            .sum()
    }))
}

/// Equal parts, a thread each. What crosses their bounds is not looked for: this is a floor.
fn shared(map: &[u8], threads: usize, work: impl Fn(&[u8]) -> i64 + Sync) -> Vec<i64> {
    if threads < 2 {
        return vec![work(map)];
    }
    std::thread::scope(|scope| {
        let work = &work;
        let parts = map.chunks(map.len().div_ceil(threads));
        let all: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        all.into_iter()
            .map(|one| one.join().expect("a thread that ends"))
            .collect()
    })
}
