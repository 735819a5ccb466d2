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

/// An attempt at a transfer: the system call with the given flags, without the first so many bytes, which have been sent. It may be made
/// several times.
pub trait Attempt: FnMut(RawFd, c_int, usize) -> io::Result<usize> + Send {}

impl<F: FnMut(RawFd, c_int, usize) -> io::Result<usize> + Send> Attempt for F {}

/// Makes a transfer, with the socket's patience.
#[inline(always)]
pub fn transfer(py: Python<'_>, socket: &Socket, wanted: Transfer, mut attempt: impl Attempt) -> Result<usize> {
    match try_first(socket, wanted, &mut attempt) {
        Some(Ok(count)) if wanted.is_whole(count) => Ok(count),
        tried => go_on(py, socket, wanted, None, tried, attempt),
    }
}

/// The first attempt, attached, unless another way is more likely to be the right one.
#[inline(always)]
pub fn try_first(socket: &Socket, wanted: Transfer, attempt: &mut impl Attempt) -> Option<io::Result<usize>> {
    let readiness = socket.readiness(wanted.direction);
    let is_tried = socket.timeout().is_zero()
        || (wanted.can_be_tried() && !wanted.is_in_conversation(socket) && readiness.is_likely());
    if !is_tried {
        return None;
    }
    let lease = BriefLease::take(socket);
    let tried = attempt(lease.fd(), wanted.flags | libc::MSG_DONTWAIT, 0);
    if tried.is_ok() {
        readiness.was_right();
    }
    Some(tried)
}

/// Goes on with a transfer whose first attempt did not do it all, or was not made. `patience` is the socket's, from now on, unless it is
/// given.
///
/// Apart from the way of a transfer that is ready, which so is short, for the processor's caches as for the reader. It takes the attempt
/// away, so that only who comes here needs to make an object of it.
#[cold]
#[inline(never)]
pub fn go_on(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    patience: Option<Patience>,
    tried: Option<io::Result<usize>>,
    mut attempt: impl Attempt,
) -> Result<usize> {
    let patience = patience.unwrap_or_else(|| socket.patience());
    after(py, socket, wanted, patience, tried, &mut attempt)
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
    pub fn is_whole(self, count: usize) -> bool {
        self.direction == Direction::Read || count >= self.size || count == 0
    }
}

/// Goes on after what the first attempt came to.
fn after(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    patience: Patience,
    tried: Option<io::Result<usize>>,
    attempt: &mut dyn Attempt,
) -> Result<usize> {
    let tried = match tried {
        None if wanted.can_be_tried() && wanted.is_in_conversation(socket) => {
            Some(try_detached(py, socket, wanted, attempt)?)
        }
        tried => tried,
    };
    match tried {
        Some(Ok(count)) if wanted.is_whole(count) => return Ok(count),
        // The kernel would have gone on blocking.
        Some(Ok(count)) if matches!(patience, Patience::Forever) => {
            return Ok(count + rest(py, socket, wanted, count, attempt));
        }
        Some(Ok(count)) => return Ok(count),
        Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => signals::run_handlers(py)?,
        Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Err(error.into()),
        Some(Err(error)) if matches!(patience, Patience::Never) => return Err(error.into()),
        Some(Err(_)) => socket.readiness(wanted.direction).was_wrong(),
        None => {}
    }
    wait(py, socket, wanted, patience, attempt)
}

/// The first attempt, detached.
fn try_detached(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    attempt: &mut dyn Attempt,
) -> Result<io::Result<usize>> {
    let lease = Lease::take_briefly(socket)?;
    let fd = lease.fd();
    let tried = py.detach(|| attempt(fd, wanted.flags | libc::MSG_DONTWAIT, 0));
    match tried {
        Err(_) if lease.closed() => Err(Error::closed()),
        tried => Ok(tried),
    }
}

/// Sends the rest. What stops it, a signal, a timeout or an error, does not make what was sent unsent: the next call will meet it again.
fn rest(py: Python<'_>, socket: &Socket, wanted: Transfer, sent: usize, attempt: &mut dyn Attempt) -> usize {
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
    patience: Patience,
    attempt: &mut dyn Attempt,
) -> Result<usize> {
    // 0 bytes may be the end of the connection, or of a socket that was closed meanwhile.
    let may_be_the_end = |count: &usize| *count == 0;
    let flags = wanted.flags | libc::MSG_DONTWAIT;
    match patience {
        Patience::Never => at_once(py, socket, |fd| attempt(fd, flags, 0)),
        Patience::Until(deadline) => {
            // What is large is not polled for first: while a stream flows, each poll would be for nothing.
            let eager = wanted.size > ATTACHED_LIMIT;
            wait_till(py, socket, wanted.direction, deadline, eager, |fd| attempt(fd, flags, 0), may_be_the_end)
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
