//! Arithmetic everywhere; the rest where the system has placeholders (Debian 13's wine does).

use crate::os::Access;
use std::io::Write;

use super::*;

const PAGE: usize = 4096;

fn form(access: Access) -> Form {
    Form {
        access,
        private: access == Access::Copy,
        writable: access != Access::Read,
        exec: false,
        mapped: true,
    }
}

/// Page i is full of i + 1.
fn filled(pages: usize) -> File {
    let mut file = tempfile::tempfile().unwrap();
    for page in 0..pages {
        file.write_all(&[(page + 1) as u8; PAGE]).unwrap();
    }
    file
}

fn byte(range: &Reserved, offset: usize) -> u8 {
    // SAFETY: the tests look only where they have mapped something.
    unsafe { range.base().add(offset).read_volatile() }
}

fn store(range: &Reserved, offset: usize, value: u8) {
    // SAFETY: as above.
    unsafe { range.base().add(offset).write_volatile(value) };
}

/// Maps pages `from..to` of the file at their own places.
fn show(range: &Reserved, file: &File, from: usize, to: usize, form: Form) -> Outcome<()> {
    let (at, offset) = (range.base().wrapping_add(from * PAGE), from * PAGE);
    // SAFETY: inside a range of the test's own.
    unsafe { map_again(at, (to - from) * PAGE, Some(file), offset as u64, form) }
}

fn protection(range: &Reserved, page: usize) -> u32 {
    query(range.base() as usize + page * PAGE).unwrap().Protect
}

#[test]
fn a_view_for_reading_is_one_where_its_pages_can_become_private() {
    let read = form(Access::Read);
    assert_eq!(How::of(read, true).pages, memory::PAGE_READONLY);
    assert_ne!(How::of(read, true), How::of(read, false));
    let write = How::of(form(Access::Write), false);
    assert_eq!(write, How::of(form(Access::Write), true));
    assert_eq!(write.pages, memory::PAGE_READWRITE);
    assert_eq!(
        How::of(form(Access::Copy), true).pages,
        memory::PAGE_WRITECOPY
    );
}

#[test]
fn what_is_shown_is_counted_on_both_sides() {
    let shown = Shown {
        file: std::ptr::null_mut(),
        base: 0x10_0000,
        offset: 0x5000,
    };
    assert_eq!(shown.offset_at(0x10_0000), 0x5000);
    assert_eq!(shown.offset_at(0x10_3000), 0x8000);
    assert_eq!(shown.offset_at(0x0f_e000), 0x3000);
}

#[test]
fn ranges_know_what_lies_in_them() {
    if !holds_places() {
        assert!(Reserved::new(PAGE).is_err_and(|fail| fail.errno() == Some(code::ENOTSUP)));
        return;
    }
    let range = Reserved::new(10 * PAGE).unwrap();
    let base = range.base() as usize;
    let fresh = Some(Held {
        length: 10 * PAGE,
        how: None,
    });
    assert_eq!(held_around(base, 10 * PAGE), fresh);
    assert_eq!(held_around(base + PAGE, 9 * PAGE), fresh);
    assert_eq!(held_around(base + PAGE, 10 * PAGE), None);
    assert_eq!(held_around(base.wrapping_sub(1), 1), None);
    drop(range);
    assert_eq!(held_around(base, PAGE), None);
    assert!(query(base).is_none_or(|facts| facts.State == memory::MEM_FREE));
}

#[test]
fn a_range_grows_and_shrinks_where_it_is() {
    if !holds_places() {
        return;
    }
    let file = filled(24);
    let write = form(Access::Write);
    let range = Reserved::new(40 * PAGE).unwrap();
    show(&range, &file, 0, 8, write).unwrap();
    show(&range, &file, 8, 24, write).unwrap();
    for page in 0..24 {
        assert_eq!(byte(&range, page * PAGE), (page + 1) as u8);
    }
    store(&range, 3 * PAGE, 99);
    // In the middle of the second view, and then of the first.
    for (from, to) in [(10, 24), (4, 10)] {
        // SAFETY: inside a range of the test's own.
        unsafe { shorten(range.base(), from * PAGE, to * PAGE, Some(&file), 0, write) }.unwrap();
        let last = if from == 4 { 99 } else { from as u8 };
        assert_eq!(byte(&range, (from - 1) * PAGE), last);
        assert_eq!(byte(&range, from * PAGE), 0);
    }
    // SAFETY: as above. Windows cuts no file of which anything is mapped.
    unsafe { replace(range.base(), 4 * PAGE, crate::os::Replacement::None) };
    file.set_len(4 * PAGE as u64).unwrap();
    show(&range, &file, 0, 4, write).unwrap();
    file.set_len(24 * PAGE as u64).unwrap();
    show(&range, &file, 4, 24, write).unwrap();
    assert_eq!((byte(&range, PAGE), byte(&range, 3 * PAGE)), (2, 99));
    assert_eq!(byte(&range, 23 * PAGE), 0);
}

