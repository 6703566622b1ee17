//! A page behind the pages of a carrier, in the part of the engine's reservation that it does not use: while the mark is there, so is the
//! reservation, whoever has its buffer by now.
//!
//! A buffer that the user has transferred is in another one that we don't know, perhaps of another thread, and is freed with that. Before
//! anything is put in the place of its pages we look whether they are still the engine's: it frees all of a reservation at once. (Between
//! the look and the call the collector of another thread could free it and a third could get the addresses: microseconds, of a buffer that
//! was taken away behind our back. Without the look the file would stay in reach after `close()`.)
#![allow(
    unsafe_code,
    reason = "a page of the engine's reservation that nobody else uses"
)]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Outcome;
use crate::os::{self, Access, Form, Pages, Protection, Replacement};

/// What is written there: which mark of this process it is, where it lies, and when the process made its first.
type Word = [usize; 3];

static COUNT: AtomicUsize = AtomicUsize::new(1);
static SEED: LazyLock<usize> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_nanos() as usize)
});

/// One page with a number that is nowhere else.
pub struct Mark {
    page: *mut u8,
    word: Word,
}

impl Mark {
    /// Puts it on the page at `page`.
    ///
    /// # Safety
    /// The page is the caller's: reserved, and out of everybody's reach.
    pub unsafe fn put(page: *mut u8) -> Outcome<Self> {
        let length = os::page_size();
        let word = [COUNT.fetch_add(1, Ordering::Relaxed), page as usize, *SEED];
        let form = Form {
            access: Access::Copy,
            private: true,
            writable: true,
            exec: false,
            mapped: false,
        };
        // SAFETY: as the caller promises; the page is writable then, and longer than the word.
        unsafe {
            os::map_again(page, length, None, 0, form)?;
            page.copy_from_nonoverlapping(word.as_ptr().cast(), size_of_val(&word));
        }
        os::protect(Pages { base: page, length }, Protection::Read)?;
        Ok(Self { page, word })
    }

    /// Whether the reservation is still the one.
    pub fn is_there(&self) -> bool {
        os::peek(self.page) == Some(self.word)
    }

    /// The engine has the page back as it was. Only while the reservation is there.
    pub fn remove(&self) {
        // SAFETY: nobody else has used the page since `put`.
        unsafe { os::replace(self.page, os::page_size(), Replacement::None) };
    }
}
