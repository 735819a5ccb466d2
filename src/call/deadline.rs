//! When a call stops waiting: the socket's timeout, counted from the moment at which the call first has to wait.

use std::time::{Duration, Instant};

use super::timeout::Timeout;

/// When a call stops waiting.
#[derive(Clone, Copy, Debug)]
pub enum Deadline {
    /// At once: the socket is non-blocking.
    Now,
    /// Never: the socket has no timeout.
    Never,
    /// At this time of the monotonic clock.
    At(Instant),
}

impl Deadline {
    /// The deadline of a call that begins to wait now. A call that is ready needs no deadline, and so reads no clock.
    pub fn after(timeout: Timeout) -> Self {
        match timeout.nanoseconds() {
            0 => Deadline::Now,
            nanoseconds if nanoseconds < 0 => Deadline::Never,
            nanoseconds => Instant::now()
                .checked_add(Duration::from_nanos(nanoseconds.cast_unsigned()))
                .map_or(Deadline::Never, Deadline::At),
        }
    }

    /// The nearer of this deadline and the thread's. A call that does not wait at all still does not wait.
    #[must_use]
    pub fn within(self, scope: Option<Instant>) -> Self {
        match (self, scope) {
            (Deadline::Now, _) | (_, None) => self,
            (Deadline::Never, Some(instant)) => Deadline::At(instant),
            (Deadline::At(own), Some(instant)) => Deadline::At(own.min(instant)),
        }
    }

    /// Whether the deadline has passed.
    pub fn has_passed(self) -> bool {
        match self {
            Deadline::Now => true,
            Deadline::Never => false,
            Deadline::At(instant) => Instant::now() >= instant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_timeout_gives_its_kind_of_deadline() {
        assert!(matches!(Deadline::after(Timeout::ZERO), Deadline::Now));
        assert!(matches!(Deadline::after(Timeout::NONE), Deadline::Never));
        assert!(matches!(Deadline::after(Timeout::from_nanoseconds(1)), Deadline::At(_)));
    }

    #[test]
    fn the_longest_timeout_does_not_overflow() {
        assert!(!Deadline::after(Timeout::from_nanoseconds(i64::MAX)).has_passed());
    }

    #[test]
    fn a_deadline_passes() {
        let deadline = Deadline::after(Timeout::from_nanoseconds(1_000_000));
        assert!(!deadline.has_passed() || cfg!(miri));
        std::thread::sleep(Duration::from_millis(2));
        assert!(deadline.has_passed());
        assert!(Deadline::Now.has_passed() && !Deadline::Never.has_passed());
    }

    #[test]
    fn the_nearer_deadline_counts() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        assert!(matches!(Deadline::Now.within(Some(later)), Deadline::Now));
        assert!(matches!(Deadline::Never.within(Some(later)), Deadline::At(at) if at == later));
        assert!(matches!(Deadline::At(now).within(Some(later)), Deadline::At(at) if at == now));
        assert!(matches!(Deadline::At(later).within(Some(now)), Deadline::At(at) if at == now));
        assert!(matches!(Deadline::Never.within(None), Deadline::Never));
    }
}
