//! A TCP listener's backlog. See `backlog`, which asks for it.

/// The connections that wait to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// How many there are.
    pub waiting: u32,
    /// The listener's backlog. The kernel lets one more wait.
    pub limit: u32,
}

impl Backlog {
    /// Whether the kernel ignores further connection requests (`sk_acceptq_is_full`).
    pub fn is_full(self) -> bool {
        self.waiting > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_full_when_one_more_waits_than_it_has() {
        assert!(!Backlog { waiting: 1, limit: 1 }.is_full());
        assert!(Backlog { waiting: 2, limit: 1 }.is_full());
    }
}
