//! Interrupting again the calls of closed sockets that have not ended: see [`backoff`](super::backoff).
//!
//! `close()` itself waits for a moment, which is nearly always enough. After that a thread of our own, the watcher, interrupts them. The
//! watcher ends when no call is left to interrupt.

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::lease::{Calls, Key, Locked};
use super::release::close_deferred;
use crate::sys::wake;

/// How often, and how long after each other, `close()` looks whether its calls have ended.
const LOOKS: usize = 8;
const LOOK: Duration = Duration::from_micros(20);

/// The same where there can be no thread: for 10 ms or so.
const LONG_LOOKS: usize = 32;
const LONG_LOOK: Duration = Duration::from_micros(250);

/// The thread, while it runs.
static WATCHER: Mutex<Option<Thread>> = Mutex::new(None);

fn watcher() -> MutexGuard<'static, Option<Thread>> {
    WATCHER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits a moment for the calls of a socket that was closed, then leaves them to the watcher.
pub fn wait_for_calls(key: Key) {
    for _ in 0..LOOKS {
        thread::sleep(LOOK);
        if !Calls::of_process().table(key).has_closed(key) {
            return;
        }
    }
    if !notify() {
        interrupt_here(key);
    }
}

/// Starts the watcher, or has it look at the calls again; whether there is one. For want of memory, or by a limit, there may be no thread.
pub fn notify() -> bool {
    let mut watcher = watcher();
    match &*watcher {
        Some(running) => running.unpark(),
        None => *watcher = spawn(),
    }
    watcher.is_some()
}

/// Does for a moment what the watcher would do.
fn interrupt_here(key: Key) {
    for _ in 0..LONG_LOOKS {
        thread::sleep(LONG_LOOK);
        let mut table = Calls::of_process().table(key);
        if !table.has_closed(key) || table.interrupt_again(Instant::now()).is_none() {
            return;
        }
    }
}

fn spawn() -> Option<Thread> {
    let builder = thread::Builder::new().name("oxisocket-close".into()).stack_size(64 * 1024);
    // The program's signals are for its own threads.
    let spawned = wake::without_signals(|| builder.spawn(watch)).ok()?;
    Some(spawned.thread().clone())
}

fn watch() {
    loop {
        let mut watcher = watcher();
        let now = Instant::now();
        let next = Calls::of_process().tables().filter_map(|mut table| table.interrupt_again(now)).min();
        let Some(next) = next else {
            *watcher = None;
            return;
        };
        drop(watcher);
        // Woken early: another socket was closed.
        thread::park_timeout(next - now);
    }
}

/// The locks that a thread holds while it forks. If another thread held one of them, the child would wait for it for ever.
type Held = (MutexGuard<'static, Option<Thread>>, Vec<Locked<'static>>);

thread_local! {
    static HELD: Cell<Option<Held>> = const { Cell::new(None) };
}

pub(super) extern "C" fn before_fork() {
    let held = (watcher(), Calls::of_process().tables().collect());
    let _ = HELD.try_with(|cell| cell.set(Some(held)));
}

pub(super) extern "C" fn after_fork_in_parent() {
    let _ = HELD.try_with(Cell::take);
}

pub(super) extern "C" fn after_fork_in_child() {
    wake::forget_id();
    if let Ok(Some((mut watcher, tables))) = HELD.try_with(Cell::take) {
        *watcher = None;
        for mut table in tables {
            table.forget(close_deferred);
        }
    }
}
