//! Whether other threads need the interpreter often, and only for a moment each time: those that hash, compress, read files, sleep, or make
//! ready transfers themselves.
//!
//! The standard library detaches for each call, so that such a thread gets the interpreter at once, or runs at the same time on another
//! processor. A thread whose transfers are ready does not detach before its [`turn`](super::turn) is over, and a neighbour would run
//! once in a turn. So where the end of a turn shows that there is one, every transfer is made detached, until there was none for a while.
//!
//! A thread that computes is no neighbour in this sense: it keeps the interpreter for a whole switch interval. See
//! [`contention`](super::contention).
//!
//! Nobody can ask the interpreter who waits for it. But where nobody does, it is given back in a tenth of a microsecond, and else a thread has
//! to be woken up, which takes some microseconds. If that one takes it, this thread has to wait for it. A thread that computes waits all
//! the time, and wakes up too late again and again: when nothing else was seen, transfers are made attached again.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use pyo3::prelude::*;

use super::moment::Moment;
use crate::interpreter::threads;

/// A wait for the interpreter that is longer than this, in nanoseconds, is due to another thread.
const NOTICEABLE: u64 = 3_000;
/// A neighbour keeps the interpreter for less than this.
const MOMENT: u64 = 1_000_000;
/// For so long there are likely to be neighbours after somebody has waited once, and after some have waited often enough; and none, after it
/// was a thread that computes.
const LIKELY_AT_FIRST: u64 = 10_000_000;
const LIKELY_FOR: u64 = 100_000_000;
/// So often somebody has to wait in that time, and so often at first: the system takes a processor away, now and then, for as long.
const OFTEN: u32 = 8;
const OFTEN_AT_FIRST: u32 = 2;
/// Who wakes up too late so often computes.
const MOST_MISSES: u32 = 64;

/// What was seen of neighbours. Only an attached thread changes it.
#[derive(Debug)]
struct Neighbours {
    /// Until when they are likely, in nanoseconds; 0 where they are not.
    until: AtomicU64,
    /// How often one still has to wait until then, so that they go on being likely.
    wanted: AtomicU32,
    /// How often one has woken up too late since one has taken the interpreter.
    misses: AtomicU32,
    /// Until when they are not likely, whatever the end of a turn shows.
    not_until: AtomicU64,
}

static NEIGHBOURS: Neighbours = Neighbours::new();

/// Whether there are neighbours. It looks at no clock.
#[inline]
pub fn are_likely() -> bool {
    cfg!(not(Py_GIL_DISABLED)) && NEIGHBOURS.are_likely()
}

/// Learns from a detached call, which was made at the end of a turn or where there are neighbours.
pub fn learn(py: Python<'_>, waits: Waits, now: Moment) {
    // Where there is no other thread, the processor is slow, or a tool emulates it.
    let is_wait = waits.is_noticeable() && !threads::is_alone(py);
    NEIGHBOURS.learn(if is_wait { waits } else { NO_WAITS }, now);
}

/// How long a thread has waited to give the interpreter away, and to get it back, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// A thread that waits for the interpreter is woken up.
    pub to_detach: u64,
    /// Another thread has it.
    pub to_attach: u64,
}

const NO_WAITS: Waits = Waits { to_detach: 0, to_attach: 0 };

impl Waits {
    fn is_noticeable(self) -> bool {
        self.to_detach > NOTICEABLE || self.to_attach > NOTICEABLE
    }
}

impl Neighbours {
    const fn new() -> Self {
        Neighbours {
            until: AtomicU64::new(0),
            wanted: AtomicU32::new(0),
            misses: AtomicU32::new(0),
            not_until: AtomicU64::new(0),
        }
    }

    #[inline]
    fn are_likely(&self) -> bool {
        self.until.load(Ordering::Relaxed) != 0
    }

    fn learn(&self, waits: Waits, now: Moment) {
        let is_taken = waits.to_attach > NOTICEABLE;
        let is_waited_for = waits.is_noticeable();
        if waits.to_attach >= MOMENT {
            self.somebody_computes(now);
        } else if self.are_likely() {
            self.go_on(is_waited_for, is_taken, now);
        } else if is_waited_for && now.0 >= self.not_until.load(Ordering::Relaxed) {
            self.misses.store(0, Ordering::Relaxed);
            self.are_likely_until(now.0 + LIKELY_AT_FIRST, OFTEN_AT_FIRST);
        }
    }

