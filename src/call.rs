//! The one way to make a socket call: try, detach, wait, deadline, signals, retry.
//!
//! 1. A transfer that is likely to be ready is tried attached, with `MSG_DONTWAIT`: one system call, and no other thread gets the GIL.
//! 2. What is not ready detaches. Without a timeout the kernel waits, in the call itself, so that `SO_RCVTIMEO`, `SO_SNDTIMEO` and
//!    `MSG_WAITALL` mean what they mean; with one, `poll` waits for what is left of it. Signals run their handlers in between (PEP 475).
//! 3. A non-blocking socket makes its one call attached.

use std::ffi::c_int;
use std::io;
use std::os::fd::RawFd;
use std::time::Instant;

use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::interpreter::signals;
use crate::lease::{BriefLease, Lease};
use crate::readiness::Readiness;
use crate::socket::Socket;
use crate::sys::wait::{self, Direction};
use crate::timeout::Patience;

/// Transfers of more bytes than this take their time even when they are ready: they let other threads run.
const ATTACHED_LIMIT: usize = 64 * 1024;

/// What is to be transferred.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// Which way.
    pub direction: Direction,
    /// How many bytes at most.
    pub size: usize,
    /// The caller's `MSG_` flags.
    pub flags: c_int,
}

/// Makes a transfer.
///
/// The clock of `patience` starts when it is first waited for. `attempt` makes the system call with the given flags, without the first so many bytes: those have been sent. It may be called several times.
#[inline]
pub fn transfer(
    py: Python<'_>,
    socket: &Socket,
    transfer: Transfer,
    patience: &mut Patience,
    mut attempt: impl FnMut(RawFd, c_int, usize) -> io::Result<usize> + Send,
) -> Result<usize> {
    let flags = transfer.flags | libc::MSG_DONTWAIT;
    if matches!(patience, Patience::Never) {
        return at_once(py, socket, |fd| attempt(fd, flags, 0));
    }
    let readiness = socket.readiness(transfer.direction);
    if transfer.can_be_tried() && readiness.is_likely() {
        let tried = {
            let lease = BriefLease::take(socket);
            attempt(lease.fd(), flags, 0)
        };
        match tried {
            Ok(count) => {
                readiness.was_right();
                return whole(py, socket, transfer, *patience, count, attempt);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => readiness.was_wrong(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => signals::run_handlers(py)?,
            Err(error) => return Err(error.into()),
        }
    }
    *patience = patience.started();
    match *patience {
        Patience::Until(deadline) => {
            // What is large is not polled for first: while a stream flows, each poll would be for nothing.
            let eager = transfer.size > ATTACHED_LIMIT;
            wait_till(py, socket, transfer.direction, deadline, eager, |fd| attempt(fd, flags, 0), is_end)
        }
        _ => block(py, socket, |fd| attempt(fd, transfer.flags, 0), is_end),
    }
}

impl Transfer {
    fn can_be_tried(self) -> bool {
        self.size <= ATTACHED_LIMIT && self.flags & libc::MSG_WAITALL == 0
    }
}

/// 0 bytes may be the end of the connection, or of a socket that was closed meanwhile.
fn is_end(count: &usize) -> bool {
    *count == 0
}

/// Ends a blocking send that could not be whole without blocking, as the kernel would have ended it.
#[inline]
fn whole(
    py: Python<'_>,
    socket: &Socket,
    transfer: Transfer,
    patience: Patience,
    count: usize,
    attempt: impl FnMut(RawFd, c_int, usize) -> io::Result<usize> + Send,
) -> Result<usize> {
    let partly = transfer.direction == Direction::Write && 0 < count && count < transfer.size;
    if partly && matches!(patience, Patience::Forever) {
        return Ok(count + rest(py, socket, transfer, count, attempt));
    }
    Ok(count)
}

/// Sends the rest. What stops it, a signal, a timeout or an error, does not make what was sent unsent: the next call will meet it again.
#[cold]
fn rest(
    py: Python<'_>,
    socket: &Socket,
    transfer: Transfer,
    sent: usize,
    mut attempt: impl FnMut(RawFd, c_int, usize) -> io::Result<usize> + Send,
) -> usize {
    let Ok(lease) = Lease::take(socket) else {
        return 0;
    };
    let fd = lease.fd();
    py.detach(|| attempt(fd, transfer.flags, sent)).unwrap_or(0)
}

/// Makes a call that does not wait, attached.
#[inline]
pub fn at_once<T>(py: Python<'_>, socket: &Socket, mut attempt: impl FnMut(RawFd) -> io::Result<T>) -> Result<T> {
    loop {
        let answer = {
            let lease = BriefLease::take(socket);
            attempt(lease.fd())
        };
        match answer {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => signals::run_handlers(py)?,
            answer => return Ok(answer?),
        }
    }
}

/// Makes a call whose waiting is the kernel's, detached. An answer that `may_be_the_end` counts as none on a socket closed meanwhile.
pub fn block<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    mut attempt: impl FnMut(RawFd) -> io::Result<T> + Send,
    may_be_the_end: impl Fn(&T) -> bool,
) -> Result<T> {
    loop {
        let lease = Lease::take(socket)?;
        // A signal that came meanwhile ends no wait that begins after it.
        signals::run_handlers(py)?;
        let fd = lease.fd();
        let answer = py.detach(|| attempt(fd));
        let closed = lease.closed();
        drop(lease);
        match answer {
            Ok(value) if !(closed && may_be_the_end(&value)) => return Ok(value),
            _ if closed => return Err(Error::closed()),
            Ok(value) => return Ok(value),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => signals::run_handlers(py)?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Makes a call that does not wait whenever the socket is ready, detached, till it succeeds or the deadline passes.
pub fn wait_till<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    direction: Direction,
    deadline: Instant,
    mut eager: bool,
    mut attempt: impl FnMut(RawFd) -> io::Result<T> + Send,
    may_be_the_end: impl Fn(&T) -> bool,
) -> Result<T> {
    loop {
        let lease = Lease::take(socket)?;
        // A signal that came meanwhile ends no wait that begins after it.
        signals::run_handlers(py)?;
        let fd = lease.fd();
        let answer = py.detach(|| {
            if std::mem::take(&mut eager) {
                match attempt(fd) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    answer => return answer.map(Some),
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let ready = wait::poll(fd, direction, Some(left))?;
            if ready { attempt(fd).map(Some) } else { Ok(None) }
        });
        let closed = lease.closed();
        drop(lease);
        match answer {
            Ok(Some(value)) if !(closed && may_be_the_end(&value)) => return Ok(value),
            _ if closed => return Err(Error::closed()),
            Ok(Some(value)) => return Ok(value),
            Ok(None) if Instant::now() >= deadline => return Err(Error::TimedOut),
            // A wait so long that it was cut.
            Ok(None) => {}
            // Readiness that went away again, or that is not for this call, as with `MSG_ERRQUEUE`: no wait would end it, nor a signal.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if Instant::now() >= deadline {
                    return Err(Error::TimedOut);
                }
                signals::run_handlers(py)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => signals::run_handlers(py)?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Makes a call that cannot be tried without blocking, such as `accept`.
pub fn patient<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    direction: Direction,
    patience: Patience,
    attempt: impl FnMut(RawFd) -> io::Result<T> + Send,
) -> Result<T> {
    match patience.started() {
        Patience::Never => at_once(py, socket, attempt),
        Patience::Until(deadline) => wait_till(py, socket, direction, deadline, false, attempt, |_| false),
        _ => block(py, socket, attempt, |_| false),
    }
}
