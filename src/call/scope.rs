//! The deadlines of a thread, which `oxisocket.deadline` sets: no call of the thread waits beyond the nearest, and none begins after it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use crate::interpreter::watch::{Watcher, is_watched};
use crate::sys::per_thread::PerThread;

/// The deadlines that a thread has entered. Ready calls look for them while the watcher lives.
struct Scopes {
    /// The scopes in the order in which they were entered, each with its own deadline.
    open: Vec<(Id, Option<Instant>)>,
    _watcher: Watcher,
}

/// The number of a scope, never used twice: generators may leave theirs in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(u64);

/// Dropped with its thread, so that a scope which was never left does not slow the other threads down for ever.
static SCOPES: PerThread<RefCell<Option<Scopes>>> = PerThread::new();

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

/// The scopes whose deadlines were freed in another thread than theirs, each as its number plus 1: a place for those that nobody has missed
/// yet. Where there are more, the oldest stay open.
static ABANDONED: [AtomicU64; 16] = [const { AtomicU64::new(0) }; 16];

/// Ends a scope whose deadline is freed: at once in its own thread, and else when that thread looks for its deadlines.
pub fn abandon(id: Id) {
    if !leave(id) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let place = NEXT.fetch_add(1, Ordering::Relaxed) % ABANDONED.len();
        ABANDONED[place].store(id.0 + 1, Ordering::Relaxed);
    }
}

/// Leaves the scopes of this thread that were abandoned in others.
fn leave_abandoned() {
    for place in &ABANDONED {
        let number = place.load(Ordering::Relaxed);
        if number != 0 && leave(Id(number - 1)) {
            // Another thread may have used the place again meanwhile.
            let _ = place.compare_exchange(number, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

#[cold]
fn nearest() -> Option<Instant> {
    leave_abandoned();
    // A thread that has entered no scope, for lack of memory too, has no deadline.
    let nearest = |scopes: &Scopes| scopes.open.iter().filter_map(|(_, deadline)| *deadline).min();
    SCOPES.with_known(|scopes| nearest(scopes.borrow().as_ref()?)).flatten()
}

#[cold]
fn nearest_has_passed() -> bool {
    nearest().is_some_and(|deadline| Instant::now() >= deadline)
}

/// Enters a scope with a deadline, or with none of its own. `None` where there is no memory.
pub fn enter(deadline: Option<Instant>) -> Option<Id> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    SCOPES
        .with(|scopes| {
            let mut scopes = scopes.borrow_mut();
            let scopes = scopes.get_or_insert_with(|| Scopes { open: Vec::new(), _watcher: Watcher::new() });
            scopes.open.try_reserve(1).ok()?;
            let id = Id(NEXT.fetch_add(1, Ordering::Relaxed));
            scopes.open.push((id, deadline));
            Some(id)
        })
        .flatten()
}

/// Leaves a scope; whether it was open in this thread.
pub fn leave(id: Id) -> bool {
    SCOPES
        .with_known(|place| {
            let mut place = place.borrow_mut();
            let Some(scopes) = place.as_mut() else {
                return false;
            };
            let Some(index) = scopes.open.iter().rposition(|(open, _)| *open == id) else {
                return false;
            };
            scopes.open.remove(index);
            if scopes.open.is_empty() {
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
        let first = enter(Some(now + HOUR)).unwrap();
        let second = enter(Some(now + 2 * HOUR)).unwrap();
        assert_eq!(deadline(), Some(now + HOUR));
        let third = enter(None).unwrap();
        assert_eq!(deadline(), Some(now + HOUR));
        assert!(!has_passed());
        let fourth = enter(Some(now)).unwrap();
        assert!(has_passed());
        assert!(leave(fourth) && !has_passed());
        assert!(leave(first), "scopes are left in any order");
        assert_eq!(deadline(), Some(now + 2 * HOUR));
        assert!(!leave(first), "it was left already");
        assert!(leave(third) && leave(second));
        assert_eq!(deadline(), None);
    }

    #[test]
    fn a_deadline_belongs_to_its_thread() {
        let scope = enter(Some(Instant::now())).unwrap();
        assert!(!thread::spawn(move || has_passed() || leave(scope)).join().unwrap());
        assert!(leave(scope) && !has_passed());
    }

    #[test]
    fn a_scope_that_is_abandoned_in_another_thread_ends() {
        let scope = enter(Some(Instant::now())).unwrap();
        assert!(has_passed());
        thread::spawn(move || abandon(scope)).join().unwrap();
        assert!(!has_passed() && !leave(scope));
    }
}
