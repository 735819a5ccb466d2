//! How long the threads of this process wait for the interpreter, when a call that has waited detached is over.
//!
//! Beside a thread that computes, that is the interpreter's switch interval, 5 ms: a thread that computes gives the interpreter away only
//! when it is asked to, and is asked only after the interval.
//!
//! Two looks at the clock tell how long a thread has waited. Where there was no long wait lately, only some calls look.
//!
//! Without a GIL nobody waits, and nothing is measured.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use pyo3::prelude::*;

use super::moment::Moment;
use super::neighbours::{self, Waits};
use super::switch_interval::switch_interval;

/// A wait for the interpreter that is not longer than this is never a long one, however short the switch interval is.
const SHORT: u64 = 1_000_000;
/// For so long after a long wait, the next is likely to be long too.
const LIKELY_FOR: u64 = 100_000_000;

/// When the last long wait ended, in nanoseconds; 0 if none ended lately.
static LAST_LONG_WAIT: AtomicU64 = AtomicU64::new(0);
/// Of so many detached calls one is measured, where there was no long wait lately. An odd number: of two calls that take turns, each.
const MEASURED_ONE_IN: u32 = 15;

/// How many detached calls have not been measured since the last one. A lost update makes a measurement late, and nothing else.
static UNMEASURED: AtomicU32 = AtomicU32::new(0);
/// How many threads have ended a call and wait for the interpreter.
static WAITING: AtomicU32 = AtomicU32::new(0);
/// How many of them have had all their chances. Only an attached thread changes it.
static HAD_CHANCES: AtomicU32 = AtomicU32::new(0);
/// How many chances the others have had so far. Only an attached thread changes it.
static CHANCES: AtomicU32 = AtomicU32::new(0);
/// How many chances a thread has. A thread that sleeps wakes up in the time of this many calls.
const MOST_CHANCES: u32 = 32;

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

/// Whether the thread should detach for its next transfer, because another thread, whose call is over, has begun to wait: among threads that
/// serve, so that each has the chance that it has with the standard library, which detaches for every transfer. It has a few dozen chances,
/// and not more: each detach begins its switch interval anew, and after a whole one it is sure to get the interpreter. It has none beside
/// a thread that computes, which would be the one to get it.
#[inline]
pub fn gives_way() -> bool {
    let waiting = WAITING.load(Ordering::Relaxed);
    waiting > HAD_CHANCES.load(Ordering::Relaxed) && gives_way_to(waiting)
}

#[cold]
fn gives_way_to(waiting: u32) -> bool {
    let somebody_computes = is_possible();
    let chances = CHANCES.load(Ordering::Relaxed) + 1;
    if somebody_computes || chances >= MOST_CHANCES {
        HAD_CHANCES.store(waiting, Ordering::Relaxed);
        CHANCES.store(0, Ordering::Relaxed);
    } else {
        CHANCES.store(chances, Ordering::Relaxed);
    }
    !somebody_computes
}

/// A thread is attached again, and so many others wait: it was one of them, and takes its chances along.
fn others_go_on_waiting(others: u32) {
    if HAD_CHANCES.load(Ordering::Relaxed) > others {
        HAD_CHANCES.store(others, Ordering::Relaxed);
    }
    if others == 0 {
        CHANCES.store(0, Ordering::Relaxed);
    }
}

/// In a child process: the threads that waited are the parent's.
pub fn forget_threads() {
    WAITING.store(0, Ordering::Relaxed);
    others_go_on_waiting(0);
}

/// A thread that detaches for a call, and what it knows about its waits for the interpreter.
#[derive(Debug)]
pub struct Reattaching {
    stage: Stage,
    /// Since when the thread detaches, and then, how long that took; where somebody asks whether there are neighbours.
    detaching: Option<Moment>,
    detached: u64,
}

#[derive(Debug)]
enum Stage {
    /// The call is made. Nobody wants to know how long the thread waits afterwards.
    Unmeasured,
    /// The call is made.
    Measured,
    /// The call is over, and was at this moment if somebody wants to know.
    Waiting(Option<Moment>),
}

impl Reattaching {
    /// The thread is about to detach, perhaps at the end of its turn.
    #[inline]
    pub fn new(is_turn_over: bool) -> Self {
        let is_measured = is_possible() || (cfg!(not(Py_GIL_DISABLED)) && is_next_measured());
        let asks = is_turn_over || neighbours::are_likely();
        Reattaching {
            stage: if is_measured || asks { Stage::Measured } else { Stage::Unmeasured },
            detaching: asks.then(Moment::now),
            detached: 0,
        }
    }

    /// The thread is detached, and is about to make the call.
    #[inline]
    pub fn is_detached(&mut self) {
        if let Some(since) = self.detaching {
            self.detached = Moment::now().since(since);
        }
    }

    /// The call is over. From here on the thread waits for the interpreter.
    #[inline]
    pub fn begin(&mut self) {
        self.stage = match self.stage {
            Stage::Unmeasured => Stage::Waiting(None),
            Stage::Measured => Stage::Waiting(Some(Moment::now())),
            Stage::Waiting(_) => return,
        };
        if cfg!(not(Py_GIL_DISABLED)) {
            WAITING.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The thread is attached: when that was, and whether it has waited long. `None` if that was not measured.
    pub fn end(self, py: Python<'_>) -> Option<(Moment, bool)> {
        let Stage::Waiting(began) = self.stage else { return None };
        if cfg!(not(Py_GIL_DISABLED)) {
            // In a child process, which the call itself cannot make, the count may be 0.
            let fewer = WAITING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| waiting.checked_sub(1));
            others_go_on_waiting(fewer.map_or(0, |before| before - 1));
        }
        let began = began?;
        let now = Moment::now();
        let waited = now.since(began);
        let is_long = is_long(py, waited);
        if self.detaching.is_some() {
            // At the end of a turn long waits are what is expected beside a thread that computes, and ready transfers have not suffered.
            neighbours::learn(py, Waits { to_detach: self.detached, to_attach: waited }, now);
        } else if is_long {
            LAST_LONG_WAIT.store(now.0, Ordering::Relaxed);
        }
        Some((now, is_long))
    }
}

/// Whether so many nanoseconds are about a switch interval, or more: that long a thread waits for one that computes. Threads that only
/// serve wait for each other too, sometimes a millisecond or two.
fn is_long(py: Python<'_>, waited: u64) -> bool {
    waited > SHORT && u128::from(waited) >= switch_interval(py).as_nanos() * 4 / 5
}

fn is_next_measured() -> bool {
    let unmeasured = UNMEASURED.load(Ordering::Relaxed) + 1;
    let is_measured = unmeasured >= MEASURED_ONE_IN;
    UNMEASURED.store(if is_measured { 0 } else { unmeasured }, Ordering::Relaxed);
    is_measured
}
