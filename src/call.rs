//! The one way to make a socket call: try, detach, wait, deadline, signals, retry.
//!
//! 1. A transfer that is likely to be ready, and small, is tried attached, with `MSG_DONTWAIT`: one system call, and no other thread
//!    gets the GIL. Only where that means the same as the call itself: see [`Transfer::can_be_tried`] and `socket::attempts`.
//! 2. What is not ready detaches. Without a timeout the kernel waits, in the call itself, so that `SO_RCVTIMEO`, `SO_SNDTIMEO` and
//!    `MSG_WAITALL` mean what they mean; with one, `poll` waits for what is left of it. Signals run their handlers in between (PEP 475).
//! 3. A non-blocking socket makes its one call attached, unless it is large or of a family that may block all the same.
//! 4. A thread that kept the interpreter through many ready transfers detaches for one: see [`turn`](crate::turn).

use std::ffi::c_int;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::interpreter::signals;
use crate::socket::Socket;
use crate::sys::wait::{self, Direction};
use crate::timeout::Patience;
use crate::{sys, turn};

/// Transfers of more bytes than this take their time even when they are ready: they let other threads run.
const ATTACHED_LIMIT: usize = 64 * 1024;

/// The same for non-blocking sockets, whose programs ask for much and get what is there.
const ATTACHED_LIMIT_NONBLOCKING: usize = 1024 * 1024;

/// The flags with which an attempt that does not wait means the same as a call that does. Not among them: `MSG_WAITALL`, `MSG_FASTOPEN`
/// (an attempt answers EINPROGRESS), `MSG_ZEROCOPY` (a transfer in two calls completes twice), and whatever is not known here.
const HARMLESS_FLAGS: c_int = libc::MSG_CMSG_CLOEXEC
    | libc::MSG_CONFIRM
    | libc::MSG_DONTROUTE
    | libc::MSG_DONTWAIT
    | libc::MSG_EOR
    | libc::MSG_MORE
    | libc::MSG_NOSIGNAL
    | libc::MSG_PEEK
    | libc::MSG_TRUNC;

/// What is to be transferred.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// Which way.
    pub direction: Direction,
    /// How many bytes at most.
    pub size: usize,
    /// The caller's `MSG_` flags.
    pub flags: c_int,
    /// Whether it must be one system call, as what goes with the data goes with the first call only.
    pub undivided: bool,
}

