//! How much of the interpreter's time the threads of this process may keep by waiting attached.
//!
//! It fills at a steady rate, up to a limit, and empties by the time that was kept. It may go below zero, because the time is known only
//! afterwards; then it has to fill again first. All that is kept in the long run is therefore less than the rate.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::moment::Moment;

/// The share of all time that may be kept: one part in so many.
const ONE_PART_IN: u64 = 6;
/// The most that is saved up, in nanoseconds, and the largest debt. Less than the interpreter's switch interval: a thread that waits for
/// the interpreter waits for it no longer than for any thread that computes.
const LIMIT: i64 = 4_000_000;

/// An allowance. The thread that uses it is attached, so that no other does at the same time. (Interpreters with a GIL of their own may;
/// then an update may be lost.)
#[derive(Debug)]
pub struct Allowance {
    left: AtomicI64,
    filled: AtomicU64,
}

impl Allowance {
    pub const fn new() -> Self {
        Allowance { left: AtomicI64::new(0), filled: AtomicU64::new(0) }
    }

    /// Fills it for the time that has passed.
    pub fn fill(&self, now: Moment) {
        let earlier = Moment(self.filled.swap(now.0, Ordering::Relaxed));
        let more = i64::try_from(now.since(earlier) / ONE_PART_IN).unwrap_or(LIMIT).min(2 * LIMIT);
        self.left.store((self.left.load(Ordering::Relaxed) + more).min(LIMIT), Ordering::Relaxed);
    }

    /// Takes time that was kept, in nanoseconds.
    pub fn spend(&self, kept: u64) {
        let kept = i64::try_from(kept).unwrap_or(2 * LIMIT).min(2 * LIMIT);
        self.left.store((self.left.load(Ordering::Relaxed) - kept).max(-LIMIT), Ordering::Relaxed);
    }

    /// Whether any is left.
    pub fn is_left(&self) -> bool {
        self.left.load(Ordering::Relaxed) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: u64 = 1_000_000;

    #[test]
    fn it_fills_up_to_its_limit() {
        let allowance = Allowance::new();
        assert!(!allowance.is_left());
        allowance.fill(Moment(1));
        allowance.fill(Moment(100_000 * MILLISECOND));
        assert_eq!(allowance.left.load(Ordering::Relaxed), LIMIT);
    }

    #[test]
    fn a_debt_is_paid_back_by_time() {
        let allowance = Allowance::new();
        allowance.fill(Moment(1));
        allowance.spend(u64::MAX);
        assert_eq!(allowance.left.load(Ordering::Relaxed), -LIMIT);
        allowance.fill(Moment(4 * ONE_PART_IN * MILLISECOND));
        assert!(!allowance.is_left());
        allowance.fill(Moment(4 * ONE_PART_IN * MILLISECOND + 100));
        assert!(allowance.is_left());
    }

    #[test]
    fn no_more_than_its_part_of_the_time_is_kept() {
        let allowance = Allowance::new();
        let (mut now, mut kept) = (1, 0);
        allowance.fill(Moment(now));
        while now < 10_000 * MILLISECOND {
            let step = if allowance.is_left() { 90_000 } else { 0 };
            kept += step;
            allowance.spend(step);
            now += step + 50_000;
            allowance.fill(Moment(now));
        }
        assert!(kept / 1000 <= now / 1000 / ONE_PART_IN + 5_000, "{kept} of {now}");
        assert!(kept * 10 > now, "and it is used");
    }
}
