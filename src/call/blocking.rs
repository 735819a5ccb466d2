//! Calls that may block, detached: which system call it is that blocks, and what becomes of EINTR and of the deadline.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::deadline::Deadline;
use super::scope;
use super::socket::Socket;
use crate::error::{Error, Result};
use crate::interpreter::signals;
use crate::sys::wait::{Direction, poll};

/// Makes a call detached. It blocks in the call itself, if at all. After EINTR it runs the signal handlers and begins again.
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
        // The handler of a signal that came before the call blocks would not end it.
        signals::run_handlers(py)?;
        match socket.descriptor().detached_until(py, alarm, &mut call) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return Ok(answer?),
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

/// Makes a call detached until it succeeds. It blocks in the call itself; or in `poll`, where another thread has given the socket a timeout
/// meanwhile. The timeout is for the next call, but it makes the descriptor non-blocking, and a call that begins again after a signal
/// notices that.
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
            answer => return answer,
        }
    }
}

/// Makes a call detached, each time that `poll` says that the socket is ready, until it succeeds or the deadline passes. It blocks in `poll`;
/// see [`Wait`] for the call itself.
pub fn block_in_poll<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    wait: Wait,
    mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    let Wait { direction, deadline, mut eager, .. } = wait;
    let descriptor = socket.descriptor();
    loop {
        let answer = block_in_call_until(py, socket, wait.alarm(socket), |fd| {
            if std::mem::take(&mut eager)
                && let Some(value) = unless_it_would_block(call(fd))?
            {
                return Ok(Some(value));
            }
            if !poll(fd, direction, left_until(deadline))? {
                return Ok(None);
            }
            descriptor.still_names(fd)?;
            unless_it_would_block(call(fd))
        })?;
        match answer {
            Some(value) => return Ok(value),
            None if deadline.has_passed() => return Err(Error::TimedOut),
            // `poll` was cut short because it was so long; or the readiness went away again; or it is for another call, as with
            // `MSG_ERRQUEUE`.
            None => {}
        }
    }
}

/// How long is left until a deadline; `None` where it never passes.
fn left_until(deadline: Deadline) -> Option<Duration> {
    match deadline {
        Deadline::Now => Some(Duration::ZERO),
        Deadline::Never => None,
        Deadline::At(instant) => Some(instant.saturating_duration_since(Instant::now())),
    }
}

/// The answer of a call; `None` where it would block.
fn unless_it_would_block<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        answer => answer.map(Some),
    }
}

/// Makes a call that cannot be attempted without blocking, such as `accept`: `O_NONBLOCK` belongs to the open file, and whoever has a
/// duplicate of the descriptor can clear it. It blocks as the socket's timeout says: in `poll`, or in the call itself where there is none.
pub fn block_by_timeout<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    direction: Direction,
    call: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    if scope::has_passed() {
        return Err(Error::TimedOut);
    }
    match socket.deadline() {
        deadline @ Deadline::At(_) => {
            block_in_poll(py, socket, Wait { direction, deadline, eager: false, may_block: true }, call)
        }
        Deadline::Now => block_in_call(py, socket, call),
        Deadline::Never => block_in_call_or_poll(py, socket, direction, call),
    }
}
