//! Calls that may block, made detached: which system call blocks, and how EINTR and the deadline are handled.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::contention::Reattaching;
use super::deadline::Deadline;
use super::socket::Socket;
use super::{attached_wait, scope, turn};
use crate::error::{Error, Result};
use crate::interpreter::signals;
use crate::sys::wait::{Direction, poll};

/// Makes a call detached. The thread blocks in the call itself, if it blocks. After EINTR the signal handlers run and the call is made
/// again (PEP 475).
pub fn block_in_call<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    call: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    block_in_call_until(py, socket, None, call)
}

/// The same; but at an `alarm` the call is interrupted, and ends with the timeout's error.
pub fn block_in_call_until<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    alarm: Option<Instant>,
    mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    loop {
        // A signal that arrived before the call blocks does not interrupt the call, so its Python handler must run first.
        signals::run_handlers(py)?;
        attached_wait::ends();
        let mut reattaching = Reattaching::new(turn::has_ended());
        let result = socket.descriptor().detached_until(py, alarm, |fd| {
            reattaching.is_detached();
            let result = call(fd);
            reattaching.begin();
            result
        });
        attached_wait::reattached(py, reattaching);
        match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return Ok(result?),
        }
        if alarm.is_some_and(|alarm| Instant::now() >= alarm) {
            return Err(Error::TimedOut);
        }
    }
}

/// How a call waits in `poll`.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// What it waits for.
    pub direction: Direction,
    /// Until when.
    pub deadline: Deadline,
    /// Whether the call is made once before the first `poll`.
    pub eager: bool,
    /// Whether the call itself may block although `poll` said that the socket is ready, as `accept` does where another process took the
    /// connection, if the descriptor is blocking. It is interrupted at the deadline then.
    pub may_block: bool,
}

impl Wait {
    fn alarm(&self, socket: &Socket) -> Option<Instant> {
        match self.deadline {
            Deadline::At(instant) if self.may_block && socket.timeout().is_none() => Some(instant),
            _ => None,
        }
    }
}

/// Makes a call detached until it succeeds. The thread blocks in the call itself, or in `poll` if another thread gives the socket a
/// timeout meanwhile. That timeout applies to the next call, but `settimeout` makes the descriptor non-blocking at once: a call that is
/// made again after a signal then fails with EAGAIN.
pub fn block_in_call_or_poll<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    direction: Direction,
    mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    loop {
        match block_in_call(py, socket, &mut call) {
            Err(error) if error.is_errno(libc::EAGAIN) && socket.timeout().is_positive() => {
                block_in_call(py, socket, |fd| poll(fd, direction, None))?;
            }
            result => return result,
        }
    }
}

/// Makes a call detached each time that `poll` reports the socket ready, until the call succeeds or the deadline passes. The thread blocks
/// in `poll`; see [`Wait`] for the call itself.
///
/// A socket may be ready and have nothing. If another thread or a signal handler has taken its timeout away meanwhile, the call fails with
/// EAGAIN then, as in CPython.
pub fn block_in_poll<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    wait: Wait,
    mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    let Wait { direction, deadline, mut eager, .. } = wait;
    let descriptor = socket.descriptor();
    let had_timeout = socket.timeout().is_positive() && scope::deadline().is_none();
    loop {
        let result = block_in_call_until(py, socket, wait.alarm(socket), |fd| {
            if std::mem::take(&mut eager)
                && let Some(value) = none_if_would_block(call(fd))?
            {
                return Ok(Some(value));
            }
            if !poll(fd, direction, time_left(deadline))? {
                return Ok(None);
            }
            descriptor.still_names(fd)?;
            none_if_would_block(call(fd))
        })?;
        match result {
            Some(value) => return Ok(value),
            None if deadline.has_passed() => return Err(Error::TimedOut),
            None if had_timeout && !socket.timeout().is_positive() => return Err(Error::errno(libc::EAGAIN)),
            // The timeout was longer than `poll` can take; or the socket was no longer ready when the call was made; or it is ready for
            // another call only, as with `MSG_ERRQUEUE`.
            None => {}
        }
    }
}

/// The time left until a deadline; `None` if it never passes.
fn time_left(deadline: Deadline) -> Option<Duration> {
    match deadline {
        Deadline::Now => Some(Duration::ZERO),
        Deadline::Never => None,
        Deadline::At(instant) => Some(instant.saturating_duration_since(Instant::now())),
    }
}

/// The result of a call; `None` if the call would block.
fn none_if_would_block<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        result => result.map(Some),
    }
}

/// Makes a call, such as `accept`, that has no flag like `MSG_DONTWAIT`: it may always block, because `O_NONBLOCK` belongs to the open file
/// description and any holder of a duplicate can clear it. With a timeout the thread blocks in `poll`, without one in the call itself.
pub fn block_by_timeout<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    direction: Direction,
    mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    if scope::has_passed() {
        return Err(Error::TimedOut);
    }
    let deadline = socket.deadline();
    // The call itself is made detached all the same; but one that is ready ends before anybody else has taken the interpreter.
    attached_wait::is_soon_ready(py, socket, deadline)?;
    attached_wait::learn(socket, |ended| block_until(py, socket, direction, deadline, |fd| ended.after(|| call(fd))))
}

fn block_until<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    direction: Direction,
    deadline: Deadline,
    call: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    match deadline {
        deadline @ Deadline::At(_) => {
            block_in_poll(py, socket, Wait { direction, deadline, eager: false, may_block: true }, call)
        }
        Deadline::Now => block_in_call(py, socket, call),
        Deadline::Never => block_in_call_or_poll(py, socket, direction, call),
    }
}
