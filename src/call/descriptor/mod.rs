//! The descriptor of a socket: its number, and the calls that run on it.
//!
//! A copy of the number can be used after the descriptor was closed, when the number may name another file. Therefore no caller gets the
//! number; a system call borrows the descriptor for as long as it lasts:
//!
//! - [`Descriptor::attached`] for a call made attached. With the GIL no `close()` can run during the call.
//! - [`Descriptor::detached`] for a call made detached. It holds a lease: `close()` in another thread marks the socket closed at once
//!   and interrupts the call, and the end of the last lease closes the descriptor.
//!
//! Both take a closure that is `Send`, and so can hold neither a Python object nor a `Python` token. Therefore no Python code runs between
//! reading the number and using it; a closure that tried would not compile.
//!
//! | file | what |
//! | --- | --- |
//! | [`lease`] | the calls that run detached, and which of them closes the descriptor |
//! | [`release`] | closing a descriptor, at once or later |
//! | [`watcher`] | interrupts again the calls that did not end at the first interruption |
//! | [`backoff`] | the intervals between interruptions |
//! | [`offer`] | a descriptor that Python code may or may not take over |
//! | `sync` | what orders the threads, and the kernel: the real ones, or those of the models |
//! | `model` | the models, which `make loom` runs |

mod backoff;
pub mod lease;
#[cfg(all(test, loom))]
mod model;
pub mod offer;
mod release;
mod sync;
mod watcher;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::PoisonError;
use std::time::Instant;

use pyo3::prelude::*;

use self::lease::{Calls, Closing, Ended, Key, Lease};
use self::release::{close_deferred, close_number, closed_error};
use self::sync::{AtomicI32, Ordering};
use super::contention;
use crate::interpreter::observe;
use crate::sys::fork::around_fork;

/// The number of a closed socket.
const CLOSED: RawFd = -1;

/// The descriptor of one socket, at the place where `_ssl` reads `sock_fd`.
#[repr(transparent)]
#[derive(Debug)]
pub struct Descriptor(AtomicI32);

impl Descriptor {
    /// No descriptor, as in a closed socket.
    pub fn closed() -> Self {
        Descriptor(AtomicI32::new(CLOSED))
    }

    /// The number, to be shown (`fileno()`, `repr`), not to make a system call with; -1 when closed.
    pub fn number(&self) -> RawFd {
        self.0.load(Ordering::Acquire)
    }

    /// Makes a call that does not block, attached. EBADF when closed.
    #[inline]
    pub fn attached<T>(
        &self,
        _py: Python<'_>,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T> + Send,
    ) -> io::Result<T> {
        // SAFETY: the thread is attached, because the token exists, and the closure cannot detach, because it is `Send`.
        unsafe { self.while_attached(call) }
    }

    /// # Safety
    ///
    /// The thread is attached until `call` has returned.
    #[inline]
    unsafe fn while_attached<T>(&self, call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
        // Without a GIL another thread can close the socket at any time.
        #[cfg(any(Py_GIL_DISABLED, loom_without_gil))]
        return self.lease(None)?.make(call);

        #[cfg(not(any(Py_GIL_DISABLED, loom_without_gil)))]
        match self.number() {
            CLOSED => Err(closed_error()),
            // SAFETY: the number is not -1, and the socket owns it while the call runs: closing needs the GIL, which this thread holds and
            // does not release. Not guaranteed: that the program has not closed the number without the socket, by `os.close` for example.
            // Then the number may name another file, as in CPython.
            number => call(unsafe { BorrowedFd::borrow_raw(number) }),
        }
    }

