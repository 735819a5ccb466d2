//! When the call of a closed socket is interrupted again: after longer and longer intervals, and not for ever.
//!
//! A call that was on its way into the kernel when it was first interrupted is blocked all the same, and on a busy machine its thread may
//! be on that way for long; one that has the signal blocked would collect interruptions to no end. The intervals are each call's own: if
//! every socket that is closed were the occasion to interrupt them all, a call would have had its last one too soon.

use std::time::{Duration, Instant};

/// How often a call is interrupted after the first time: at last after 8 s, and for 16 s in all.
const AGAIN: u32 = 16;
const FIRST_INTERVAL: Duration = Duration::from_micros(250);

/// How far the interruptions of one call have come.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    intervals: u32,
    due: Instant,
}

impl Backoff {
    /// Begins with an interruption at once.
    pub fn new(now: Instant) -> Self {
        Backoff { intervals: 0, due: now + FIRST_INTERVAL }
    }

    /// Begins with an interruption at this moment.
    pub fn at(first: Instant) -> Self {
        Backoff { intervals: 0, due: first }
    }

    /// When the next one is due; `None` after the last.
    pub fn due(&self) -> Option<Instant> {
        (self.intervals < AGAIN).then_some(self.due)
    }

    /// Whether one is due now; then it counts as done.
    pub fn take(&mut self, now: Instant) -> bool {
        let is_due = self.due().is_some_and(|due| due <= now);
        if is_due {
            self.intervals += 1;
            self.due = now + FIRST_INTERVAL * (1 << self.intervals.min(AGAIN));
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intervals_grow_and_end() {
        let start = Instant::now();
        let mut backoff = Backoff::new(start);
        let mut now = start;
        let mut intervals = Vec::new();
        while let Some(due) = backoff.due() {
            intervals.push(due - now);
            now = due;
            assert!(backoff.take(now));
        }
        assert!(intervals.windows(2).all(|pair| pair[1] == pair[0] * 2));
        assert_eq!((intervals[0], intervals.len()), (FIRST_INTERVAL, AGAIN as usize));
        assert_eq!((now - start).as_secs(), 16);
        assert!(!backoff.take(now + Duration::from_secs(3600)));
    }

    #[test]
    fn who_asks_often_gets_no_more() {
        let now = Instant::now();
        let mut backoff = Backoff::new(now);
        assert!(!backoff.take(now));
        assert!(backoff.take(now + FIRST_INTERVAL));
        assert!(!backoff.take(now + FIRST_INTERVAL * 2));
        assert!(backoff.take(now + FIRST_INTERVAL * 3));
    }
}
