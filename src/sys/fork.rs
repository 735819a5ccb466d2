//! What happens around `fork(2)`: the child process has only the thread that forked.

use std::cell::UnsafeCell;
use std::io;

/// `pthread_atfork(3)`: calls `before` before each `fork(2)`, then `in_parent` in the parent and `in_child` in the child. It fails only when
/// there is no memory.
pub fn around_fork(before: extern "C" fn(), in_parent: extern "C" fn(), in_child: extern "C" fn()) -> io::Result<()> {
    // SAFETY: the handlers are functions of this library, which is never unloaded. `in_child` runs while the child has only one thread.
    match unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// The place for the locks that a thread holds while it forks. If another thread held them, the child process would wait for them for ever.
///
/// They are not in the thread's own data, which may have to be allocated: a fork handler cannot fail.
pub struct Held<L>(UnsafeCell<Option<L>>);

// SAFETY: who uses the place holds the locks, or has just put them here: no other thread uses it then. The locks stay in their thread.
unsafe impl<L> Sync for Held<L> {}

impl<L> Held<L> {
    /// No thread forks.
    pub const fn new() -> Self {
        Held(UnsafeCell::new(None))
    }

    /// Keeps the locks until the fork is done.
    ///
    /// # Safety
    ///
    /// `L` is one lock or more, always the same. This is the handler before a fork, and after the fork [`Held::take`] is called.
    pub unsafe fn put(&self, locks: L) {
        // SAFETY: this thread has the locks. Another one that had them has taken them from here before it gave them back.
        unsafe { *self.0.get() = Some(locks) }
    }

    /// The locks, which are given back when the value is dropped.
    ///
    /// # Safety
    ///
    /// This is a handler after a fork, in the thread that has called [`Held::put`] in the handler before.
    pub unsafe fn take(&self) -> Option<L> {
        // SAFETY: this thread has the locks, so that no other one is between `put` and `take`.
        unsafe { (*self.0.get()).take() }
    }
}
