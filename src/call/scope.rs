//! The deadlines of a thread, which `oxisocket.deadline` sets: no call of the thread waits beyond the nearest, and none begins after it.

use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::interpreter::watch::{Watcher, is_watched};
use crate::sys::memory;
use crate::sys::per_thread::PerThread;

/// The deadlines that a thread has entered. Ready calls look for them while the watcher lives.
struct Scopes {
    /// The scopes in the order in which they were entered.
    open: Vec<Open>,
    _watcher: Watcher,
}

/// A scope that its thread has not left.
struct Open {
    id: Id,
    deadline: Option<Instant>,
    owner: Half,
}

/// A scope, for whom it was entered. If it is dropped, in any thread, the scope ends when its thread looks for its deadlines.
#[derive(Debug)]
pub struct Scope {
    id: Id,
    _owner: Half,
}

/// One of two owners of a mark, which each can ask whether the other is gone.
#[derive(Debug)]
struct Half(NonNull<AtomicBool>);

// SAFETY: all that the two owners share is an atomic, which the last one frees.
unsafe impl Send for Half {}
// SAFETY: as above.
unsafe impl Sync for Half {}

impl Half {
    /// Both owners; `None` where there is no memory.
    fn pair() -> Option<[Half; 2]> {
        let mark = NonNull::from(Box::leak(memory::try_box(AtomicBool::new(false)).ok()?));
        Some([Half(mark), Half(mark)])
    }

    fn is_alone(&self) -> bool {
        // SAFETY: the mark lives until both owners are gone.
        unsafe { self.0.as_ref() }.load(Ordering::Acquire)
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        // SAFETY: the mark lives until both owners are gone: the second one, which finds it set, frees it. `pair` has made it as a box.
        unsafe {
            if self.0.as_ref().swap(true, Ordering::AcqRel) {
                drop(Box::from_raw(self.0.as_ptr()));
            }
        }
    }
}

/// The number of a scope, never used twice: generators may leave theirs in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Id(u64);

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

#[cold]
fn nearest() -> Option<Instant> {
    // A thread that has entered no scope, for lack of memory too, has no deadline.
    SCOPES
        .with_known(|place| {
            let mut place = place.borrow_mut();
            let open = &mut place.as_mut()?.open;
            open.retain(|scope| !scope.owner.is_alone());
            let nearest = open.iter().filter_map(|scope| scope.deadline).min();
            if open.is_empty() {
                *place = None;
            }
            nearest
        })
        .flatten()
}

#[cold]
fn nearest_has_passed() -> bool {
    nearest().is_some_and(|deadline| Instant::now() >= deadline)
}

/// Enters a scope with a deadline, or with none of its own. `None` where there is no memory.
pub fn enter(deadline: Option<Instant>) -> Option<Scope> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    SCOPES
        .with(|scopes| {
            let mut scopes = scopes.borrow_mut();
            let scopes = scopes.get_or_insert_with(|| Scopes { open: Vec::new(), _watcher: Watcher::new() });
            scopes.open.try_reserve(1).ok()?;
            let [owner, other] = Half::pair()?;
            let id = Id(NEXT.fetch_add(1, Ordering::Relaxed));
            scopes.open.push(Open { id, deadline, owner });
            Some(Scope { id, _owner: other })
        })
        .flatten()
}

/// Leaves a scope; whether it was open in this thread.
pub fn leave(scope: &Scope) -> bool {
    SCOPES
        .with_known(|place| {
            let mut place = place.borrow_mut();
            let Some(scopes) = place.as_mut() else {
                return false;
            };
            let Some(index) = scopes.open.iter().rposition(|open| open.id == scope.id) else {
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
        assert!(leave(&fourth) && !has_passed());
        assert!(leave(&first), "scopes are left in any order");
        assert_eq!(deadline(), Some(now + 2 * HOUR));
        assert!(!leave(&first), "it was left already");
        assert!(leave(&third) && leave(&second));
        assert_eq!(deadline(), None);
    }

    #[test]
    fn a_deadline_belongs_to_its_thread() {
        let scope = enter(Some(Instant::now())).unwrap();
        assert!(!thread::scope(|threads| threads.spawn(|| has_passed() || leave(&scope)).join().unwrap()));
        assert!(leave(&scope) && !has_passed());
    }

    #[test]
    fn scopes_that_are_dropped_in_another_thread_end() {
        let scopes: Vec<_> = (0..100).map(|_| enter(Some(Instant::now())).unwrap()).collect();
        assert!(has_passed());
        thread::spawn(move || drop(scopes)).join().unwrap();
        assert!(!has_passed());
    }
}
