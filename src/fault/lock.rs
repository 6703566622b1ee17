//! A lock that a signal handler may take: no allocation, no parking, and a thread that already
//! holds it is told so instead of waiting for ever.
#![allow(
    unsafe_code,
    reason = "the value is handed out only to the thread that holds the lock"
)]

use std::{
    cell::UnsafeCell,
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicUsize, Ordering},
};

use super::system::sys;

pub struct SpinLock<T> {
    /// The thread that holds it; 0: nobody.
    owner: AtomicUsize,
    value: UnsafeCell<T>,
}

// SAFETY: `value` is reached only through `Held`, and `owner` lets one thread at a time have one.
unsafe impl<T: Send> Sync for SpinLock<T> {}

impl<T> SpinLock<T> {
    pub const fn new(value: T) -> Self {
        Self {
            owner: AtomicUsize::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// `None` if this thread holds it already: a fault inside the code that the lock protects,
    /// which waiting would turn into a hang.
    pub fn try_enter(&self) -> Option<Held<'_, T>> {
        let me = sys::thread();
        let mut spins = 0_u32;
        while let Err(owner) =
            self.owner
                .compare_exchange_weak(0, me, Ordering::Acquire, Ordering::Relaxed)
        {
            if owner == me {
                return None;
            }
            spins += 1;
            // The holder is inside one mmap. With fewer cores than threads it may not even be
            // running.
            if spins.is_multiple_of(64) {
                sys::give_way();
            }
            std::hint::spin_loop();
        }
        Some(Held { lock: self })
    }

    /// For callers outside the handler, whose closures do not call back into this module.
    ///
    /// # Panics
    /// If this thread holds it already: a closure given to a `Slot` called the same `Slot`.
    pub fn enter(&self) -> Held<'_, T> {
        let Some(held) = self.try_enter() else {
            panic!("the fault guard's lock was taken twice by one thread")
        };
        held
    }
}

pub struct Held<'a, T> {
    lock: &'a SpinLock<T>,
}

impl<T> Deref for Held<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: this thread holds the lock until `self` is dropped, kept by `try_enter`.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; `&mut self` keeps a second reference from being made through this
        // guard.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        self.lock.owner.store(0, Ordering::Release);
    }
}