/// An attempt at a transfer: the system call with the given flags, without the first so many bytes, which have been sent. It may be made
/// several times.
pub trait Attempt: FnMut(BorrowedFd<'_>, c_int, usize) -> io::Result<usize> + Send {}

impl<F: FnMut(BorrowedFd<'_>, c_int, usize) -> io::Result<usize> + Send> Attempt for F {}

/// Makes a transfer, with the socket's patience.
#[inline(always)]
pub fn transfer(py: Python<'_>, socket: &Socket, wanted: Transfer, mut attempt: impl Attempt) -> Result<usize> {
    match try_first(py, socket, wanted, &mut attempt) {
        Some(Ok(count)) if wanted.is_whole(count) => Ok(count),
        tried => go_on(py, socket, wanted, None, tried, attempt),
    }
}

/// The first attempt, attached, unless another way is more likely to be the right one.
#[inline(always)]
pub fn try_first(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    attempt: &mut impl Attempt,
) -> Option<io::Result<usize>> {
    let readiness = socket.readiness(wanted.direction);
    let is_tried = if socket.timeout().is_zero() {
        wanted.size <= ATTACHED_LIMIT_NONBLOCKING && !readiness.is_closed_to_attempts()
    } else {
        wanted.can_be_tried() && !wanted.is_in_conversation(socket) && readiness.is_likely()
    };
    if !is_tried || turn::is_over(py) {
        return None;
    }
    let tried = socket.descriptor().attached(py, |fd| attempt(fd, wanted.flags | libc::MSG_DONTWAIT, 0));
    if let Ok(count) = tried {
        readiness.was_right();
        turn::spend(count);
    }
    Some(tried)
}

/// Goes on with a transfer whose first attempt did not do it all, or was not made. `patience` is the socket's, from now on, unless it is
/// given.
///
/// It is a function of its own, never inlined, so that the code of a transfer that is ready stays small and fits the processor's caches.
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
    /// Whether an attempt that does not wait means the same as the transfer itself.
    #[inline]
    fn can_be_tried(self) -> bool {
        self.size <= ATTACHED_LIMIT && self.flags & !HARMLESS_FLAGS == 0 && !self.undivided
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
    if let Some(answer) = answer_with_owed_error(py, socket, wanted, attempt) {
        return answer;
    }
    match tried {
        Some(Ok(count)) if wanted.is_whole(count) => return Ok(count),
        // The kernel would have gone on blocking.
        Some(Ok(count)) if matches!(patience, Patience::Forever) => {
            return Ok(count + send_rest(py, socket, wanted, count, attempt));
        }
        Some(Ok(count)) => return Ok(count),
        Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => signals::run_handlers(py)?,
        Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Err(error.into()),
        Some(Err(error)) if matches!(patience, Patience::Never) => return Err(error.into()),
        Some(Err(_)) => socket.readiness(wanted.direction).was_wrong(),
        None => {}
    }
    turn::begin();
    wait(py, socket, wanted, patience, attempt)
}

/// Sends the rest of a send that went in part, as the kernel would have.
///
/// An error that stops it belongs to the next call, since this one has sent something and succeeds. So `poll` looks for an error before
/// each send, and the error stays in the kernel. An error that comes between `poll` and the send is kept for the next call: it is owed.
fn send_rest(py: Python<'_>, socket: &Socket, wanted: Transfer, sent: usize, attempt: &mut dyn Attempt) -> usize {
    let mut done = sent;
    // No signal for a broken pipe: the call succeeds, and the kernel sends none with a call that does.
    let flags = wanted.flags | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    let descriptor = socket.descriptor();
    let stopped = descriptor.detached(py, |fd| {
        if sys::socket::is_nonblocking(fd)? {
            // Somebody made the descriptor so behind our back: the kernel would have been content.
            return Ok(());
        }
        while done < wanted.size && wait::has_room(fd)? {
            descriptor.still_names(fd)?;
            match attempt(fd, flags, done) {
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    });
    if let Err(error) = stopped {
        socket.owe(&error);
    }
    done - sent
}

/// The answer to the first call after one that left an error to it; none where no error is owed.
#[cold]
fn answer_with_owed_error(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    attempt: &mut dyn Attempt,
) -> Option<Result<usize>> {
    let errno = socket.owed_error()?;
    if wanted.direction == Direction::Read {
        // What came before the error is delivered before it.
        let received = socket.descriptor().attached(py, |fd| attempt(fd, wanted.flags | libc::MSG_DONTWAIT, 0));
        if let Ok(count @ 1..) = received {
            return Some(Ok(count));
        }
    }
    socket.settle_error();
    Some(Err(Error::errno(errno)))
}

/// Makes a transfer that is likely to wait, detached.
fn wait(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    patience: Patience,
    attempt: &mut dyn Attempt,
) -> Result<usize> {
    let flags = wanted.flags | libc::MSG_DONTWAIT;
    match patience {
        Patience::Never => block(py, socket, |fd| attempt(fd, flags, 0)),
        Patience::Until(deadline) => {
            // What is large is not polled for first: while a stream flows, each poll would be for nothing.
            let eager = wanted.size > ATTACHED_LIMIT || wanted.is_in_conversation(socket);
            let eager = eager && !socket.readiness(wanted.direction).is_closed_to_attempts();
            wait_till(py, socket, wanted.direction, deadline, eager, |fd| attempt(fd, flags, 0))
        }
        Patience::Forever => block_for(py, socket, wanted.direction, |fd| attempt(fd, wanted.flags, 0)),
    }
}

/// Makes a call whose waiting, if any, is the kernel's, detached.
pub fn block<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    mut attempt: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    loop {
        // A signal that came meanwhile ends no wait that begins after it.
        signals::run_handlers(py)?;
        match socket.descriptor().detached(py, &mut attempt) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return Ok(answer?),
        }
    }
}

/// Makes a call whose waiting is the kernel's, detached, till it succeeds: also when the socket is given a timeout meanwhile. The timeout is
/// for the next call, but makes the descriptor non-blocking, which a call notices that begins again after a signal.
fn block_for<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    direction: Direction,
    mut attempt: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    loop {
        match block(py, socket, &mut attempt) {
            Err(error) if error.is_errno(libc::EAGAIN) && socket.timeout().is_positive() => {
                block(py, socket, |fd| wait::poll(fd, direction, None))?;
            }
            answer => return answer,
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
    mut attempt: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    let descriptor = socket.descriptor();
    loop {
        // A signal that came meanwhile ends no wait that begins after it.
        signals::run_handlers(py)?;
        let answer = descriptor.detached(py, |fd| {
            if std::mem::take(&mut eager) {
                match attempt(fd) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    answer => return answer.map(Some),
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !wait::poll(fd, direction, Some(left))? {
                return Ok(None);
            }
            descriptor.still_names(fd)?;
            attempt(fd).map(Some)
        });
        match answer {
            Ok(Some(value)) => return Ok(value),
            // A wait so long that it was cut; or readiness that went away again, or that is not for this call, as with `MSG_ERRQUEUE`.
            Ok(None) if Instant::now() < deadline => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < deadline => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(None) => return Err(Error::TimedOut),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(Error::TimedOut),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Makes a call that cannot be tried without blocking, such as `accept`: `O_NONBLOCK` is the descriptor's, and whoever has a duplicate of
/// it can clear it.
pub fn patient<T: Send>(
    py: Python<'_>,
    socket: &Socket,
    direction: Direction,
    attempt: impl FnMut(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    match socket.patience() {
        Patience::Until(deadline) => wait_till(py, socket, direction, deadline, false, attempt),
        Patience::Never => block(py, socket, attempt),
        Patience::Forever => block_for(py, socket, direction, attempt),
    }
}