    /// Makes a call that may block, detached. EBADF when closed, and also when another thread closes the socket meanwhile and the call
    /// fails. A call that succeeds keeps its result, so that received data is not lost.
    pub fn detached<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T> + Send,
    ) -> io::Result<T> {
        self.detached_until(py, None, call)
    }

    /// The same; but at an `alarm` the call is interrupted, and fails with EINTR. If this thread blocks the signal, or no thread can be
    /// started to send it, the call is not interrupted.
    pub fn detached_until<T: Send>(
        &self,
        py: Python<'_>,
        alarm: Option<Instant>,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T> + Send,
    ) -> io::Result<T> {
        let detaching = observe::before_detaching(py);
        let lease = self.lease(alarm)?;
        if alarm.is_some() {
            watcher::wake_watcher();
        }
        // The lease also ends detached: the last one closes the descriptor, and `close(2)` blocks if SO_LINGER is set.
        detaching.detach(py, move || lease.make(call))
    }

    /// Checks that a call that has waited on `fd` may go on with it. EBADF when the socket is closed: after `detach()` the number belongs
    /// to the program and may name another file. EINTR after another `__init__`: the socket has another number, and the call must be made
    /// again with that.
    pub fn still_names(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        match self.number() {
            number if number == fd.as_raw_fd() => Ok(()),
            CLOSED => Err(closed_error()),
            _ => Err(io::Error::from(io::ErrorKind::Interrupted)),
        }
    }

    fn lease(&self, alarm: Option<Instant>) -> io::Result<Lease<'static>> {
        Calls::of_process().enter(Key::of(self), alarm, || self.number())
    }

    /// Takes a descriptor over. An earlier descriptor stays open without an owner, as in CPython.
    pub fn put(&self, fd: OwnedFd) {
        self.0.store(fd.into_raw_fd(), Ordering::Release);
    }

    /// Gives the number to the caller if it is still `number`, and returns whether it was. The socket is then closed; the descriptor stays
    /// open.
    pub fn take_if(&self, number: RawFd) -> bool {
        self.0.compare_exchange(number, CLOSED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Closes the socket, if it is open. Calls that run on it in other threads are interrupted and fail with EBADF; the last of them closes
    /// the descriptor.
    ///
    /// It fails only as `close(2)` fails. It waits for those calls half a millisecond at most, or 10 ms if no watcher thread can be
    /// started.
    pub fn close(&self, py: Python<'_>) -> io::Result<()> {
        match self.give_up() {
            None => Ok(()),
            Some(closing) => py.detach(|| self.finish(closing)),
        }
    }

    /// The same without detaching, and without this thread's own data: for a finalizer that has no memory for them. No call can run.
    pub fn close_attached(&self) -> io::Result<()> {
        self.give_up().map_or(Ok(()), |closing| self.finish(closing))
    }

    /// The first step of closing, made attached: from here on the socket has no number. `None` if it had none.
    fn give_up(&self) -> Option<Closing> {
        Calls::of_process().close(Key::of(self), || self.0.swap(CLOSED, Ordering::AcqRel))
    }

    /// The second step, made detached.
    fn finish(&self, closing: Closing) -> io::Result<()> {
        match closing {
            Closing::Unused(number) => close_number(number),
            Closing::InUse => {
                watcher::wait_for_calls(Key::of(self));
                Ok(())
            }
        }
    }
}

impl Lease<'_> {
    /// Makes the one call that the lease was taken for, and ends the lease.
    fn make<T>(self, call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
        // SAFETY: the number is not -1, which `Calls::enter` checked, and is not closed before this lease ends. Not guaranteed: that the
        // program has not closed the number without the socket, as in `attached`.
        let result = call(unsafe { BorrowedFd::borrow_raw(self.fd()) });
        let Ended { was_closed, number } = self.end();
        if let Some(number) = number {
            close_deferred(number);
        }
        if was_closed { result.or(Err(closed_error())) } else { result }
    }
}

extern "C" fn after_fork_in_child() {
    contention::forget_threads();
    watcher::after_fork_in_child();
}

/// Registers the fork handlers: a child process has none of the threads whose calls are in the tables. Called when the module is created.
/// It fails only when there is no memory.
pub fn watch_forks() -> io::Result<()> {
    static DONE: std::sync::Mutex<bool> = std::sync::Mutex::new(false);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*done {
        around_fork(watcher::before_fork, watcher::after_fork_in_parent, after_fork_in_child)?;
        *done = true;
    }
    Ok(())
}
