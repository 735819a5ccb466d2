//! A small memory of how a socket's transfers went, one for each direction.
//!
//! Where each request waits for its answer, data is never there yet, and a failed attempt before each wait is a system call for nothing.
//! After an attempt that failed the next ones are left out: 1, then 3, 7 and at most 15. One that succeeds takes back one failure and no
//! more: where half of the attempts fail, they cost more than they win, and who is a little late for once has not stopped being waited for.

use std::sync::atomic::{AtomicU8, Ordering};

/// The memory of one direction. Threads that race on it lose a guess and nothing else.
#[derive(Debug, Default)]
pub struct Memory(AtomicU8);

/// How many failures weigh on it, in the upper four bits; how many attempts are still to be left out, in the lower.
const FAILURE: u8 = 1 << 4;
const SKIPS: u8 = FAILURE - 1;
const MOST_FAILURES: u8 = 4;

/// No attempt is made first, whatever it would come to: see [`Memory::close_to_attempts`].
const CLOSED: u8 = u8::MAX;

impl Memory {
    /// Whether an attempt is worth its system call.
    #[inline]
    pub fn is_likely(&self) -> bool {
        let memory = self.0.load(Ordering::Relaxed);
        memory & SKIPS == 0 || self.skip(memory)
    }

    #[cold]
    fn skip(&self, memory: u8) -> bool {
        if memory != CLOSED {
            self.0.store(memory - 1, Ordering::Relaxed);
        }
        false
    }

    /// Leaves every attempt out from now on: on this socket one would not mean the same as the call itself.
    pub fn close_to_attempts(&self) {
        self.0.store(CLOSED, Ordering::Relaxed);
    }

    /// Allows attempts again.
    pub fn open_to_attempts(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Whether every attempt is left out.
    #[inline]
    pub fn is_closed_to_attempts(&self) -> bool {
        self.0.load(Ordering::Relaxed) == CLOSED
    }

    /// Whether attempts failed of late.
    #[inline]
    pub fn is_waited_for(&self) -> bool {
        let memory = self.0.load(Ordering::Relaxed);
        memory != 0 && !self.is_closed_to_attempts()
    }

    /// An attempt succeeded.
    #[inline]
    pub fn was_right(&self) {
        if self.0.load(Ordering::Relaxed) != 0 {
            self.was_right_for_once();
        }
    }

    #[cold]
    fn was_right_for_once(&self) {
        self.weigh(self.failures().saturating_sub(1));
    }

    /// An attempt failed: nothing was ready.
    pub fn was_wrong(&self) {
        self.weigh((self.failures() + 1).min(MOST_FAILURES));
    }

    fn failures(&self) -> u8 {
        self.0.load(Ordering::Relaxed) / FAILURE
    }

    fn weigh(&self, failures: u8) {
        if self.is_closed_to_attempts() {
            return;
        }
        let skips = (1 << failures) - 1;
        self.0.store((failures * FAILURE) | skips, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skips(memory: &Memory) -> usize {
        std::iter::repeat_with(|| memory.is_likely()).take_while(|likely| !likely).count()
    }

    #[test]
    fn failures_are_left_out_longer_and_longer_but_not_for_ever() {
        let memory = Memory::default();
        let left_out = [1, 3, 7, 15, 15].map(|_| {
            memory.was_wrong();
            skips(&memory)
        });
        assert_eq!(left_out, [1, 3, 7, 15, 15]);
    }

    #[test]
    fn a_success_takes_back_one_failure() {
        let memory = Memory::default();
        (0..9).for_each(|_| memory.was_wrong());
        for skipped in [15, 7, 3, 1, 0] {
            assert_eq!(skips(&memory), skipped);
            memory.was_right();
        }
        assert!(!memory.is_waited_for());
    }

    #[test]
    fn what_is_closed_stays_closed() {
        let memory = Memory::default();
        memory.close_to_attempts();
        (0..99).for_each(|_| assert!(!memory.is_likely()));
        memory.was_right();
        memory.was_wrong();
        assert!(memory.is_closed_to_attempts() && !memory.is_waited_for());
        memory.open_to_attempts();
        assert!(memory.is_likely());
    }

    #[test]
    fn as_many_successes_as_failures_forget_them() {
        let memory = Memory::default();
        (0..9).for_each(|_| memory.was_wrong());
        for _ in 0..MOST_FAILURES {
            assert!(memory.is_waited_for());
            memory.was_right();
        }
        assert!(!memory.is_waited_for());
        memory.was_wrong();
        assert_eq!(skips(&memory), 1);
    }
}
