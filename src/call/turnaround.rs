//! Whether a socket's peer answers soon, from the last receives that had to wait.

use std::sync::atomic::{AtomicU8, Ordering};

/// A wait that is shorter than this is a short one, in nanoseconds: about what a peer on this machine or in the same room needs.
pub const SOON: u64 = 200_000;

/// How soon the peer of one socket answers. A wait attached is allowed after one short wait. When it was in vain it is allowed after 1, 3,
/// 7 and at most 15 more; each that was not takes back one of those that were.
///
/// A lost update costs a prediction and nothing else.
#[derive(Debug)]
pub struct Turnaround(AtomicU8);

/// The upper four bits count the waits in vain; the lower four count the short waits that are still wanted.
const MISS: u8 = 1 << 4;
const WANTED: u8 = MISS - 1;
const MAX_MISSES: u8 = 4;

impl Default for Turnaround {
    fn default() -> Self {
        Turnaround(AtomicU8::new(1))
    }
}

impl Turnaround {
    /// Whether the next wait is likely to be a short one.
    pub fn is_short(&self) -> bool {
        self.0.load(Ordering::Relaxed) & WANTED == 0
    }

    /// Records a wait that was made detached, in nanoseconds.
    pub fn waited(&self, nanoseconds: u64) {
        let (misses, wanted) = self.state();
        if nanoseconds < SOON {
            self.store(misses, wanted.saturating_sub(1));
        } else {
            self.store(misses, wanted.max(wanted_after(misses)));
        }
    }

    /// Records that a wait attached was not in vain.
    pub fn hit(&self) {
        self.store(self.state().0.saturating_sub(1), 0);
    }

    /// Records that a wait attached was in vain.
    pub fn miss(&self) {
        let misses = (self.state().0 + 1).min(MAX_MISSES);
        self.store(misses, wanted_after(misses));
    }

    fn state(&self) -> (u8, u8) {
        let state = self.0.load(Ordering::Relaxed);
        (state / MISS, state & WANTED)
    }

    fn store(&self, misses: u8, wanted: u8) {
        self.0.store((misses * MISS) | wanted, Ordering::Relaxed);
    }
}

/// How many short waits are wanted after so many misses.
fn wanted_after(misses: u8) -> u8 {
    ((1 << misses) - 1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many short waits it takes.
    fn short_waits(turnaround: &Turnaround) -> usize {
        std::iter::repeat_with(|| turnaround.waited(SOON - 1)).take_while(|()| !turnaround.is_short()).count() + 1
    }

    #[test]
    fn a_short_wait_is_expected_after_another() {
        let turnaround = Turnaround::default();
        assert!(!turnaround.is_short());
        turnaround.waited(SOON);
        assert!(!turnaround.is_short());
        turnaround.waited(SOON - 1);
        assert!(turnaround.is_short());
        turnaround.waited(SOON);
        assert!(!turnaround.is_short());
    }

    #[test]
    fn each_miss_wants_more_short_waits_up_to_a_limit() {
        let turnaround = Turnaround::default();
        let wanted = [1, 3, 7, 15, 15].map(|_| {
            turnaround.miss();
            short_waits(&turnaround)
        });
        assert_eq!(wanted, [1, 3, 7, 15, 15]);
    }

    #[test]
    fn a_hit_takes_back_one_miss() {
        let turnaround = Turnaround::default();
        (0..9).for_each(|_| turnaround.miss());
        (0..3).for_each(|_| turnaround.hit());
        turnaround.miss();
        assert_eq!(short_waits(&turnaround), 3);
    }
}
