//! How long the threads of this process wait for the interpreter, when a call that has waited detached is over.
//!
//! Beside a thread that computes, that is the interpreter's switch interval, 5 ms: a thread that computes gives the interpreter away only
//! when it is asked to, and is asked only after the interval.
//!
//! Two looks at the clock tell how long a thread has waited. Where there was no long wait lately, only some calls look.
//!
//! Without a GIL nobody waits, and nothing is measured.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::moment::Moment;

/// A wait for the interpreter that is longer than this is a long one: the call could have been made many times meanwhile. Among threads
/// that only serve, none of which computes, the waits are far shorter.
const LONG: u64 = 1_000_000;
/// For so long after a long wait, the next is likely to be long too.
const LIKELY_FOR: u64 = 100_000_000;

/// When the last long wait ended, in nanoseconds; 0 if none ended lately.
static LAST_LONG_WAIT: AtomicU64 = AtomicU64::new(0);
/// Of so many detached calls one is measured, where there was no long wait lately.
const MEASURED_ONE_IN: u32 = 16;

/// How many detached calls have not been measured since the last one. A lost update makes a measurement late, and nothing else.
static UNMEASURED: AtomicU32 = AtomicU32::new(0);
/// How many threads have ended a call and wait for the interpreter.
static WAITING: AtomicU32 = AtomicU32::new(0);

/// Whether there may have been a long wait lately. It looks at no clock.
#[inline]
pub fn is_possible() -> bool {
    cfg!(not(Py_GIL_DISABLED)) && LAST_LONG_WAIT.load(Ordering::Relaxed) != 0
}

/// Whether there was a long wait lately.
pub fn is_high(now: Moment) -> bool {
    let last = LAST_LONG_WAIT.load(Ordering::Relaxed);
    if last == 0 {
        return false;
    }
    let is_recent = now.since(Moment(last)) < LIKELY_FOR;
    if !is_recent {
        // Not where another thread has waited meanwhile.
        let _ = LAST_LONG_WAIT.compare_exchange(last, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
    is_recent
}

/// Whether another thread, whose call is over, waits for the interpreter.
pub fn others_wait() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}

/// In a child process: the threads that waited are the parent's.
pub fn forget_threads() {
    WAITING.store(0, Ordering::Relaxed);
}

/// A thread that detaches for a call, and what it knows about its wait for the interpreter afterwards.
#[derive(Debug)]
pub enum Reattaching {
    /// Nobody wants to know.
    Unmeasured,
    /// The call is made.
    Detached,
    /// The call is over, and was at this moment.
    Waiting(Moment),
}

impl Reattaching {
    /// The thread is about to detach.
    #[inline]
    pub fn new() -> Self {
        if is_possible() || (cfg!(not(Py_GIL_DISABLED)) && is_next_measured()) {
            Reattaching::Detached
        } else {
            Reattaching::Unmeasured
        }
    }

    /// The call is over. From here on the thread waits for the interpreter.
    #[inline]
    pub fn begin(&mut self) {
        if let Reattaching::Detached = self {
            *self = Reattaching::Waiting(Moment::now());
            WAITING.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The thread is attached: when that was, and whether it has waited long. `None` if that was not measured.
    pub fn end(self) -> Option<(Moment, bool)> {
        let Reattaching::Waiting(began) = self else { return None };
        // In a child process, which the call itself cannot make, the count may be 0.
        let _ = WAITING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| waiting.checked_sub(1));
        let now = Moment::now();
        let is_long = now.since(began) > LONG;
        if is_long {
            LAST_LONG_WAIT.store(now.0, Ordering::Relaxed);
        }
        Some((now, is_long))
    }
}

fn is_next_measured() -> bool {
    let unmeasured = UNMEASURED.load(Ordering::Relaxed) + 1;
    let is_measured = unmeasured >= MEASURED_ONE_IN;
    UNMEASURED.store(if is_measured { 0 } else { unmeasured }, Ordering::Relaxed);
    is_measured
}
