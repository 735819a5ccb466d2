//! A child process has no helpers: they are its parent's threads.

use std::cell::Cell;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::helper_threads::HELPERS;
use super::hosts_file::{self, Known};
use super::running::Running;
use crate::sys::wake;

/// Watches forks. Called when the module is made; later calls do nothing. Fails only when there is no memory.
pub fn watch_forks() -> io::Result<()> {
    static DONE: Mutex<bool> = Mutex::new(false);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*done {
        wake::around_fork(before_fork, after_fork_in_parent, after_fork_in_child)?;
        *done = true;
    }
    Ok(())
}

/// The locks that a thread holds while it forks. If another thread held one of them, the child process would wait for it for ever.
type ForkLocks = (MutexGuard<'static, Running>, MutexGuard<'static, Known>);

thread_local! {
    static FORK_LOCKS: Cell<Option<ForkLocks>> = const { Cell::new(None) };
}

extern "C" fn before_fork() {
    let locks = (HELPERS.running(), hosts_file::known());
    let _ = FORK_LOCKS.try_with(|cell| cell.set(Some(locks)));
}

extern "C" fn after_fork_in_parent() {
    let _ = FORK_LOCKS.try_with(Cell::take);
}

extern "C" fn after_fork_in_child() {
    if let Ok(Some((mut running, _known))) = FORK_LOCKS.try_with(Cell::take) {
        running.forget();
    }
}
