//! The deadlines of a thread, which `oxisocket.deadline` sets: no call of the thread waits beyond the nearest, and none begins after it.

use std::cell::RefCell;
use std::time::Instant;

use super::watch::{Watcher, is_watched};

/// The deadlines that a thread has entered. Ready calls look for them while the watcher lives.
struct Scopes {
    /// For each scope, the outermost first: the nearest deadline within it.
    nearest: Vec<Option<Instant>>,
    _watcher: Watcher,
}

thread_local! {
    /// Dropped with its thread, so that a scope which was never left does not slow the other threads down for ever.
    static SCOPES: RefCell<Option<Scopes>> = const { RefCell::new(None) };
}

/// The nearest deadline of this thread; `None` where it has none.
#[inline]
pub fn deadline() -> Option<Instant> {
    if is_watched() { nearest() } else { None }
}

/// Whether the nearest deadline of this thread has passed.
#[inline]
pub fn has_passed() -> bool {
    is_watched() && nearest_has_passed()
}

#[cold]
fn nearest() -> Option<Instant> {
    // A thread whose local data is gone already is ending, and has no deadline.
    SCOPES.try_with(|scopes| *scopes.borrow().as_ref()?.nearest.last()?).unwrap_or(None)
}

#[cold]
fn nearest_has_passed() -> bool {
    nearest().is_some_and(|deadline| Instant::now() >= deadline)
}

/// Enters a scope with a deadline, or with none of its own; returns the number of scopes in which this thread is now. `None` where there is no
/// memory.
pub fn enter(deadline: Option<Instant>) -> Option<usize> {
    SCOPES
        .try_with(|scopes| {
            let mut scopes = scopes.borrow_mut();
            let scopes = scopes.get_or_insert_with(|| Scopes { nearest: Vec::new(), _watcher: Watcher::new() });
            scopes.nearest.try_reserve(1).ok()?;
            let outer = scopes.nearest.last().copied().flatten();
            scopes.nearest.push(outer.into_iter().chain(deadline).min());
            Some(scopes.nearest.len())
        })
        .unwrap_or(None)
}

/// Leaves the scope that was the `depth`-th, and all within it; whether there was one.
pub fn leave(depth: usize) -> bool {
    SCOPES
        .try_with(|place| {
            let mut place = place.borrow_mut();
            let Some(scopes) = place.as_mut().filter(|scopes| (1..=scopes.nearest.len()).contains(&depth)) else {
                return false;
            };
            scopes.nearest.truncate(depth - 1);
            if scopes.nearest.is_empty() {
                *place = None;
            }
            true
        })
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_nearest_deadline_counts() {
        let now = Instant::now();
        assert_eq!(deadline(), None);
        assert_eq!(enter(Some(now + HOUR)), Some(1));
        assert_eq!(enter(Some(now + 2 * HOUR)), Some(2));
        assert_eq!(deadline(), Some(now + HOUR));
        assert_eq!(enter(None), Some(3));
        assert_eq!(deadline(), Some(now + HOUR));
        assert!(!has_passed());
        assert_eq!(enter(Some(now)), Some(4));
        assert!(has_passed());
        assert!(leave(4) && !has_passed());
        assert!(leave(1));
        assert_eq!(deadline(), None);
        assert!(!leave(1), "it was left already");
    }

    #[test]
    fn a_deadline_belongs_to_its_thread() {
        enter(Some(Instant::now()));
        assert!(!thread::spawn(has_passed).join().unwrap());
        assert!(leave(1) && !has_passed());
    }
}
