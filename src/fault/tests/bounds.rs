//! Tens of thousands of scattered faults: the process must not run out of mappings
//! (`vm.max_map_count`, 65,530).

use super::*;

const FAULTS: usize = 65_000;

#[test]
fn scattered_stores_to_a_read_mapping() {
    let mapped = Mapped::filled(2 * FAULTS, READ, libc::MAP_SHARED);
    // Every second page, in an order that jumps: 7919 is prime to 65,000.
    for i in 0..FAULTS {
        let page = i * 7919 % FAULTS * 2;
        mapped.store(page * PAGE, 0);
        mapped.store(page * PAGE + 1, (page % 250) as u8);
    }
    let most = mappings_in(mapped.base, mapped.len);
    println!(
        "  {FAULTS} scattered stores: {} faults, {most} mappings",
        mapped.slot().count()
    );
    assert!(most < 2000);
    for page in (0..2 * FAULTS).step_by(2) {
        assert_eq!(
            (mapped.read(page * PAGE), mapped.read(page * PAGE + 1)),
            (0, (page % 250) as u8),
            "page {page}"
        );
        assert_eq!(mapped.read((page + 1) * PAGE), mark(page + 1));
    }
    assert_intact(mapped.file.as_ref().unwrap(), 2 * FAULTS);
    assert_eq!(mapped.clear(), [(0, 2 * FAULTS)]);
    assert_eq!(mappings_in(mapped.base, mapped.len), 1);
}

#[test]
fn stores_to_a_read_mapping_in_order() {
    let mapped = Mapped::filled(FAULTS, READ, libc::MAP_SHARED);
    let started = std::time::Instant::now();
    for page in 0..FAULTS {
        mapped.store(page * PAGE + 1, 0);
    }
    let each = started.elapsed() / FAULTS as u32;
    let most = mappings_in(mapped.base, mapped.len);
    println!(
        "  {FAULTS} stores in order: {} faults of {each:?}, {most} mappings",
        mapped.slot().count()
    );
    assert!(most < 2000);
    assert_eq!(
        mapped.slot().count() as usize,
        FAULTS,
        "one run: page by page to the end"
    );
    assert_intact(mapped.file.as_ref().unwrap(), FAULTS);
}

#[test]
fn scattered_stores_to_protected_memory() {
    let base = mmap(
        0,
        2 * FAULTS * PAGE,
        READ,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
        -1,
        0,
    );
    let mapped = Mapped::guard(
        base,
        2 * FAULTS * PAGE,
        PAGE,
        None,
        READ,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    for page in (0..2 * FAULTS).step_by(2) {
        mapped.store(page * PAGE, 1);
    }
    assert!(mappings_in(mapped.base, mapped.len) < 2000);
    assert!(
        (0..2 * FAULTS)
            .step_by(2)
            .all(|page| mapped.read(page * PAGE) == 1)
    );
}

#[test]
fn scattered_loads_from_a_retired_mapping() {
    let mapped = Mapped::file(filled_file(1), 2 * FAULTS, READ, libc::MAP_SHARED);
    mapped.retire(libc::PROT_NONE);
    for i in 0..FAULTS {
        assert_eq!(mapped.read(i * 7919 % FAULTS * 2 * PAGE), 0);
    }
    assert!(mappings_in(mapped.base, mapped.len) < 2000);
}

#[test]
fn many_mappings_with_many_copies_share_one_allowance() {
    in_child(
        "bounds::many_mappings_with_many_copies_share_one_allowance",
        || {
            let mapped: Vec<_> = (0..200)
                .map(|_| Mapped::filled(600, READ, libc::MAP_SHARED))
                .collect();
            for one in &mapped {
                for page in (0..600).step_by(2) {
                    one.store(page * PAGE, 0);
                }
            }
            let maps = std::fs::read_to_string("/proc/self/maps")
                .unwrap()
                .lines()
                .count();
            println!("  200 mappings of 300 scattered stores: {maps} mappings");
            assert!(maps < 25_000);
            assert!(
                mapped.iter().all(|one| (0..600).all(
                    |page| one.read(page * PAGE) == if page % 2 == 0 { 0 } else { mark(page) }
                ))
            );
        },
    );
}
