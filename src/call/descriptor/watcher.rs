//! Interrupts again the calls on closed sockets that have not ended: see [`backoff`](super::backoff).
//!
//! `close()` itself waits for a moment, which is nearly always enough. After that a thread of this crate, the watcher, interrupts the
//! calls. The watcher ends when no call is left to interrupt.

use std::sync::PoisonError;
use std::time::Duration;

use super::lease::{Calls, Key, Locked, SHARDS};
use super::release::close_deferred;
use super::sync::{Builder, Mutex, MutexGuard, Parked, now, of_process, park_timeout, sleep};
use crate::sys::fork::Held;
use crate::sys::{thread, wake};

/// How often `close()` checks whether the calls have ended, and how long it sleeps before each check.
const CHECKS: usize = if cfg!(loom) { 1 } else { 8 };
const CHECK_INTERVAL: Duration = Duration::from_micros(20);

/// The same when no watcher can be started: about 10 ms in all.
const LONG_CHECKS: usize = 32;
const LONG_CHECK_INTERVAL: Duration = Duration::from_micros(250);

/// The watcher's thread, while it runs.
fn watcher() -> MutexGuard<'static, Option<Parked>> {
    let watcher = of_process!(Mutex::new(None), Mutex<Option<Parked>>);
    watcher.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits a moment for the calls on a socket that was closed, then leaves them to the watcher.
pub fn wait_for_calls(key: Key) {
    for _ in 0..CHECKS {
        sleep(CHECK_INTERVAL);
        if !Calls::of_process().table(key).has_closed(key) {
            return;
        }
    }
    if !wake_watcher() {
        interrupt_without_watcher(key);
    }
}

/// Wakes the watcher, or starts it; whether it runs. Starting a thread fails when there is no memory, or at a limit of threads.
pub fn wake_watcher() -> bool {
    let mut watcher = watcher();
    match &*watcher {
        Some(running) => running.unpark(),
        None => *watcher = spawn(),
    }
    watcher.is_some()
}

/// Does the watcher's work in this thread, for a limited time.
fn interrupt_without_watcher(key: Key) {
    for _ in 0..LONG_CHECKS {
        sleep(LONG_CHECK_INTERVAL);
        let mut table = Calls::of_process().table(key);
        if !table.has_closed(key) || table.interrupt_again(now()).is_none() {
            return;
        }
    }
}

fn spawn() -> Option<Parked> {
    if !thread::has_room() {
        return None;
    }
    let builder = Builder::new().name("oxisocket-close".into()).stack_size(64 * 1024);
    // The program's signals must be handled in its own threads.
    let spawned = wake::without_signals(|| builder.spawn(watch)).ok()?;
    Some(spawned.thread().clone())
}

fn watch() {
    loop {
        let mut watcher = watcher();
        let now = now();
        let next = Calls::of_process().tables().filter_map(|mut table| table.interrupt_again(now)).min();
        let Some(next) = next else {
            *watcher = None;
            return;
        };
        drop(watcher);
        // `wake_watcher` wakes it early when another socket is closed.
        park_timeout(next - now);
    }
}

type ForkLocks = (MutexGuard<'static, Option<Parked>>, [Locked<'static>; SHARDS]);

static HELD: Held<ForkLocks> = Held::new();

pub(super) extern "C" fn before_fork() {
    let locks = (watcher(), Calls::of_process().lock_all());
    // SAFETY: these are locks, and this handler comes before a fork.
    unsafe { HELD.put(locks) };
}

pub(super) extern "C" fn after_fork_in_parent() {
    // SAFETY: the handler before the fork has put them here.
    drop(unsafe { HELD.take() });
}

pub(super) extern "C" fn after_fork_in_child() {
    wake::forget_id();
    // SAFETY: the handler before the fork has put them here.
    if let Some((mut watcher, tables)) = unsafe { HELD.take() } {
        *watcher = None;
        for mut table in tables {
            table.forget(close_deferred);
        }
    }
}

/// Whether the watcher has ended. It is woken, because it may sleep until the alarm of a call that has ended. For the models.
#[cfg(loom)]
pub(super) fn has_ended() -> bool {
    watcher().as_ref().map(Parked::unpark).is_none()
}

/// A copy of the tables as a child would have them. For the models.
#[cfg(loom)]
pub(super) fn tables_of_child() -> Vec<super::lease::Table> {
    // SAFETY: the thread is between the handler before the fork and the one after it.
    let held = unsafe { HELD.take() }.expect("the thread is about to fork");
    let tables = held.1.iter().map(|table| (**table).clone()).collect();
    // SAFETY: as above.
    unsafe { HELD.put(held) };
    tables
}
