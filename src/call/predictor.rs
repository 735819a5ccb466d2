//! Predicts whether a transfer is ready, from the last transfers in the same direction.
//!
//! In a protocol of requests and answers the data has never arrived when it is asked for, and a first attempt before each wait would be
//! a wasted system call. So after a miss (a first attempt that failed) the predictor skips the next first attempts: 1, then 3, 7 and at
//! most 15. A hit (one that succeeded) takes back one miss, not all of them: if half of the attempts fail, they cost more than they save.

use std::sync::atomic::{AtomicU8, Ordering};

/// The predictor of one direction.
///
/// A lost update costs a prediction and nothing else; that of [`disable`](Self::disable) is never lost.
#[derive(Debug, Default)]
pub struct Predictor(AtomicU8);

/// The upper four bits count the misses; the lower four count the attempts still to be skipped.
const MISS: u8 = 1 << 4;
const SKIPS: u8 = MISS - 1;
const MAX_MISSES: u8 = 4;

/// The state in which no first attempt is made: see [`Predictor::disable`].
const DISABLED: u8 = u8::MAX;
/// The same for the time being: see [`Predictor::suspend`].
const SUSPENDED: u8 = DISABLED - 1;

impl Predictor {
    /// Whether the transfer is likely to be ready, so that a first attempt is worth its system call.
    #[inline]
    pub fn is_likely(&self) -> bool {
        let state = self.0.load(Ordering::Relaxed);
        state & SKIPS == 0 || self.skip(state)
    }

    #[cold]
    fn skip(&self, state: u8) -> bool {
        if state < SUSPENDED {
            // Not where another thread has changed it meanwhile, above all to `DISABLED`.
            let _ = self.0.compare_exchange(state, state - 1, Ordering::Relaxed, Ordering::Relaxed);
        }
        false
    }

    /// Skips every first attempt from now on, because on this socket an attempt would not mean the same as the call itself.
    pub fn disable(&self) {
        self.0.store(DISABLED, Ordering::Relaxed);
    }

    /// Skips every first attempt until [`resume`](Self::resume), because it is not known yet whether an attempt means the same. One that is
    /// disabled stays so.
    pub fn suspend(&self) {
        self.0.fetch_max(SUSPENDED, Ordering::Relaxed);
    }

    /// Whether it is suspended.
    pub fn is_suspended(&self) -> bool {
        self.0.load(Ordering::Relaxed) == SUSPENDED
    }

    /// Allows first attempts, if it is suspended.
    pub fn resume(&self) {
        let _ = self.0.compare_exchange(SUSPENDED, 0, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Forgets all misses, and allows first attempts again.
    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Whether every first attempt is skipped, for good or for the time being.
    #[inline]
    pub fn is_disabled(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= SUSPENDED
    }

    /// Whether recent transfers had to wait.
    #[inline]
    pub fn has_missed(&self) -> bool {
        let state = self.0.load(Ordering::Relaxed);
        state != 0 && !self.is_disabled()
    }

    /// Records that a first attempt succeeded.
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

    /// Records that a first attempt failed, because the socket was not ready.
    pub fn miss(&self) {
        self.store((self.misses() + 1).min(MAX_MISSES));
    }

    /// Skips the next attempts, as after misses: another way is taken for the time being.
    pub fn pause(&self) {
        let state = self.0.load(Ordering::Relaxed);
        if state < SUSPENDED {
            let paused = (self.misses().max(1) * MISS) | (SKIPS - 1);
            let _ = self.0.compare_exchange(state, paused, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn misses(&self) -> u8 {
        self.0.load(Ordering::Relaxed) / MISS
    }

    fn store(&self, misses: u8) {
        let state = self.0.load(Ordering::Relaxed);
        if state < SUSPENDED {
            let skips = (1 << misses) - 1;
            let new = (misses * MISS) | skips;
            let _ = self.0.compare_exchange(state, new, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skips(predictor: &Predictor) -> usize {
        std::iter::repeat_with(|| predictor.is_likely()).take_while(|likely| !likely).count()
    }

    /// Neither time nor what is recorded allows a first attempt.
    fn assert_skips_all(predictor: &Predictor) {
        (0..99).for_each(|_| assert!(!predictor.is_likely()));
        predictor.hit();
        predictor.miss();
        predictor.pause();
        assert!(predictor.is_disabled() && !predictor.has_missed());
    }

    #[test]
    fn each_miss_skips_more_attempts_up_to_a_limit() {
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
    fn a_pause_skips_attempts_but_is_no_reason_for_more() {
        let predictor = Predictor::default();
        predictor.pause();
        predictor.pause();
        assert_eq!(skips(&predictor), 14);
        predictor.hit();
        assert!(!predictor.has_missed());
    }

    #[test]
    fn a_disabled_predictor_stays_disabled() {
        let predictor = Predictor::default();
        predictor.disable();
        assert_skips_all(&predictor);
        predictor.reset();
        assert!(predictor.is_likely());
    }

    #[test]
    fn a_suspended_predictor_goes_on_unless_it_is_disabled_meanwhile() {
        let predictor = Predictor::default();
        predictor.suspend();
        assert_skips_all(&predictor);
        assert!(predictor.is_suspended());
        predictor.resume();
        assert!(predictor.is_likely());
        predictor.suspend();
        predictor.disable();
        predictor.suspend();
        predictor.resume();
        assert!(predictor.is_disabled() && !predictor.is_suspended());
    }

    #[test]
    fn as_many_hits_as_misses_clear_them() {
        let predictor = Predictor::default();
        (0..9).for_each(|_| predictor.miss());
        for _ in 0..MAX_MISSES {
            assert!(predictor.has_missed());
            predictor.hit();
        }
        assert!(!predictor.has_missed());
        predictor.miss();
        assert_eq!(skips(&predictor), 1);
    }
}
