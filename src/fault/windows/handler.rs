//! What happens when an access violation or an in-page error arrives: a vectored exception handler, in
//! front of those that were there before. V8's, which makes WebAssembly's traps of access violations,
//! is one of them: what is not about a page of ours goes on to it.
//!
//! Handlers stand in a list of which nobody displaces another, so each copy of this package has its
//! own, once.
#![allow(
    unsafe_code,
    reason = "reads what the system hands to an exception handler"
)]

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use windows_sys::Win32::{
    Foundation::{
        EXCEPTION_ACCESS_VIOLATION, EXCEPTION_IN_PAGE_ERROR, GetLastError, NTSTATUS,
        STATUS_COMMITMENT_LIMIT, STATUS_DISK_FULL, STATUS_DISK_QUOTA_EXCEEDED,
        STATUS_INSUFFICIENT_RESOURCES, SetLastError,
    },
    System::Diagnostics::Debug::{
        AddVectoredExceptionHandler, EXCEPTION_POINTERS, EXCEPTION_RECORD,
    },
};

#[cfg(any(test, feature = "test-hooks"))]
use super::super::answer::read_delay;
use super::super::{
    answer::answer,
    enabled,
    pages::{Cause, Signal},
};
use crate::os;

/// excpt.h.
const EXCEPTION_CONTINUE_EXECUTION: i32 = -1;
const EXCEPTION_CONTINUE_SEARCH: i32 = 0;

/// `EXCEPTION_RECORD`: "The first element of the array contains a read-write flag". 8 is a jump into pages
/// that are not executable: those that we put there would not be either.
const LOAD: usize = 0;
const STORE: usize = 1;

/// What an exception is about: the address, and why.
///
/// "The second array element specifies the virtual address of the inaccessible data"; of an in-page error
/// "the third array element specifies the underlying NTSTATUS code".
fn classify(record: &EXCEPTION_RECORD) -> Option<(usize, Cause)> {
    let number = |index: usize| {
        (index < record.NumberParameters as usize).then(|| record.ExceptionInformation[index])
    };
    let (access, address) = (number(0)?, number(1)?);
    if !matches!(access, LOAD | STORE) {
        return None;
    }
    let store = Some(access == STORE);
    let cause = match record.ExceptionCode {
        EXCEPTION_ACCESS_VIOLATION => Cause {
            signal: Signal::Denied,
            store,
            full: None,
        },
        EXCEPTION_IN_PAGE_ERROR => Cause {
            signal: Signal::Missing,
            store,
            full: Some(is_full(number(2)? as NTSTATUS)),
        },
        _ => return None,
    };
    Some((address, cause))
}

fn is_full(status: NTSTATUS) -> bool {
    matches!(
        status,
        STATUS_DISK_FULL
            | STATUS_DISK_QUOTA_EXCEEDED
            | STATUS_COMMITMENT_LIMIT
            | STATUS_INSUFFICIENT_RESOURCES
    )
}

unsafe extern "system" fn on_exception(pointers: *mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the system calls this with pointers that are valid until it returns.
    let record = unsafe { &*(*pointers).ExceptionRecord };
    // First of all, and on little stack: a stack overflow comes here, too.
    let Some((address, cause)) = classify(record) else {
        return EXCEPTION_CONTINUE_SEARCH;
    };
    // SAFETY: have no preconditions. The interrupted code must not see our system calls.
    let last = unsafe { GetLastError() };
    let survived = answer(cause, address);
    // SAFETY: as above.
    unsafe { SetLastError(last) };
    if survived {
        EXCEPTION_CONTINUE_EXECUTION
    } else {
        EXCEPTION_CONTINUE_SEARCH
    }
}

static LOST: AtomicBool = AtomicBool::new(false);

/// Installs the guard, once. False: the system has refused it; faults may kill. True where there is no guard
/// to install.
pub fn ensure() -> bool {
    static INSTALLED: Mutex<bool> = Mutex::new(false);
    if !enabled() {
        return true;
    }
    #[cfg(any(test, feature = "test-hooks"))]
    read_delay();
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*installed {
        // Tried out here, never in the handler.
        os::page_abilities();
        // SAFETY: the function is never unloaded: module init pins the add-on in memory.
        *installed = unsafe { !AddVectoredExceptionHandler(1, Some(on_exception)).is_null() };
        LOST.store(!*installed, Ordering::Relaxed);
    }
    *installed
}

/// Whether the system has refused the handler: the next fault may kill.
pub fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}
