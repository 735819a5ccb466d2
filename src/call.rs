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

/// An attempt at a transfer: the system call with the given flags, without the first so many bytes, which have been sent.
///
/// What waits takes it as an object: the way of a transfer that is ready stays short, for the processor's caches as for the reader.
type Attempt<'a> = &'a mut (dyn FnMut(RawFd, c_int, usize) -> io::Result<usize> + Send);

/// Makes a transfer.
///
/// `patience` is none until it had to wait, and is then how long it, and what follows in the same call from Python, will wait. `attempt`
/// may be called several times.
#[inline(always)]
pub fn transfer(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    patience: &mut Option<Patience>,
    mut attempt: impl FnMut(RawFd, c_int, usize) -> io::Result<usize> + Send,
) -> Result<usize> {
    let readiness = socket.readiness(wanted.direction);
    let is_tried = socket.timeout().is_zero()
        || (wanted.can_be_tried() && !wanted.is_in_conversation(socket) && readiness.is_likely());
    if !is_tried {
        return wait_with(py, socket, wanted, patience, attempt);
    }
    let tried = {
        let lease = BriefLease::take(socket);
        attempt(lease.fd(), wanted.flags | libc::MSG_DONTWAIT, 0)
    };
    match tried {
        Ok(count) if wanted.is_whole(count) => {
            readiness.was_right();
            Ok(count)
        }
        tried => go_on_with(py, socket, wanted, patience, tried, attempt),
    }
}

/// [`wait`]. That it takes the attempt away, and is not a part of its callers, spares those who need not wait the making of an object.
#[inline(never)]
fn wait_with(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    patience: &mut Option<Patience>,
    mut attempt: impl FnMut(RawFd, c_int, usize) -> io::Result<usize> + Send,
) -> Result<usize> {
    wait(py, socket, wanted, patience, &mut attempt)
}

/// [`go_on`], for the same reason.
#[cold]
#[inline(never)]
fn go_on_with(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    patience: &mut Option<Patience>,
    tried: io::Result<usize>,
    mut attempt: impl FnMut(RawFd, c_int, usize) -> io::Result<usize> + Send,
) -> Result<usize> {
    go_on(py, socket, wanted, patience, tried, &mut attempt)
}

impl Transfer {
    #[inline]
    fn can_be_tried(self) -> bool {
        self.size <= ATTACHED_LIMIT && self.flags & libc::MSG_WAITALL == 0
    }

    /// Whether it is a send to somebody whose answers had to be waited for. Who answers may be a thread of this process: it has been waiting
    /// for this very send, and would have to wait again, for the GIL.
    #[inline]
    fn is_in_conversation(self, socket: &Socket) -> bool {
        self.direction == Direction::Write && socket.readiness(Direction::Read).is_waited_for()
    }

    /// Whether nothing of it is left to do. A blocking receive is content with what has come, a blocking send is not with what went.
    #[inline]
    fn is_whole(self, count: usize) -> bool {
        self.direction == Direction::Read || count >= self.size || count == 0
    }
}

/// Goes on after an attempt that did not do it all.
fn go_on(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    patience: &mut Option<Patience>,
    tried: io::Result<usize>,
    attempt: Attempt<'_>,
) -> Result<usize> {
    let readiness = socket.readiness(wanted.direction);
    let timeout = socket.timeout();
    match tried {
        Ok(count) => {
            readiness.was_right();
            // The kernel would have gone on blocking.
            let more = if timeout.is_none() { rest(py, socket, wanted, count, attempt) } else { 0 };
            return Ok(count + more);
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock && !timeout.is_zero() => readiness.was_wrong(),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => signals::run_handlers(py)?,
        Err(error) => return Err(error.into()),
    }
    wait(py, socket, wanted, patience, attempt)
}

/// Sends the rest. What stops it, a signal, a timeout or an error, does not make what was sent unsent: the next call will meet it again.
fn rest(py: Python<'_>, socket: &Socket, wanted: Transfer, sent: usize, attempt: Attempt<'_>) -> usize {
    let Ok(lease) = Lease::take(socket) else {
        return 0;
    };
    let fd = lease.fd();
    py.detach(|| attempt(fd, wanted.flags, sent)).unwrap_or(0)
}

/// Makes a transfer that is likely to wait.
fn wait(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    patience: &mut Option<Patience>,
    attempt: Attempt<'_>,
) -> Result<usize> {
    // 0 bytes may be the end of the connection, or of a socket that was closed meanwhile.
    let may_be_the_end = |count: &usize| *count == 0;
    let flags = wanted.flags | libc::MSG_DONTWAIT;
    match *patience.get_or_insert_with(|| socket.patience()) {
        Patience::Never => at_once(py, socket, |fd| attempt(fd, flags, 0)),
        Patience::Until(deadline) => {
            // What is large is not polled for first: while a stream flows, each poll would be for nothing. Nor is room for what is sent,
            // as long as there was some.
            let eager = wanted.size > ATTACHED_LIMIT
                || wanted.direction == Direction::Write && !socket.readiness(Direction::Write).is_waited_for();
            let attempt = |fd| attempt(fd, flags, 0);
            wait_till(py, socket, wanted.direction, deadline, eager, attempt, may_be_the_end)
        }
        Patience::Forever => block(py, socket, |fd| attempt(fd, wanted.flags, 0), may_be_the_end),
    }
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
    attempt: impl FnMut(RawFd) -> io::Result<T> + Send,
) -> Result<T> {
    match socket.patience() {
        Patience::Never => at_once(py, socket, attempt),
        Patience::Until(deadline) => wait_till(py, socket, direction, deadline, false, attempt, |_| false),
        Patience::Forever => block(py, socket, attempt, |_| false),
    }
}
