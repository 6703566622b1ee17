//! What happens when SIGBUS or SIGSEGV arrives. No allocation, no `thread_local`, no lock but the
//! guard's own, no panic.
#![allow(
    unsafe_code,
    reason = "reads what the kernel hands to a signal handler"
)]

use std::ffi::{c_int, c_void};

use super::super::{
    answer::answer,
    pages::{Cause, Signal},
};

// The same numbers on Linux, macOS and FreeBSD (`<signal.h>` of each).
const SEGV_ACCERR: c_int = 2;
const BUS_ADRERR: c_int = 2;
const BUS_OBJERR: c_int = 3;
/// XNU says so of every SIGBUS on arm64 (bsd/dev/arm/unix_signal.c), and means alignment elsewhere.
const BUS_ADRALN: c_int = if cfg!(target_vendor = "apple") {
    1
} else {
    c_int::MIN + 1
};
/// "Hardware memory error consumed on a machine check: action required", sigaction(2).
#[cfg(any(target_os = "linux", target_os = "android"))]
const BUS_MCEERR_AR: c_int = 4;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const BUS_MCEERR_AR: c_int = c_int::MIN;

/// Everything else is not about a page: alignment traps would come again for ever, and `kill -BUS`
/// has a process id where the address should be.
fn classify(signal: c_int, code: c_int) -> Option<Signal> {
    match (signal, code) {
        (libc::SIGBUS, BUS_ADRALN | BUS_ADRERR | BUS_OBJERR) => Some(Signal::Missing),
        (libc::SIGBUS, BUS_MCEERR_AR) => Some(Signal::Poisoned),
        (libc::SIGSEGV, SEGV_ACCERR) => Some(Signal::Denied),
        _ => None,
    }
}

enum Access {
    Data {
        store: Option<bool>,
    },
    /// Somebody jumps into the mapping. Pages that we put there would not be executable either.
    #[cfg_attr(
        not(all(
            any(target_os = "linux", target_vendor = "apple"),
            any(target_arch = "x86_64", target_arch = "aarch64")
        )),
        allow(dead_code, reason = "only there the context is read")
    )]
    Instruction,
}

/// The page fault error code, Intel SDM volume 3, 4.7: bit 1 W/R, bit 4 I/D.
#[cfg(all(
    any(target_os = "linux", target_vendor = "apple"),
    target_arch = "x86_64"
))]
fn of_page_fault(error: u32) -> Access {
    if error & 16 == 0 {
        Access::Data {
            store: Some(error & 2 != 0),
        }
    } else {
        Access::Instruction
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn access(context: *mut c_void, _address: usize) -> Access {
    // SAFETY: the third argument of an `SA_SIGINFO` handler is a ucontext_t, kept by the kernel.
    let error =
        unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_ERR as usize] };
    of_page_fault(error as u32)
}

#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    target_arch = "aarch64"
))]
fn access(context: *mut c_void, address: usize) -> Access {
    // SAFETY: as above.
    let counter = unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.pc } as usize;
    if counter == address {
        Access::Instruction
    } else {
        Access::Data { store: None }
    }
}

/// The syndrome, ESR_EL1: classes 0x20 and 0x24 are instruction and data aborts of a lower level, bit 6 of the latter is WnR, its status 0x21 a
/// true alignment fault (Arm ARM, D24).
#[cfg(all(target_vendor = "apple", target_arch = "aarch64"))]
fn access(context: *mut c_void, _address: usize) -> Access {
    // SAFETY: as above.
    let syndrome = unsafe {
        (*(*context.cast::<libc::ucontext_t>()).uc_mcontext)
            .__es
            .__esr
    };
    match (syndrome >> 26, syndrome & 0x3f) {
        (0x20, _) | (0x24, 0x21) => Access::Instruction,
        (0x24, _) => Access::Data {
            store: Some(syndrome & 0x40 != 0),
        },
        _ => Access::Data { store: None },
    }
}

#[cfg(all(target_vendor = "apple", target_arch = "x86_64"))]
fn access(context: *mut c_void, _address: usize) -> Access {
    // SAFETY: as above.
    let error = unsafe {
        (*(*context.cast::<libc::ucontext_t>()).uc_mcontext)
            .__es
            .__err
    };
    of_page_fault(error)
}

#[cfg(not(any(
    all(target_os = "linux", target_arch = "x86_64"),
    all(
        any(target_os = "linux", target_os = "android"),
        target_arch = "aarch64"
    ),
    all(
        target_vendor = "apple",
        any(target_arch = "x86_64", target_arch = "aarch64")
    )
)))]
fn access(_context: *mut c_void, _address: usize) -> Access {
    Access::Data { store: None }
}

/// True: the interrupted code can go on. False: not ours, ask the handler that was here before.
///
/// # Safety
/// The arguments are those of an `SA_SIGINFO` handler.
pub unsafe fn survive(signal: c_int, info: *const libc::siginfo_t, context: *mut c_void) -> bool {
    // SAFETY: kept by the caller.
    let code = unsafe { (*info).si_code };
    let Some(signal) = classify(signal, code) else {
        return false;
    };
    // SAFETY: as above; the codes that `classify` lets through carry an address.
    let address = unsafe { (*info).si_addr() } as usize;
    let Access::Data { store } = access(context, address) else {
        return false;
    };
    let cause = Cause {
        signal,
        store,
        full: None,
    };
    answer(cause, address)
}
