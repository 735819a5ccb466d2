//! How long the threads of this process have made ready transfers without releasing the GIL.
//!
//! The interpreter's evaluation loop regularly checks whether another thread waits for the GIL, and whether a signal arrived. But C code
//! that calls a method in a loop (`BufferedReader.readline` from a fast peer) does not return to that loop, and a ready transfer does not
//! detach. So after a while, a turn, one transfer is made detached, and the signal handlers run before it.
//!
//! A turn lasts longer than the interpreter's switch interval. A thread that waits for the GIL requests it when the interval has passed,
//! and only a thread that has requested it is sure to get it at the next detach. An earlier detach wakes the waiting thread too late: this
//! thread takes the GIL back first, and the waiting thread's interval starts again. If that repeats, the waiting thread starves.
//!
//! Where other threads need the interpreter often and briefly, each transfer is a turn of its own: see [`neighbours`].
//!
//! A turn is also over when another thread has come back from a call and waits for the GIL: see [`contention::gives_way`].
//!
//! Without a GIL nothing is counted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::contention;
use super::neighbours;
use super::switch_interval::switch_interval;

/// The cost of the transfers since the clock was last read, in system calls.
static SPENT: AtomicU32 = AtomicU32::new(0);

/// The cost after which the clock is read. A system call takes about a third of a microsecond.
const CLOCK_INTERVAL: u32 = 1024;
/// The number of bytes whose copying takes about as long as a system call.
const BYTES_PER_CALL: usize = 4 * 1024;

/// Whether the turn has ended by the clock, and no thread has detached since.
static HAS_ENDED: AtomicBool = AtomicBool::new(false);

/// When the clock was first read in this turn.
static STARTED: Mutex<Option<Instant>> = Mutex::new(None);

/// Whether the turn is over, so that the next transfer must detach.
#[inline]
pub fn is_over(py: Python<'_>) -> bool {
    cfg!(not(Py_GIL_DISABLED))
        && (contention::gives_way() || SPENT.load(Ordering::Relaxed) >= CLOCK_INTERVAL && check_clock(py))
}

#[cold]
#[inline(never)]
fn check_clock(py: Python<'_>) -> bool {
    if neighbours::are_likely() {
        return true;
    }
    // Before the lock, because this calls into the interpreter.
    let interval = switch_interval(py);
    let Ok(mut started) = STARTED.try_lock() else {
        return false;
    };
    let now = Instant::now();
    let over = now.duration_since(*started.get_or_insert(now))
        > interval.saturating_add(interval / 4).saturating_add(Duration::from_millis(1));
    if over {
        HAS_ENDED.store(true, Ordering::Relaxed);
    } else {
        SPENT.store(0, Ordering::Relaxed);
    }
    over
}

/// Counts a transfer. The thread holds the GIL, so that no other thread counts at the same time.
#[inline]
pub fn spend(bytes: usize) {
    if cfg!(not(Py_GIL_DISABLED)) {
        // The sum cannot overflow: only small transfers are counted, and none after the end of a turn.
        let cost = 1 + (bytes / BYTES_PER_CALL) as u32;
        SPENT.store(SPENT.load(Ordering::Relaxed).wrapping_add(cost), Ordering::Relaxed);
    }
}

/// Whether the thread detaches because its turn has ended by the clock: whoever waits for the interpreter is sure to get it. It says so once.
pub fn has_ended() -> bool {
    HAS_ENDED.load(Ordering::Relaxed) && HAS_ENDED.swap(false, Ordering::Relaxed)
}

/// Begins a turn, because the thread detaches.
pub fn begin() {
    SPENT.store(if neighbours::are_likely() { CLOCK_INTERVAL } else { 0 }, Ordering::Relaxed);
    if let Ok(mut started) = STARTED.try_lock() {
        *started = None;
    }
}

#[cfg(test)]
#[cfg(not(Py_GIL_DISABLED))]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "needs the interpreter")]
    fn a_turn_lasts_longer_than_the_switch_interval() {
        Python::initialize();
        Python::attach(|py| {
            begin();
            let started = Instant::now();
            while !is_over(py) {
                spend(64 * 1024);
            }
            assert!(started.elapsed() > switch_interval(py));
            assert!(is_over(py), "until a thread detaches");
            begin();
            assert!(!is_over(py));
        });
    }
}