#[test]
fn what_protect_did_beside_a_page_holds_when_it_is_exchanged() {
    if !holds_places() {
        return;
    }
    let file = filled(12);
    let write = form(Access::Write);
    let range = Reserved::new(12 * PAGE).unwrap();
    show(&range, &file, 0, 12, write).unwrap();
    let base = range.base() as usize;
    // SAFETY: pages of the test's own.
    unsafe {
        assert!(set_protection(base, 2 * PAGE, memory::PAGE_NOACCESS));
        // On both sides of the page that goes.
        assert!(set_protection(
            base + 4 * PAGE,
            3 * PAGE,
            memory::PAGE_READONLY
        ));
    }
    let shown = Shown {
        file: file.as_raw_handle(),
        base,
        offset: 0,
    };
    // SAFETY: as above.
    assert!(unsafe { put_zeros(base + 5 * PAGE, PAGE, &shown) });
    assert_eq!(byte(&range, 5 * PAGE), 0);
    assert_eq!(protection(&range, 1), memory::PAGE_NOACCESS);
    assert_eq!(protection(&range, 2), memory::PAGE_READWRITE);
    assert_eq!(protection(&range, 4), memory::PAGE_READONLY);
    assert_eq!(protection(&range, 6), memory::PAGE_READONLY);
    assert_eq!(protection(&range, 7), memory::PAGE_READWRITE);
    assert_eq!(byte(&range, 11 * PAGE), 12);
    // Again, where there are zeros already: nothing that was stored there is lost.
    store(&range, 5 * PAGE, 7);
    // SAFETY: as above.
    assert!(unsafe { put_zeros(base + 5 * PAGE, PAGE, &shown) });
    assert_eq!(byte(&range, 5 * PAGE), 7);
    show(&range, &file, 5, 6, write).unwrap();
    assert_eq!(byte(&range, 5 * PAGE), 6);
}

#[test]
fn a_file_that_ends_inside_a_page_is_shown_to_its_end() {
    if !holds_places() {
        return;
    }
    let mut file = filled(2);
    file.write_all(b"rest").unwrap();
    let range = Reserved::new(3 * PAGE).unwrap();
    show(&range, &file, 0, 3, form(Access::Read)).unwrap();
    assert_eq!(byte(&range, 2 * PAGE + 3), b't');
    assert_eq!(byte(&range, 2 * PAGE + 4), 0);
}

#[test]
fn what_protect_did_to_very_many_pages_holds_too() {
    // More than have a place on the stack, and more than the first pages that are taken for them hold.
    const RUNS: usize = 1100;
    if !holds_places() {
        return;
    }
    let file = filled(0);
    file.set_len((2 * RUNS + 2) as u64 * PAGE as u64).unwrap();
    let range = Reserved::new((2 * RUNS + 2) * PAGE).unwrap();
    show(&range, &file, 0, 2 * RUNS + 2, form(Access::Write)).unwrap();
    let base = range.base() as usize;
    for run in 0..RUNS {
        // SAFETY: pages of the test's own.
        assert!(unsafe { set_protection(base + 2 * run * PAGE, PAGE, memory::PAGE_READONLY) });
    }
    let shown = Shown {
        file: file.as_raw_handle(),
        base,
        offset: 0,
    };
    // SAFETY: as above.
    assert!(unsafe { put_zeros(base + (2 * RUNS + 1) * PAGE, PAGE, &shown) });
    for run in 0..RUNS {
        assert_eq!(protection(&range, 2 * run), memory::PAGE_READONLY);
        assert_eq!(protection(&range, 2 * run + 1), memory::PAGE_READWRITE);
    }
}

#[test]
fn zeros_behind_the_end_stay_when_a_part_of_them_shows_the_file_again() {
    if !holds_places() {
        return;
    }
    let file = filled(12);
    let write = form(Access::Write);
    let range = Reserved::new(12 * PAGE).unwrap();
    show(&range, &file, 0, 12, write).unwrap();
    // SAFETY: inside a range of the test's own.
    unsafe { shorten(range.base(), 3 * PAGE, 12 * PAGE, Some(&file), 0, write) }.unwrap();
    show(&range, &file, 3, 5, write).unwrap();
    assert_eq!(byte(&range, 4 * PAGE), 5);
    // There is no guard here: a page that is reserved only ends the test.
    assert_eq!((byte(&range, 5 * PAGE), byte(&range, 11 * PAGE)), (0, 0));
}
