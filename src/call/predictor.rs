//! Predicts whether a transfer is ready, from how the last ones in the same direction went.
//!
//! Where each request waits for its answer, the data is never there yet, and a failed first attempt before each wait is a system call for
//! nothing. So after a miss the predictor skips the next first attempts: 1, then 3, 7 and at most 15. A hit takes back one miss and not all
//! of them: where half of the attempts fail, they cost more than they save.

use std::sync::atomic::{AtomicU8, Ordering};

/// The predictor of one direction. Threads that race on it lose a prediction and nothing else.
#[derive(Debug, Default)]
pub struct Predictor(AtomicU8);

/// The upper four bits count the misses, the lower four the attempts that are still to be skipped.
const MISS: u8 = 1 << 4;
const SKIPS: u8 = MISS - 1;
const MOST_MISSES: u8 = 4;

/// No first attempt is made at all: see [`Predictor::disable`].
const DISABLED: u8 = u8::MAX;

impl Predictor {
    /// Whether the transfer is likely to be ready, so that a first attempt is worth its system call.
    #[inline]
    pub fn is_likely(&self) -> bool {
        let state = self.0.load(Ordering::Relaxed);
        state & SKIPS == 0 || self.skip(state)
    }

    #[cold]
    fn skip(&self, state: u8) -> bool {
        if state != DISABLED {
            self.0.store(state - 1, Ordering::Relaxed);
        }
        false
    }

    /// Skips every first attempt from now on: on this socket one would not mean the same as the call itself.
    pub fn disable(&self) {
        self.0.store(DISABLED, Ordering::Relaxed);
    }

    /// Forgets everything, and allows first attempts again.
    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Whether every first attempt is skipped.
    #[inline]
    pub fn is_disabled(&self) -> bool {
        self.0.load(Ordering::Relaxed) == DISABLED
    }

    /// Whether transfers had to wait of late.
    #[inline]
    pub fn has_missed(&self) -> bool {
        let state = self.0.load(Ordering::Relaxed);
        state != 0 && !self.is_disabled()
    }

    /// A first attempt succeeded.
    #[inline]
    pub fn hit(&self) {
        if self.0.load(Ordering::Relaxed) != 0 {
            self.forgive();
        }
    }

    #[cold]
    fn forgive(&self) {
        self.store(self.misses().saturating_sub(1));
    }

    /// A first attempt failed: nothing was ready.
    pub fn miss(&self) {
        self.store((self.misses() + 1).min(MOST_MISSES));
    }

    fn misses(&self) -> u8 {
        self.0.load(Ordering::Relaxed) / MISS
    }

    fn store(&self, misses: u8) {
        if self.is_disabled() {
            return;
        }
        let skips = (1 << misses) - 1;
        self.0.store((misses * MISS) | skips, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skips(predictor: &Predictor) -> usize {
        std::iter::repeat_with(|| predictor.is_likely()).take_while(|likely| !likely).count()
    }

    #[test]
    fn misses_are_skipped_longer_and_longer_but_not_for_ever() {
        let predictor = Predictor::default();
        let skipped = [1, 3, 7, 15, 15].map(|_| {
            predictor.miss();
            skips(&predictor)
        });
        assert_eq!(skipped, [1, 3, 7, 15, 15]);
    }

    #[test]
    fn a_hit_takes_back_one_miss() {
        let predictor = Predictor::default();
        (0..9).for_each(|_| predictor.miss());
        for skipped in [15, 7, 3, 1, 0] {
            assert_eq!(skips(&predictor), skipped);
            predictor.hit();
        }
        assert!(!predictor.has_missed());
    }

    #[test]
    fn a_disabled_predictor_stays_disabled() {
        let predictor = Predictor::default();
        predictor.disable();
        (0..99).for_each(|_| assert!(!predictor.is_likely()));
        predictor.hit();
        predictor.miss();
        assert!(predictor.is_disabled() && !predictor.has_missed());
        predictor.reset();
        assert!(predictor.is_likely());
    }

    #[test]
    fn as_many_hits_as_misses_forget_them() {
        let predictor = Predictor::default();
        (0..9).for_each(|_| predictor.miss());
        for _ in 0..MOST_MISSES {
            assert!(predictor.has_missed());
            predictor.hit();
        }
        assert!(!predictor.has_missed());
        predictor.miss();
        assert_eq!(skips(&predictor), 1);
    }
}
