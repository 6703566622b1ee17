//! Living with the handlers of others: V8's, Bun's and Deno's, crash reporters', libuv's, another
//! copy of this package.
//!
//! Ours goes in front and passes on what it does not know. Others may displace it
//! (`process.on('SIGBUS')`, `process.off` leaves `SIG_DFL`). Every open looks, and if so installs
//! the next of four distinct functions in front, each with its own predecessor: were it one
//! function, the handler that displaced it, which may call it, would become its predecessor, and
//! the two would call each other for ever.
#![allow(
    unsafe_code,
    reason = "installs signal handlers and calls those that were there before"
)]

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    mem::{MaybeUninit, transmute},
    ptr::{null, null_mut},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering},
    },
};

#[cfg(any(test, feature = "test-hooks"))]
use super::super::answer;
use super::{super::enabled, handler, sys};

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

const SIGNALS: [c_int; 2] = [libc::SIGBUS, libc::SIGSEGV];
const LAYERS: usize = 4;
static HANDLERS: [Handler; LAYERS] = [
    on_signal::<0>,
    on_signal::<1>,
    on_signal::<2>,
    on_signal::<3>,
];

/// Who was there when a layer was installed.
struct Predecessor {
    handler: AtomicUsize,
    flags: AtomicI32,
}

static PREDECESSORS: [[Predecessor; LAYERS]; 2] = [const {
    [const {
        Predecessor {
            handler: AtomicUsize::new(0),
            flags: AtomicI32::new(0),
        }
    }; LAYERS]
}; 2];

/// Layers in use, of each signal.
static INSTALLED: Mutex<[usize; 2]> = Mutex::new([0; 2]);

extern "C" fn on_signal<const LAYER: usize>(
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    let errno = sys::errno();
    // SAFETY: the kernel, or a handler that was installed after us and passes on what it got, calls
    // this with the arguments of SA_SIGINFO.
    if !unsafe { handler::survive(signal, info, context) } {
        // SAFETY: as above.
        unsafe { forward(LAYER, signal, info, context) };
    }
    sys::set_errno(errno);
}

/// Installs the guard, or puts it back in front. Cheap when nothing changed: one sigaction(2) a
/// signal.
///
/// False: it has been displaced more often than there are handlers; from now on faults may kill.
/// True where there is no guard to install.
pub fn ensure() -> bool {
    if !enabled() {
        return true;
    }
    #[cfg(any(test, feature = "test-hooks"))]
    answer::read_delay();
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut all = true;
    for (index, signal) in SIGNALS.into_iter().enumerate() {
        all &= ensure_one(index, signal, &mut installed[index]);
    }
    if !all {
        LOST.store(true, Ordering::Relaxed);
    }
    all
}

static LOST: AtomicBool = AtomicBool::new(false);

/// Whether `ensure` has run out of handlers: the next fault may kill.
pub fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

