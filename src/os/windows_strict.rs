//! What protections of pages were, for when they are shown again.
#![allow(
    unsafe_code,
    reason = "system calls on address space that the callers hold"
)]

use std::ptr::{null, null_mut};

use windows_sys::Win32::System::Memory as memory;

use super::windows_abilities::{query, set_protection};
use super::windows_calls::release;
use crate::error::{Fail, Outcome};

/// A run of pages, and their protection.
type Run = (usize, usize, u32);

/// Protections that are stricter than the view's own: they must be as strict when the file is shown there again. The handler must not use the
/// heap: what has no place here lies in pages of its own.
pub(super) struct Strict {
    first: [Run; 16],
    count: usize,
    more: *mut Run,
    room: usize,
}

impl Strict {
    pub(super) fn new() -> Self {
        Self {
            first: [(0, 0, 0); 16],
            count: 0,
            more: null_mut(),
            room: 0,
        }
    }

    /// Of the views in `from..to`, or of nothing, if the range is empty.
    pub(super) fn note(&mut self, from: usize, to: usize, usual: u32) -> Outcome<()> {
        let mut at = from;
        while at < to
            && let Some(facts) = query(at)
        {
            let end = (facts.BaseAddress as usize + facts.RegionSize).min(to);
            let strict = matches!(
                facts.Protect,
                memory::PAGE_NOACCESS | memory::PAGE_READONLY | memory::PAGE_EXECUTE_READ
            );
            if strict && facts.Type == memory::MEM_MAPPED && facts.Protect != usual {
                self.add((at, end, facts.Protect))?;
            }
            at = end;
        }
        Ok(())
    }

    fn add(&mut self, run: Run) -> Outcome<()> {
        let at = self.count;
        if let Some(place) = self.first.get_mut(at) {
            *place = run;
        } else {
            let at = at - self.first.len();
            if at == self.room {
                self.grow()?;
            }
            // SAFETY: `grow` has seen to it that there is room for it.
            unsafe { self.more.add(at).write(run) };
        }
        self.count += 1;
        Ok(())
    }

    fn grow(&mut self) -> Outcome<()> {
        let room = (self.room * 2).max(1024);
        let kind = memory::MEM_RESERVE | memory::MEM_COMMIT;
        // SAFETY: new memory where the system likes; what was there before fits into it and is given back.
        unsafe {
            let size = room * size_of::<Run>();
            let fresh =
                memory::VirtualAlloc(null(), size, kind, memory::PAGE_READWRITE).cast::<Run>();
            if fresh.is_null() {
                return Err(Fail::last("mmap"));
            }
            if self.room > 0 {
                fresh.copy_from_nonoverlapping(self.more, self.room);
                release(self.more as usize);
            }
            (self.more, self.room) = (fresh, room);
        }
        Ok(())
    }

    pub(super) fn restore(&self) {
        for index in 0..self.count {
            let (from, to, protection) = self.first.get(index).copied().unwrap_or_else(|| {
                // SAFETY: `add` wrote so many.
                unsafe { self.more.add(index - self.first.len()).read() }
            });
            // SAFETY: whole pages of a view that was just mapped again in a range of the caller's.
            unsafe { set_protection(from, to - from, protection) };
        }
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        if self.room > 0 {
            // SAFETY: made by `grow`, given back once.
            unsafe { release(self.more as usize) };
        }
    }
}
