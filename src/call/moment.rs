//! A moment, as a number that fits an atomic.

use std::sync::OnceLock;
use std::time::Instant;

/// Nanoseconds of the monotonic clock, from a beginning that is this process's own. Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub u64);

impl Moment {
    /// The present.
    pub fn now() -> Self {
        static BEGINNING: OnceLock<Instant> = OnceLock::new();
        let elapsed = BEGINNING.get_or_init(Instant::now).elapsed();
        // A u64 has room for 584 years.
        Moment(elapsed.as_nanos() as u64 + 1)
    }

    /// The nanoseconds since an earlier moment; 0 if that is later.
    pub fn since(self, earlier: Moment) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_in_one_direction() {
        let before = Moment::now();
        let after = Moment::now();
        assert!(before.0 > 0 && after.since(before) < 1_000_000_000_000);
        assert_eq!(before.since(Moment(before.0 + 5)), 0);
    }
}
