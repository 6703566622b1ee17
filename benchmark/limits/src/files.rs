//! What opens, maps, changes and unmaps files: the bare system calls.

use std::fs::{File, OpenOptions};
use std::io::Result;
use std::time::Instant;

use memmap2::{Mmap, MmapMut};

use crate::Answer;

const PAGE: usize = 4096;

fn map(path: &str) -> Result<Mmap> {
    // SAFETY: the benchmark that started this made the file and leaves it alone.
    unsafe { Mmap::map(&File::open(path)?) }
}

fn map_mut(path: &str) -> Result<MmapMut> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    // SAFETY: as above.
    unsafe { MmapMut::map_mut(&file) }
}

/// Opens and maps, adds 1 to `count` integers in random places, unmaps. The places are those of `positions` in harness/fixtures.mjs.
pub fn increment(path: &str, count: usize) -> Result<Answer> {
    let words = std::fs::metadata(path)?.len() as usize / 4;
    let mut seed = 1_u32;
    let positions: Vec<usize> = (0..count)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as usize & (words - 1)
        })
        .collect();
    let mut failed = None;
    let answer = Answer::timed(|| match map_mut(path) {
        Ok(mut map) => {
            let (words, _) = map.as_chunks_mut::<4>();
            for at in positions {
                words[at] = i32::from_ne_bytes(words[at]).wrapping_add(1).to_ne_bytes();
            }
            count as i64
        }
        Err(error) => {
            failed = Some(error);
            -1
        }
    });
    failed.map_or(Ok(answer), Err)
}

/// Opens, maps, reads the first byte and unmaps, so many times.
pub fn open(path: &str, count: usize) -> Result<Answer> {
    let mut times = Vec::with_capacity(count);
    let mut result = 0;
    for _ in 0..count {
        let begun = Instant::now();
        let mapped = map(path)?;
        result = i64::from(std::hint::black_box(mapped[0]));
        drop(mapped);
        times.push(begun.elapsed().as_nanos());
    }
    Ok(Answer { result, times })
}

/// So many mappings of one file at the same time: the time of all.
pub fn hold(path: &str, count: usize) -> Result<Answer> {
    let begun = Instant::now();
    let all: Vec<Mmap> = (0..count).map(|_| map(path)).collect::<Result<_>>()?;
    let result = all.iter().filter(|one| one[0] == all[0][0]).count() as i64;
    drop(all);
    Ok(Answer {
        result,
        times: vec![begun.elapsed().as_nanos()],
    })
}

/// The first byte of each page of a file: their sum.
pub fn touch(path: &str) -> Result<Answer> {
    let map = map(path)?;
    Ok(Answer::timed(|| touched(&map)))
}

fn touched(map: &[u8]) -> i64 {
    map.iter().step_by(PAGE).map(|byte| i64::from(*byte)).sum()
}

/// Appends records to a file that grows, mapped in segments of 16 MiB. Another thread makes the next ones, so that their pages are there already:
/// nothing is left to the appender but the copy, and no way is known to make pages faster than to write them.
pub fn append(path: &str, count: usize, bytes: usize) -> Result<Answer> {
    let record = vec![b'x'; bytes];
    let begun = Instant::now();
    let segments = (count * bytes).div_ceil(SEGMENT);
    let (made, taken) = std::sync::mpsc::sync_channel(1);
    let written = std::thread::scope(|scope| {
        let maker = scope.spawn(move || -> Result<()> {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(path)?;
            file.set_len((segments * SEGMENT) as u64)?;
            for number in 0..segments {
                let map = prepared(&file, (number * SEGMENT) as u64)?;
                if made.send(map).is_err() {
                    break;
                }
            }
            Ok(())
        });
        let mut written = 0;
        for mut map in taken {
            for slot in map.chunks_exact_mut(bytes).take(count - written) {
                slot.copy_from_slice(&record);
                written += 1;
            }
        }
        maker.join().expect("a thread that ends").map(|()| written)
    })?;
    Ok(Answer {
        result: written as i64,
        times: vec![begun.elapsed().as_nanos()],
    })
}

const SEGMENT: usize = 16 << 20;
const SLICE: usize = 2 << 20;

fn prepared(file: &File, offset: u64) -> Result<MmapMut> {
    use std::os::unix::fs::FileExt;
    let mut options = memmap2::MmapOptions::new();
    // SAFETY: as above.
    let map = unsafe { options.offset(offset).len(SEGMENT).map_mut(file) }?;
    // Nothing is read ahead where nothing is.
    #[cfg(unix)]
    map.advise(memmap2::Advice::Random)?;
    let zeros = vec![0; 64 << 10];
    for slice in (0..SEGMENT).step_by(SLICE) {
        for at in (slice..slice + SLICE).step_by(zeros.len()) {
            file.write_all_at(&zeros, offset + at as u64)?;
        }
        #[cfg(target_os = "linux")]
        map.advise_range(memmap2::Advice::PopulateWrite, slice, SLICE)?;
    }
    Ok(map)
}

/// munmap(2) of a file whose pages were all touched: the time of that call alone.
pub fn unmap(path: &str) -> Result<Answer> {
    let map = map(path)?;
    std::hint::black_box(touched(&map));
    Ok(Answer::timed(|| {
        let length = map.len() as i64;
        drop(map);
        length
    }))
}
