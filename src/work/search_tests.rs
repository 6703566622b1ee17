//! Searches of real mappings, on several threads, against a naive scan.

use std::io::Write;
use std::thread;

use napi::bindgen_prelude::{Buffer, Either3};
use proptest::prelude::*;

use super::*;
use crate::open;
use crate::request::Request;
use crate::search::tests::{bytes_and_needle, naive_starts};

/// Bits of `lib/flags.ts`.
const WRITE: u32 = 1;
const COPY: u32 = 2;

fn open_as(target: Either3<String, Buffer, i32>, flags: u32, offset: u64) -> Arc<Region> {
    open::open(&Request::new(target, flags, offset as f64, -1.0, 0, 0.0)).expect("the file maps")
}

fn mapped(file: &tempfile::NamedTempFile, offset: u64) -> Arc<Region> {
    open_as(
        Either3::A(file.path().to_string_lossy().into_owned()),
        WRITE,
        offset,
    )
}

fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("is written");
    file
}

/// All lanes on threads of their own, until nothing is left.
fn run(search: &Search, lanes: usize) {
    thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| while search.slice().expect("no fault") {});
        }
    });
}

fn number(search: &Search) -> f64 {
    match search.answer() {
        Answer::Number(number) => number,
        other => panic!("{other:?} is no number"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn several_threads_find_what_one_scan_finds((bytes, needle) in bytes_and_needle(), repeats in 1_usize..20, offset in 0_usize..50, size in 1_usize..200, lanes in 1_usize..5) {
        let bytes = bytes.repeat(repeats);
        let file = file_of(&bytes);
        let offset = offset.min(bytes.len());
        let region = mapped(&file, offset as u64);
        let truth = naive_starts(&bytes[offset..], &needle, 0, usize::MAX);
        let search = |want, from: usize| Search::with_slices(Query::new(Arc::clone(&region), &needle, from, usize::MAX), want, (size, size));

        let first = search(Want::First, 0);
        run(&first, lanes);
        prop_assert_eq!(number(&first), truth.first().map_or(-1.0, |at| *at as f64));

        let count = search(Want::Count, 0);
        run(&count, lanes);
        prop_assert_eq!(number(&count), truth.len() as f64);
        let query = Query::new(Arc::clone(&region), &needle, 0, usize::MAX);
        prop_assert_eq!(query.count().expect("no fault"), truth.len() as u64);
        prop_assert_eq!(query.first().expect("no fault"), truth.first().copied());

        let mut starts = Vec::new();
        let mut from = 0.0;
        while from >= 0.0 {
            let batch = search(Want::Starts, from as usize);
            run(&batch, lanes);
            let Answer::Positions(positions) = batch.answer() else { panic!("no batch") };
            prop_assert!(positions[0] < 0.0 || positions[0] > from);
            from = positions[0];
            starts.extend_from_slice(&positions[1..]);
        }
        prop_assert_eq!(starts, truth.iter().map(|at| *at as f64).collect::<Vec<_>>());
    }
}

#[test]
fn batches_go_on_where_the_last_one_ended_and_stay_small() {
    let file = file_of(&vec![b'a'; 300_001]);
    let region = mapped(&file, 0);
    let (mut from, mut total, mut batches) = (0.0, 0, 0);
    while from >= 0.0 {
        let query = Query::new(Arc::clone(&region), b"aa", from as usize, usize::MAX);
        let batch = Search::with_slices(query, Want::Starts, (4096, 4096));
        run(&batch, 3);
        let Answer::Positions(positions) = batch.answer() else {
            panic!("no batch")
        };
        assert!(
            positions.len() <= 1 + BATCH + 4 * 2048,
            "{} positions at once",
            positions.len()
        );
        assert!(
            positions[1..]
                .windows(2)
                .all(|pair| pair[1] - pair[0] == 2.0)
        );
        total += positions.len() - 1;
        from = positions[0];
        batches += 1;
    }
    assert_eq!(total, 150_000);
    assert!(batches > 10);
}

#[cfg(target_os = "linux")]
#[test]
fn a_terabyte_of_hole_is_searched_at_once() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    let size: u64 = 1 << 40;
    file.as_file().set_len(size).expect("a sparse file");
    file.write_all(b"needle").expect("is written");
    let region = mapped(&file, 0);
    assert!(
        region.holes().is_some(),
        "no holes are seen in a sparse file here"
    );
    // Through the mapping: data that the file system has not seen yet.
    crate::bytes::write(&region, b"needle", (size / 2 - 3) as usize).expect("inside");
    let begun = Instant::now();
    let query = Query::new(Arc::clone(&region), b"needle", 1, usize::MAX);
    assert_eq!(
        query.first().expect("no fault"),
        Some((size / 2 - 3) as usize)
    );
    assert_eq!(
        query.last(usize::MAX).expect("no fault"),
        Some((size / 2 - 3) as usize)
    );
    assert_eq!(query.count().expect("no fault"), 1);
    let count = Search::new(
        Query::new(Arc::clone(&region), b"needle", 0, usize::MAX),
        Want::Count,
    );
    run(&count, 2);
    assert_eq!(number(&count), 2.0);
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "took {:?}",
        begun.elapsed()
    );
}

#[cfg(target_os = "linux")]
#[test]
fn asking_for_holes_moves_no_offset_of_the_caller() {
    use std::io::Seek;
    use std::os::fd::AsRawFd;

    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.as_file().set_len(1 << 30).expect("a sparse file");
    file.as_file_mut()
        .seek(std::io::SeekFrom::Start(7))
        .expect("seeks");
    let region = open_as(Either3::C(file.as_file().as_raw_fd()), WRITE, 0);
    assert_eq!(
        Query::new(region, b"x", 0, usize::MAX)
            .first()
            .expect("no fault"),
        None
    );
    assert_eq!(file.as_file_mut().stream_position().expect("tells"), 7);
}

#[test]
fn a_private_mapping_is_searched_in_its_holes_too() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.as_file().set_len(1 << 20).expect("a sparse file");
    let region = open_as(
        Either3::A(file.path().to_string_lossy().into_owned()),
        COPY,
        0,
    );
    crate::bytes::write(&region, b"here", 700_000).expect("inside");
    assert_eq!(
        Query::new(region, b"here", 0, usize::MAX)
            .first()
            .expect("no fault"),
        Some(700_000)
    );
}
