//! How long the threads of this process have made transfers without letting go of the interpreter.
//!
//! The interpreter's loop asks now and then whether another thread waits, and whether a signal came. But code in C that calls a method
//! in a loop (`BufferedReader.readline` from a fast peer) never returns to that loop, and a ready transfer does not detach. So after a
//! while one transfer is made detached, and runs the signal handlers before it.
//!
//! That is done after the interpreter's switch interval and not earlier. A thread that waits for the GIL asks for it when the interval has
//! passed, and only a thread that has asked is sure to get it at the next detach. A detach before that wakes the waiting thread too late:
//! the GIL is taken again, and the interval of the waiting thread starts from the beginning. If that repeats, the thread starves.
//!
//! Without a GIL nobody waits for it, and nothing is counted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error;

/// How much has been spent since the clock was looked at.
static SPENT: AtomicU32 = AtomicU32::new(0);

/// After how much it is looked at, in system calls of a third of a microsecond or so. So many bytes take about as long to copy.
const LOOK: u32 = 1024;
const BYTES_OF_A_CALL: usize = 4 * 1024;

/// When the clock was first looked at in this turn.
static BEGAN: Mutex<Option<Instant>> = Mutex::new(None);

/// Whether the turn is over.
#[inline]
pub fn is_over(py: Python<'_>) -> bool {
    cfg!(not(Py_GIL_DISABLED)) && SPENT.load(Ordering::Relaxed) >= LOOK && look(py)
}

#[cold]
#[inline(never)]
fn look(py: Python<'_>) -> bool {
    // Before the lock: it is a call into the interpreter.
    let interval = switch_interval(py);
    let Ok(mut began) = BEGAN.try_lock() else {
        return false;
    };
    let now = Instant::now();
    let over = now.duration_since(*began.get_or_insert(now)) > interval + interval / 4 + Duration::from_millis(1);
    if !over {
        SPENT.store(0, Ordering::Relaxed);
    }
    over
}

/// `sys.getswitchinterval()`.
fn switch_interval(py: Python<'_>) -> Duration {
    // SAFETY: attached; the first is borrowed or null, the second new or null with an exception, which is forgotten.
    let seconds = unsafe {
        let function = ffi::PySys_GetObject(c"getswitchinterval".as_ptr());
        let answer = if function.is_null() { function } else { ffi::PyObject_CallNoArgs(function) };
        let seconds = if answer.is_null() { -1.0 } else { ffi::PyFloat_AsDouble(answer) };
        ffi::Py_XDECREF(answer);
        error::clear(py);
        seconds
    };
    // What it is in the beginning.
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_millis(5))
}

/// Counts a transfer. With the GIL nobody else counts at the same time.
#[inline]
pub fn spend(bytes: usize) {
    if cfg!(not(Py_GIL_DISABLED)) {
        // It cannot overflow: a transfer that is counted is small, and none is after the end of a turn.
        let cost = 1 + (bytes / BYTES_OF_A_CALL) as u32;
        SPENT.store(SPENT.load(Ordering::Relaxed).wrapping_add(cost), Ordering::Relaxed);
    }
}

/// Begins a turn: the thread detaches.
pub fn begin() {
    SPENT.store(0, Ordering::Relaxed);
    if let Ok(mut began) = BEGAN.try_lock() {
        *began = None;
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
            assert!(is_over(py), "till somebody detaches");
            begin();
            assert!(!is_over(py));
        });
    }
}
