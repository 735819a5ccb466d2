//! How a transfer is made: first attempt, detach, wait, deadline, signals, retry.
//!
//! 1. A transfer that is likely to be ready, and small, begins with a first attempt: attached, with `MSG_DONTWAIT`. That is one system call,
//!    and no other thread gets the GIL. It is made only where it means the same as the call itself: see [`Transfer::may_be_attempted`] and
//!    [`attempts`](super::attempts).
//! 2. What is not ready detaches. Without a timeout the kernel waits, in the call itself, so that `SO_RCVTIMEO`, `SO_SNDTIMEO` and
//!    `MSG_WAITALL` keep their meaning. With a timeout `poll` waits. Signals run their handlers in between (PEP 475).
//! 3. A non-blocking socket makes its one call attached, unless the call is large or of a family that may block all the same.
//! 4. A thread that kept the interpreter through many ready transfers detaches for one: see [`turn`].

use std::ffi::c_int;
use std::io;
use std::os::fd::BorrowedFd;

use pyo3::prelude::*;

use super::blocking::{Wait, block_in_call, block_in_call_or_poll, block_in_poll};
use super::deadline::Deadline;
use super::socket::Socket;
use super::{scope, turn};
use crate::error::{Error, Result};
use crate::interpreter::signals;
use crate::sys;
use crate::sys::wait::{self, Direction};

/// Transfers of more bytes than this take their time even when they are ready: they let other threads run.
const ATTACHED_LIMIT: usize = 64 * 1024;

/// The same for non-blocking sockets, whose programs ask for much and get what is there.
const ATTACHED_LIMIT_NONBLOCKING: usize = 1024 * 1024;

/// The flags with which a first attempt means the same as the call itself. Not among them: `MSG_WAITALL`, `MSG_FASTOPEN` (an attempt
/// answers EINPROGRESS), `MSG_ZEROCOPY` (a transfer in two calls completes twice), and every flag that is not known here.
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

