//! Interrupting again: a call that was on its way into the kernel when it was first interrupted is blocked all the same.
//!
//! `close()` itself looks on for a moment, which is nearly always enough. Then a thread of its own goes on, at longer and longer
//! intervals and not for ever: a thread that has the signal blocked would only collect it. It ends when nothing is left to do.

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use super::calls::{Calls, Key, Locked};
use crate::sys::wake;

/// How often, and how long after each other, `close()` looks whether its calls have ended.
const LOOKS: usize = 8;
const LOOK: Duration = Duration::from_micros(20);

/// How often a call is interrupted: at last every 8 s, and for 16 s in all.
const INTERRUPTIONS: u32 = 16;
const FIRST_INTERVAL: Duration = Duration::from_micros(250);
const LAST_INTERVAL: Duration = Duration::from_secs(8);

/// The thread, while it runs.
static WATCHER: Mutex<Option<Thread>> = Mutex::new(None);

fn watcher() -> MutexGuard<'static, Option<Thread>> {
    WATCHER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits a moment for the calls of a socket that was closed, then leaves them to the watcher.
pub fn see_off(key: Key) {
    for _ in 0..LOOKS {
        thread::sleep(LOOK);
        if !Calls::of_process().table(key).has_closed(key) {
            return;
        }
    }
    let mut watcher = watcher();
    match &*watcher {
        Some(running) => running.unpark(),
        // Without a thread, for want of memory or by a limit, the calls have had their one interruption.
        None => *watcher = spawn(),
    }
}

fn spawn() -> Option<Thread> {
    let builder = thread::Builder::new().name("oxisocket-close".into()).stack_size(64 * 1024);
    // The program's signals are for its own threads.
    let spawned = wake::without_signals(|| builder.spawn(watch)).ok()?;
    Some(spawned.thread().clone())
}

fn watch() {
    let mut interval = FIRST_INTERVAL;
    loop {
        let before = std::time::Instant::now();
        thread::park_timeout(interval);
        // Woken early: another socket was closed.
        interval = if before.elapsed() < interval { FIRST_INTERVAL } else { (interval * 2).min(LAST_INTERVAL) };
        let mut watcher = watcher();
        let left = Calls::of_process().tables().map(|mut table| table.interrupt_again(INTERRUPTIONS));
        if left.filter(|&any| any).count() == 0 {
            *watcher = None;
            return;
        }
    }
}

/// What a thread that forks holds meanwhile: were another to hold it, the child would wait for it for ever.
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
    if let Ok(Some((mut watcher, tables))) = HELD.try_with(Cell::take) {
        *watcher = None;
        for mut table in tables {
            table.forget(|number| {
                let _ = super::give_back(number);
            });
        }
    }
}
