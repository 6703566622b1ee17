//! Threads of our own that nobody joins: one copy of what starting one takes, whatever it runs.

use crate::error::{Fail, Outcome};
use crate::os;

/// Starts a detached thread that leaves the program's signals to the program's threads. `stack` 0: the usual size.
pub fn spawn(name: &str, stack: usize, work: Box<dyn FnOnce() + Send>) -> Outcome<()> {
    let mut builder = std::thread::Builder::new().name(name.into());
    if stack > 0 {
        builder = builder.stack_size(stack);
    }
    builder
        .spawn(move || {
            os::block_signals();
            work();
        })
        .map(drop)
        .map_err(|error| Fail::io(&error, "pthread_create"))
}