/// The system call of a transfer, with the given flags and without the given number of bytes, which have been sent. It may be made several
/// times.
pub trait Attempt: FnMut(BorrowedFd<'_>, c_int, usize) -> io::Result<usize> + Send {}

impl<F: FnMut(BorrowedFd<'_>, c_int, usize) -> io::Result<usize> + Send> Attempt for F {}

/// Makes a transfer. It blocks, detached, as the socket's timeout says.
#[inline(always)]
pub fn transfer(py: Python<'_>, socket: &Socket, wanted: Transfer, mut attempt: impl Attempt) -> Result<usize> {
    match attempt_first(py, socket, wanted, &mut attempt) {
        Some(Ok(count)) if wanted.is_complete(count) => Ok(count),
        first => complete(py, socket, wanted, None, first, attempt),
    }
}

/// Makes the first attempt, attached: it never blocks. `None` where none is made.
#[inline(always)]
pub fn attempt_first(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    attempt: &mut impl Attempt,
) -> Option<io::Result<usize>> {
    let predictor = socket.predictor(wanted.direction);
    let is_attempted = if socket.timeout().is_zero() {
        wanted.size <= ATTACHED_LIMIT_NONBLOCKING && !predictor.is_disabled()
    } else {
        wanted.may_be_attempted() && !wanted.is_in_conversation(socket) && predictor.is_likely()
    };
    if !is_attempted || turn::is_over(py) || scope::has_passed() {
        return None;
    }
    let first = socket.descriptor().attached(py, |fd| attempt(fd, wanted.flags | libc::MSG_DONTWAIT, 0));
    if let Ok(count) = first {
        predictor.hit();
        turn::spend(count);
    }
    Some(first)
}

/// Completes a transfer after its first attempt, which did not do it all or was not made. It blocks until the deadline: until that of the
/// socket, seen from now, where `None` is given.
///
/// It is a function of its own, never inlined, so that the code of a transfer that is ready stays small and fits the processor's caches.
#[cold]
#[inline(never)]
pub fn complete(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    deadline: Option<Deadline>,
    first: Option<io::Result<usize>>,
    mut attempt: impl Attempt,
) -> Result<usize> {
    let deadline = deadline.unwrap_or_else(|| socket.deadline());
    complete_by(py, socket, wanted, deadline, first, &mut attempt)
}

impl Transfer {
    /// Whether a first attempt means the same as the transfer itself.
    #[inline]
    fn may_be_attempted(self) -> bool {
        self.size <= ATTACHED_LIMIT && self.flags & !HARMLESS_FLAGS == 0 && !self.undivided
    }

    /// Whether it is a send to a peer whose answers had to be waited for. The peer may be a thread of this process: it has been waiting for
    /// this very send, and would then have to wait for the GIL.
    #[inline]
    fn is_in_conversation(self, socket: &Socket) -> bool {
        self.direction == Direction::Write && socket.predictor(Direction::Read).has_missed()
    }

    /// Whether nothing of it is left to do. A blocking receive returns with what has come; a blocking send goes on until all has gone.
    #[inline]
    pub fn is_complete(self, count: usize) -> bool {
        self.direction == Direction::Read || count >= self.size || count == 0
    }
}

/// [`complete`], once for all kinds of attempts.
fn complete_by(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    deadline: Deadline,
    first: Option<io::Result<usize>>,
    attempt: &mut dyn Attempt,
) -> Result<usize> {
    // Bytes that went are not lost: a first attempt that succeeded in part is reported, and the next call ends.
    if !matches!(first, Some(Ok(_))) && scope::has_passed() {
        return Err(Error::TimedOut);
    }
    if let Some(answer) = report_deferred_error(py, socket, wanted, attempt) {
        return answer;
    }
    match first {
        Some(Ok(count)) if wanted.is_complete(count) => return Ok(count),
        // The kernel would have gone on blocking.
        Some(Ok(count)) if matches!(deadline, Deadline::Never) => {
            return Ok(count + send_remainder(py, socket, wanted, count, attempt));
        }
        Some(Ok(count)) => return Ok(count),
        Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => signals::run_handlers(py)?,
        Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Err(error.into()),
        Some(Err(error)) if matches!(deadline, Deadline::Now) => return Err(error.into()),
        Some(Err(_)) => socket.predictor(wanted.direction).miss(),
        None => {}
    }
    turn::begin();
    transfer_detached(py, socket, wanted, deadline, attempt)
}

/// Sends the remainder of a send that went in part, as the kernel would have. It blocks, in `poll`.
///
/// An error that stops it belongs to the next call, since this one has sent something and succeeds. So `poll` looks for an error before
/// each send, and the error stays in the kernel. An error that comes between `poll` and the send is deferred to the next call.
fn send_remainder(py: Python<'_>, socket: &Socket, wanted: Transfer, sent: usize, attempt: &mut dyn Attempt) -> usize {
    let mut done = sent;
    // No signal for a broken pipe: the call succeeds, and the kernel sends none with a call that does.
    let flags = wanted.flags | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    let descriptor = socket.descriptor();
    let stopped = descriptor.detached(py, |fd| {
        if sys::socket::is_nonblocking(fd)? {
            // Somebody set O_NONBLOCK through a duplicate of the descriptor: the kernel would have returned.
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
        socket.defer_error(&error);
    }
    done - sent
}

/// The result of the first call after one that deferred an error to it; `None` where no error is deferred.
#[cold]
fn report_deferred_error(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    attempt: &mut dyn Attempt,
) -> Option<Result<usize>> {
    let errno = socket.deferred_error()?;
    if wanted.direction == Direction::Read {
        // What came before the error is delivered before it.
        let received = socket.descriptor().attached(py, |fd| attempt(fd, wanted.flags | libc::MSG_DONTWAIT, 0));
        if let Ok(count @ 1..) = received {
            return Some(Ok(count));
        }
    }
    socket.clear_deferred_error();
    Some(Err(Error::errno(errno)))
}

/// Makes a transfer that is likely to wait, detached. It blocks until the deadline.
fn transfer_detached(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    deadline: Deadline,
    attempt: &mut dyn Attempt,
) -> Result<usize> {
    let flags = wanted.flags | libc::MSG_DONTWAIT;
    match deadline {
        Deadline::Now => block_in_call(py, socket, |fd| attempt(fd, flags, 0)),
        Deadline::At(_) => {
            // A large transfer does not poll first: while a stream flows, each poll would be for nothing.
            let eager = wanted.size > ATTACHED_LIMIT || wanted.is_in_conversation(socket);
            let eager = eager && !socket.predictor(wanted.direction).is_disabled();
            let wait = Wait { direction: wanted.direction, deadline, eager, may_block: false };
            block_in_poll(py, socket, wait, |fd| attempt(fd, flags, 0))
        }
        Deadline::Never => block_in_call_or_poll(py, socket, wanted.direction, |fd| attempt(fd, wanted.flags, 0)),
    }
}