    fn go_on(&self, is_waited_for: bool, is_taken: bool, now: Moment) {
        let step = u32::from(is_waited_for);
        let wanted = self.wanted.load(Ordering::Relaxed).saturating_sub(step);
        let misses = if is_taken { 0 } else { self.misses.load(Ordering::Relaxed) + step };
        self.wanted.store(wanted, Ordering::Relaxed);
        self.misses.store(misses, Ordering::Relaxed);
        if misses >= MOST_MISSES {
            self.somebody_computes(now);
        } else if now.0 > self.until.load(Ordering::Relaxed) {
            let again = if wanted == 0 { now.0 + LIKELY_FOR } else { 0 };
            self.are_likely_until(again, OFTEN);
        }
    }

    fn are_likely_until(&self, until: u64, wanted: u32) {
        self.until.store(until, Ordering::Relaxed);
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    fn somebody_computes(&self, now: Moment) {
        self.until.store(0, Ordering::Relaxed);
        self.not_until.store(now.0 + LIKELY_FOR, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: Waits = Waits { to_detach: 60, to_attach: 60 };
    const WAITS: Waits = Waits { to_detach: 10_000, to_attach: 60 };
    const TAKES: Waits = Waits { to_detach: 10_000, to_attach: 20_000 };
    const COMPUTES: Waits = Waits { to_detach: 10_000, to_attach: 5_000_000 };

    /// Whether neighbours are likely after each of these, at these times.
    fn after<const N: usize>(seen: [(Waits, u64); N]) -> [bool; N] {
        let neighbours = Neighbours::new();
        seen.map(|(waits, at)| {
            neighbours.learn(waits, Moment(at));
            neighbours.are_likely()
        })
    }

    #[test]
    fn a_single_wait_is_none_of_a_neighbour() {
        let end = 1 + LIKELY_AT_FIRST;
        assert_eq!(after([(NOBODY, 1), (WAITS, 1), (NOBODY, end), (NOBODY, end + 1)]), [false, true, true, false]);
        assert_eq!(after([(WAITS, 1), (WAITS, 2), (NOBODY, end + 1)]), [true, true, false]);
    }

    #[test]
    fn neighbours_wait_often() {
        let end = 2 + LIKELY_AT_FIRST;
        let next = end + LIKELY_FOR;
        let first = [(WAITS, 1), (TAKES, 2), (WAITS, 3), (NOBODY, end)];
        assert_eq!(after(first), [true; 4]);
        let neighbours = Neighbours::new();
        for (waits, at) in first {
            neighbours.learn(waits, Moment(at));
        }
        for _ in 0..OFTEN {
            neighbours.learn(TAKES, Moment(next));
        }
        neighbours.learn(NOBODY, Moment(next + 1));
        assert!(neighbours.are_likely());
        neighbours.learn(TAKES, Moment(next + 1));
        neighbours.learn(NOBODY, Moment(next + 2 + LIKELY_FOR));
        assert!(!neighbours.are_likely());
    }

    #[test]
    fn who_never_takes_the_interpreter_computes() {
        let neighbours = Neighbours::new();
        let likely = |waits, at| {
            neighbours.learn(waits, Moment(at));
            neighbours.are_likely()
        };
        assert!(likely(WAITS, 1));
        assert!((1..MOST_MISSES).all(|_| likely(WAITS, 1)));
        assert!(likely(TAKES, 1));
        assert!((1..MOST_MISSES).all(|_| likely(WAITS, 1)));
        assert!(!likely(WAITS, 1));
        assert!(!likely(TAKES, LIKELY_FOR));
        assert!(likely(TAKES, 1 + LIKELY_FOR));
    }

    #[test]
    fn who_keeps_the_interpreter_computes() {
        assert_eq!(after([(COMPUTES, 1), (TAKES, 2)]), [false, false]);
        assert_eq!(after([(TAKES, 1), (TAKES, 2), (COMPUTES, 3)]), [true, true, false]);
    }
}
