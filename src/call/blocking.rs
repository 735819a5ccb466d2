//! Calls that may block, made detached: which system call blocks, and how EINTR and the deadline are handled.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::deadline::Deadline;
use super::socket::Socket;
use crate::error::{Error, Result};
use crate::interpreter::signals;
use crate::sys::wait::{self, Direction};

/// Makes a call detached. The thread blocks in the call itself, if it blocks. After EINTR the signal handlers run and the call is made
/// again (PEP 475).
pub fn block_in_call<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    loop {
        // A signal that arrived before the call blocks does not interrupt the call, so its Python handler must run first.
        signals::run_handlers(py)?;
        match socket.descriptor().detached(py, &mut call) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return Ok(result?),
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
                block_in_call(py, socket, |fd| wait::poll(fd, direction, None))?;
            }
            result => return result,
        }
    }
}

/// Makes a call detached each time that `poll` reports the socket ready, until the call succeeds or the deadline passes. The thread blocks
/// in `poll`; the call itself must not block. With `eager` the call is also made once before the first `poll`.
pub fn block_in_poll<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    direction: Direction,
    deadline: Deadline,
    mut eager: bool,
    mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    let descriptor = socket.descriptor();
    loop {
        let result = block_in_call(py, socket, |fd| {
            if std::mem::take(&mut eager)
                && let Some(value) = none_if_would_block(call(fd))?
            {
                return Ok(Some(value));
            }
            if !wait::poll(fd, direction, time_left(deadline))? {
                return Ok(None);
            }
            descriptor.still_names(fd)?;
            none_if_would_block(call(fd))
        })?;
        match result {
            Some(value) => return Ok(value),
            None if deadline.has_passed() => return Err(Error::TimedOut),
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
    call: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    match socket.deadline() {
        deadline @ Deadline::At(_) => block_in_poll(py, socket, direction, deadline, false, call),
        Deadline::Now => block_in_call(py, socket, call),
        Deadline::Never => block_in_call_or_poll(py, socket, direction, call),
    }
}
