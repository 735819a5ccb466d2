//! The descriptor of a socket: its number, and the calls that run on it.
//!
//! A number that is copied may be used after it was given back, when it names a stranger's file. So nobody gets the number; a call
//! gets the descriptor, borrowed, for as long as it lasts:
//!
//! - [`Descriptor::attached`] for a call made attached. With the GIL no `close()` can come in between.
//! - [`Descriptor::detached`] for a call made detached. It holds a lease: `close()` in another thread marks the socket closed at once
//!   and interrupts the call, and the number goes back to the system with the last lease.
//!
//! What either runs is `Send`, so that it holds no Python object and no token of the interpreter: no Python code runs between reading
//! the number and using it. Code that tried would not compile.
//!
//! | file | what |
//! | --- | --- |
//! | [`lease`] | the calls that run detached, and which of them gives a number back |
//! | [`release`] | giving a number back |
//! | [`watcher`] | calls that did not end at the first interruption are interrupted again |
//! | [`backoff`] | at which intervals |
//! | [`offer`] | a number that Python code may or may not take over |

mod backoff;
pub mod lease;
pub mod offer;
mod release;
mod watcher;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::Once;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use pyo3::prelude::*;

use self::lease::{Calls, Closing, Ended, Key, Lease};
use self::release::{close_deferred, close_number, closed};
use crate::sys::wake;

/// What a socket without a descriptor has in its place.
const CLOSED: RawFd = -1;

/// The descriptor of one socket. It lies where `_ssl` reads `sock_fd`.
#[repr(transparent)]
#[derive(Debug)]
pub struct Descriptor(AtomicI32);

impl Descriptor {
    /// No descriptor: the socket is closed.
    pub const fn closed() -> Self {
        Descriptor(AtomicI32::new(CLOSED))
    }

    /// The number, to be told (`fileno()`, `repr`); -1 when closed. Not to make a call with.
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
        // Without a GIL any thread may close at any time.
        #[cfg(Py_GIL_DISABLED)]
        return self.lease(None)?.make(call);

        #[cfg(not(Py_GIL_DISABLED))]
        match self.number() {
            CLOSED => Err(closed()),
            // SAFETY: not -1. The number is the socket's while the call runs: to close it takes the GIL, which this thread has and, as
            // `call` is `Send`, does not let go. What is not guaranteed: that the program has not closed the number behind the
            // socket's back, by `os.close` for one. Then it names what it names, as in C.
            number => call(unsafe { BorrowedFd::borrow_raw(number) }),
        }
    }

    /// Makes a call that may block, detached. EBADF when closed, also when another thread closes the socket meanwhile and the call
    /// fails. A call that succeeds keeps its answer: what it received is not lost.
    pub fn detached<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T> + Send,
    ) -> io::Result<T> {
        self.detached_until(py, None, call)
    }

    /// The same; but at an `alarm` the call is interrupted, and fails with EINTR. If this thread blocks the signal, or no thread can be made
    /// to send it, the call goes on.
    pub fn detached_until<T: Send>(
        &self,
        py: Python<'_>,
        alarm: Option<Instant>,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T> + Send,
    ) -> io::Result<T> {
        let lease = self.lease(alarm)?;
        if alarm.is_some() {
            watcher::notify();
        }
        // The lease ends detached too: the last one closes the connection, and `close(2)` of a socket that lingers blocks.
        py.detach(move || lease.make(call))
    }

    /// Whether a call that has waited on `fd` may go on with it. After `detach()` the number belongs to the program and may name another
    /// file: EBADF. After another `__init__` the socket has another number, and the call begins again with that: EINTR.
    pub fn still_names(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        match self.number() {
            number if number == fd.as_raw_fd() => Ok(()),
            CLOSED => Err(closed()),
            _ => Err(io::Error::from(io::ErrorKind::Interrupted)),
        }
    }

    fn lease(&self, alarm: Option<Instant>) -> io::Result<Lease<'static>> {
        Calls::of_process().enter(Key::of(self), alarm, || self.number())
    }

    /// Takes a descriptor over. An earlier one stays open and has no owner any more, as in CPython.
    pub fn put(&self, fd: OwnedFd) {
        self.0.store(fd.into_raw_fd(), Ordering::Release);
    }

    /// Gives the number to the caller, if it is still this one: the socket is closed, what the number names stays open.
    pub fn take_if(&self, number: RawFd) -> bool {
        self.0.compare_exchange(number, CLOSED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Closes it, if it is open. Calls that other threads have running on it end, with EBADF; the last of them gives the number back.
    ///
    /// It fails only as `close(2)` fails. It waits for those calls for a moment: half a millisecond, or 10 ms where no thread can be made.
    pub fn close(&self, py: Python<'_>) -> io::Result<()> {
        let key = Key::of(self);
        match Calls::of_process().close(key, || self.0.swap(CLOSED, Ordering::AcqRel)) {
            None => Ok(()),
            Some(Closing::Unused(number)) => py.detach(|| close_number(number)),
            Some(Closing::InUse) => {
                py.detach(|| watcher::wait_for_calls(key));
                Ok(())
            }
        }
    }
}

impl Lease<'_> {
    /// Makes the one call that it was taken for, and ends.
    fn make<T>(self, call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
        // SAFETY: not -1, or there were no lease, and not given back before it ends. As in `attached`, the program may have closed the
        // number behind the socket's back.
        let answer = call(unsafe { BorrowedFd::borrow_raw(self.fd()) });
        let Ended { was_closed, number } = self.end();
        if let Some(number) = number {
            close_deferred(number);
        }
        if was_closed { answer.or(Err(closed())) } else { answer }
    }
}

/// Makes forks known: a child has none of the threads whose calls were counted. Called when the module is made.
pub fn watch_forks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        wake::around_fork(watcher::before_fork, watcher::after_fork_in_parent, watcher::after_fork_in_child);
    });
}
