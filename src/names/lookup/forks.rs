//! A child process has no helpers: they are its parent's threads.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::helper_threads::HELPERS;
use super::hosts_file::{self, Known};
use super::running::Running;
use crate::sys::fork::{Held, around_fork};

/// Watches forks. Called when the module is made; later calls do nothing. Fails only when there is no memory.
pub fn watch_forks() -> io::Result<()> {
    static DONE: Mutex<bool> = Mutex::new(false);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*done {
        around_fork(before_fork, after_fork_in_parent, after_fork_in_child)?;
        *done = true;
    }
    Ok(())
}

static HELD: Held<(MutexGuard<'static, Running>, MutexGuard<'static, Known>)> = Held::new();

extern "C" fn before_fork() {
    let locks = (HELPERS.running(), hosts_file::known());
    // SAFETY: these are locks, and this handler comes before a fork.
    unsafe { HELD.put(locks) };
}

extern "C" fn after_fork_in_parent() {
    // SAFETY: the handler before the fork has put them here.
    drop(unsafe { HELD.take() });
}

extern "C" fn after_fork_in_child() {
    // SAFETY: the handler before the fork has put them here.
    if let Some((mut running, _known)) = unsafe { HELD.take() } {
        running.forget();
    }
}
