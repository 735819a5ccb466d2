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

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::moment::Moment;

/// A wait for the interpreter that is longer than this, in nanoseconds, is due to another thread.
const NOTICEABLE: u64 = 3_000;
/// A neighbour keeps the interpreter for less than this.
const MOMENT: u64 = 1_000_000;
/// For so long after somebody has waited, there are likely to be neighbours; and none, after it was a thread that computes.
const LIKELY_FOR: u64 = 100_000_000;
/// Who wakes up too late so often computes.
const MOST_MISSES: u32 = 64;

/// What was seen of neighbours. Only an attached thread changes it.
#[derive(Debug)]
struct Neighbours {
    /// Until when they are likely, in nanoseconds; 0 where they are not.
    until: AtomicU64,
    /// Whether one has taken the interpreter since they are likely.
    are_certain: AtomicBool,
    /// How often one has woken up too late since then.
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

/// Whether they are likely and not certain, so that each call is measured.
pub fn are_only_likely() -> bool {
    are_likely() && !NEIGHBOURS.are_certain.load(Ordering::Relaxed)
}

/// Learns from a detached call, which was made at the end of a turn or where there are neighbours.
pub fn learn(waits: Waits, now: Moment) {
    NEIGHBOURS.learn(waits, now);
}

/// How long a thread has waited to give the interpreter away, and to get it back, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// A thread that waits for the interpreter is woken up.
    pub to_detach: u64,
    /// Another thread has it.
    pub to_attach: u64,
}

impl Neighbours {
    const fn new() -> Self {
        Neighbours {
            until: AtomicU64::new(0),
            are_certain: AtomicBool::new(false),
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
        let is_wanted = is_taken || waits.to_detach > NOTICEABLE;
        let may_begin = now.0 >= self.not_until.load(Ordering::Relaxed);
        if waits.to_attach >= MOMENT {
            self.somebody_computes(now);
        } else if self.are_likely() {
            self.go_on(is_wanted, is_taken, now);
        } else if is_wanted && may_begin {
            self.are_certain.store(is_taken, Ordering::Relaxed);
            self.misses.store(0, Ordering::Relaxed);
            self.until.store(now.0 + LIKELY_FOR, Ordering::Relaxed);
        }
    }

    fn go_on(&self, is_wanted: bool, is_taken: bool, now: Moment) {
        let misses = if is_taken { 0 } else { self.misses.load(Ordering::Relaxed) + u32::from(is_wanted) };
        self.misses.store(misses, Ordering::Relaxed);
        if is_taken {
            self.are_certain.store(true, Ordering::Relaxed);
        }
        if misses >= MOST_MISSES {
            self.somebody_computes(now);
        } else if is_wanted {
            self.until.store(now.0 + LIKELY_FOR, Ordering::Relaxed);
        } else if now.0 > self.until.load(Ordering::Relaxed) {
            self.until.store(0, Ordering::Relaxed);
        }
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
    fn who_waits_is_likely_to_be_a_neighbour_for_a_while() {
        let end = 1 + LIKELY_FOR;
        let seen = [(NOBODY, 1), (WAITS, 1), (NOBODY, end), (WAITS, end), (NOBODY, end + 1 + LIKELY_FOR)];
        assert_eq!(after(seen), [false, true, true, true, false]);
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
