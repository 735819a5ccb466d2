//! A small memory of how a socket's transfers went, one for each direction.
//!
//! Where each request waits for its answer, data is never there yet, and a failed attempt before each wait is a system call for nothing.
//! After an attempt that failed the next ones are left out: 1, then 3, 7 and at most 15. One that succeeds takes back one failure: who
//! is a little late for once has not stopped being waited for.

use std::sync::atomic::{AtomicU8, Ordering};

/// The memory of one direction. Threads that race on it lose a guess and nothing else.
#[derive(Debug, Default)]
pub struct Memory(AtomicU8);

/// How often in a row attempts failed, in the upper four bits; how many are still to be left out, in the lower.
const FAILURE: u8 = 1 << 4;
const SKIPS: u8 = FAILURE - 1;
const MOST_FAILURES: u8 = 4;

/// What a transfer asks, and tells, its socket's memory.
pub trait Readiness {
    /// Whether an attempt is worth its system call.
    fn is_likely(&self) -> bool;
    /// Whether attempts failed of late.
    fn is_waited_for(&self) -> bool;
    /// An attempt succeeded.
    fn was_right(&self);
    /// An attempt failed: nothing was ready.
    fn was_wrong(&self);
}

impl Readiness for Memory {
    #[inline]
    fn is_likely(&self) -> bool {
        let memory = self.0.load(Ordering::Relaxed);
        if memory & SKIPS == 0 {
            return true;
        }
        self.0.store(memory - 1, Ordering::Relaxed);
        false
    }

    #[inline]
    fn is_waited_for(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    #[inline]
    fn was_right(&self) {
        let memory = self.0.load(Ordering::Relaxed);
        if memory != 0 {
            // The one that was tried was not left out.
            self.0.store((memory & !SKIPS).saturating_sub(FAILURE), Ordering::Relaxed);
        }
    }

    fn was_wrong(&self) {
        let failures = (self.0.load(Ordering::Relaxed) / FAILURE + 1).min(MOST_FAILURES);
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
    fn a_success_is_followed_by_another_attempt() {
        let memory = Memory::default();
        memory.was_wrong();
        memory.was_wrong();
        assert_eq!(skips(&memory), 3);
        memory.was_right();
        assert!(memory.is_likely());
        memory.was_wrong();
        assert_eq!(skips(&memory), 3);
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
