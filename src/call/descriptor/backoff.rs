//! When a call on a closed socket is interrupted again: at growing intervals, a limited number of times.
//!
//! An interruption that arrives just before the thread enters the kernel does not keep the call from blocking, and on a busy machine the
//! thread may take long to get there. A thread that blocks the signal would receive interruptions without end. Each call has its own
//! intervals: if each close interrupted the calls on all closed sockets, a call would use up its interruptions too soon.

use std::time::{Duration, Instant};

/// How often a call is interrupted after the first time. The last interval is 8 s, all together are 16 s.
const MAX_REPEATS: u32 = 16;
const FIRST_INTERVAL: Duration = Duration::from_micros(250);

/// The interruptions of one call: how many were made, and when the next one is due.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    intervals: u32,
    due: Instant,
}

impl Backoff {
    /// The state after the first interruption, made at `now`.
    pub fn new(now: Instant) -> Self {
        Backoff { intervals: 0, due: now + FIRST_INTERVAL }
    }

    /// Begins with an interruption at this moment.
    pub fn at(first: Instant) -> Self {
        Backoff { intervals: 0, due: first }
    }

    /// When the next interruption is due; `None` after the last.
    pub fn due(&self) -> Option<Instant> {
        (self.intervals < MAX_REPEATS).then_some(self.due)
    }

    /// Whether an interruption is due now; if so, it is counted as made.
    pub fn take(&mut self, now: Instant) -> bool {
        let is_due = self.due().is_some_and(|due| due <= now);
        if is_due {
            self.intervals += 1;
            self.due = now + FIRST_INTERVAL * (1 << self.intervals.min(MAX_REPEATS));
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
        assert_eq!((intervals[0], intervals.len()), (FIRST_INTERVAL, MAX_REPEATS as usize));
        assert_eq!((now - start).as_secs(), 16);
        assert!(!backoff.take(now + Duration::from_secs(3600)));
    }

    #[test]
    fn frequent_checks_give_no_extra_interruptions() {
        let now = Instant::now();
        let mut backoff = Backoff::new(now);
        assert!(!backoff.take(now));
        assert!(backoff.take(now + FIRST_INTERVAL));
        assert!(!backoff.take(now + FIRST_INTERVAL * 2));
        assert!(backoff.take(now + FIRST_INTERVAL * 3));
    }
}