fn ensure_one(index: usize, signal: c_int, layers: &mut usize) -> bool {
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks only, into a struct of the right type.
    if unsafe { libc::sigaction(signal, null(), old.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: sigaction has filled it.
    let old = unsafe { old.assume_init() };
    if leads_to_us(signal, old.sa_sigaction) {
        return keep_arguments(signal, old);
    }
    let Some(function) = HANDLERS.get(*layers) else {
        return false;
    };
    let plain = old.sa_sigaction == libc::SIG_DFL || old.sa_sigaction == libc::SIG_IGN;
    let mut new = old;
    new.sa_sigaction = *function as *const () as usize;
    // Its mask and SA_RESTART stay in force, so that a handler behind us runs as its owner meant it
    // to.
    let restart = if plain {
        libc::SA_RESTART
    } else {
        old.sa_flags & libc::SA_RESTART
    };
    new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | restart;
    if plain {
        // SAFETY: the mask is ours.
        unsafe { libc::sigemptyset(&raw mut new.sa_mask) };
    }
    // Before the handler can run.
    let predecessor = &PREDECESSORS[index][*layers];
    predecessor.flags.store(old.sa_flags, Ordering::Relaxed);
    predecessor
        .handler
        .store(old.sa_sigaction, Ordering::Release);
    // SAFETY: the function is never unloaded: module init pins the add-on in memory.
    if unsafe { libc::sigaction(signal, &raw const new, null_mut()) } != 0 {
        return false;
    }
    *layers += 1;
    true
}

/// Bun's `process.off` takes the handler out and puts it back by signal(3), which forgets the flags:
/// without `SA_SIGINFO` a handler is told neither code nor address, and the same fault would come
/// again for ever.
fn keep_arguments(signal: c_int, mut front: libc::sigaction) -> bool {
    let needed = libc::SA_SIGINFO | libc::SA_ONSTACK;
    if front.sa_flags & needed == needed {
        return true;
    }
    front.sa_flags |= needed;
    // SAFETY: the same function, which is one of this package (of some copy) and expects them.
    unsafe { libc::sigaction(signal, &raw const front, null_mut()) == 0 }
}

fn layer_of(handler: usize) -> Option<usize> {
    HANDLERS
        .iter()
        .position(|ours| *ours as *const () as usize == handler)
}

/// Another copy of this package in front of ours passes everything on to us. Without asking it, two
/// copies would displace each other at every open until both have run out of handlers.
fn leads_to_us(signal: c_int, mut front: usize) -> bool {
    // Two dozen copies, each with all its layers.
    for _ in 0..100 {
        if layer_of(front).is_some() {
            return true;
        }
        let Some(ask) = copy_of_this_package(front) else {
            return false;
        };
        front = ask(signal, front);
    }
    false
}

type Ask = extern "C" fn(c_int, usize) -> usize;
const ASK: &CStr = c"memmap_fault_guard_predecessor_1";

/// For other copies of this package: whom this one calls after `handler`; 0 (`SIG_DFL`) if
/// `handler` is not of this copy.
#[unsafe(no_mangle)]
pub extern "C" fn memmap_fault_guard_predecessor_1(signal: c_int, handler: usize) -> usize {
    let index = SIGNALS.iter().position(|known| *known == signal);
    let (Some(index), Some(layer)) = (index, layer_of(handler)) else {
        return libc::SIG_DFL;
    };
    PREDECESSORS[index][layer].handler.load(Ordering::Acquire)
}

fn copy_of_this_package(handler: usize) -> Option<Ask> {
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        return None;
    }
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: takes any address.
    if unsafe { libc::dladdr(handler as *const c_void, info.as_mut_ptr()) } == 0 {
        return None;
    }
    // SAFETY: dladdr has filled it.
    let file: *const c_char = unsafe { info.assume_init() }.dli_fname;
    if file.is_null() {
        return None;
    }
    // SAFETY: `file` is a C string of the dynamic linker's; nothing is loaded that is not there
    // already.
    let library = unsafe { libc::dlopen(file, libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    if library.is_null() {
        return None;
    }
    // SAFETY: the handle is valid; what has this name has this type, kept by the number in the
    // name.
    let found = unsafe { libc::dlsym(library, ASK.as_ptr()) };
    // SAFETY: one reference was taken above. The library stays: a handler of it is installed.
    unsafe { libc::dlclose(library) };
    // SAFETY: as with dlsym.
    (!found.is_null()).then(|| unsafe { transmute::<*mut c_void, Ask>(found) })
}

/// Whether a process sent the signal, rather than the kernel for what this thread just did. (macOS
/// sends some with 0; if that was real it dies, too.)
fn was_sent(code: c_int) -> bool {
    // FreeBSD and macOS: SI_USER is 0x10001, the others follow.
    if cfg!(any(target_os = "linux", target_os = "android")) {
        code <= 0
    } else {
        code == 0 || code > 0x10000
    }
}

/// Does what would have happened without us.
unsafe fn forward(layer: usize, signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let index = usize::from(signal != libc::SIGBUS);
    let predecessor = &PREDECESSORS[index][layer];
    let flags = predecessor.flags.load(Ordering::Relaxed);
    let once = flags & libc::SA_RESETHAND != 0;
    let handler = if once {
        predecessor.handler.swap(libc::SIG_DFL, Ordering::AcqRel)
    } else {
        predecessor.handler.load(Ordering::Acquire)
    };
    // SAFETY: the arguments are the kernel's, kept by the caller.
    let sent = was_sent(unsafe { (*info).si_code });
    match handler {
        libc::SIG_IGN if sent => {}
        libc::SIG_DFL | libc::SIG_IGN => die(signal, sent),
        _ => {
            if flags & libc::SA_NODEFER != 0 {
                unblock(signal);
            }
            if flags & libc::SA_SIGINFO == 0 {
                // SAFETY: it was installed without SA_SIGINFO, so this is its type.
                unsafe { transmute::<usize, extern "C" fn(c_int)>(handler)(signal) };
            } else {
                // SAFETY: it was installed with SA_SIGINFO, so this is its type.
                unsafe { transmute::<usize, Handler>(handler)(signal, info, context) };
            }
        }
    }
}

fn unblock(signal: c_int) {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: sigemptyset initialises the set; the old mask comes back when the handler returns.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), null_mut());
    }
}

/// The default action, with the core dump at the instruction that faulted: it runs again. A sent
/// signal does not, so it is sent again, to be delivered when the handler returns.
fn die(signal: c_int, sent: bool) {
    // SAFETY: all zeros is an action without flags and with an empty mask; sigaction and raise are
    // async-signal-safe by POSIX.
    unsafe {
        let mut default = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        default.sa_sigaction = libc::SIG_DFL;
        libc::sigaction(signal, &raw const default, null_mut());
        if sent {
            libc::raise(signal);
        }
    }
}
