//! Receives and sends: first attempt, detach, wait, deadline, signals, retry.
//!
//! 1. A transfer that is small and likely to be ready begins with a first attempt: attached, with `MSG_DONTWAIT`. That is one system call,
//!    and the thread keeps the GIL. The attempt is made only where it means the same as the call itself: see
//!    [`Transfer::may_be_attempted`] and [`attempts`](super::attempts).
//! 2. A transfer that is not ready detaches the thread. Without a timeout the thread waits in the system call itself, so that
//!    `SO_RCVTIMEO`, `SO_SNDTIMEO` and `MSG_WAITALL` keep their meaning. With a timeout it waits in `poll`. When a signal interrupts the
//!    wait, the signal handlers run and the wait goes on (PEP 475).
//! 3. Beside a thread that computes, a receive may wait attached for a moment before it detaches: see [`attached_wait`].
//! 4. On a non-blocking socket the one call is made attached, unless it is large or the socket's family may block in spite of the flag.
//! 5. A thread that has kept the GIL through many ready transfers makes one transfer detached: see [`turn`].

use std::ffi::c_int;
use std::io;
use std::os::fd::BorrowedFd;

use pyo3::prelude::*;

use super::blocking::{Wait, block_in_call, block_in_call_or_poll, block_in_poll};
use super::deadline::Deadline;
use super::failure::{Call, Doing, Failure, Target};
use super::socket::Socket;
use super::{attached_wait, attempts, contention, hooks, scope, turn};
use crate::error::{Error, Result};
use crate::interpreter::signals;
use crate::sys;
use crate::sys::wait::{self, Direction};

/// A transfer of more bytes than this takes long enough, even when it is ready, that other threads should run meanwhile.
const ATTACHED_LIMIT: usize = 64 * 1024;

/// The same for non-blocking sockets. Their programs pass large buffers and get only the bytes that have arrived.
const ATTACHED_LIMIT_NONBLOCKING: usize = 1024 * 1024;

/// The flags with which a first attempt means the same as the call itself. Not among them: `MSG_WAITALL`, `MSG_FASTOPEN` (an attempt
/// fails with EINPROGRESS), `MSG_ZEROCOPY` (a transfer in two calls gives two completions), and every flag that is not known here.
const HARMLESS_FLAGS: c_int = sys::message::CLOEXEC
    | sys::message::ADVICE
    | libc::MSG_DONTROUTE
    | libc::MSG_DONTWAIT
    | libc::MSG_EOR
    | libc::MSG_NOSIGNAL
    | libc::MSG_PEEK
    | libc::MSG_TRUNC;

/// A transfer to make.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// Whether to receive or to send.
    pub direction: Direction,
    /// The number of bytes at most.
    pub size: usize,
    /// The caller's `MSG_` flags.
    pub flags: c_int,
    /// Whether it must be one system call, because control messages go with the first call only.
    pub undivided: bool,
}

/// The system call of a transfer. It gets the descriptor, the flags, and the number of bytes that were already sent, which it skips. It
/// may be made several times.
pub trait Attempt: FnMut(BorrowedFd<'_>, c_int, usize) -> io::Result<usize> + Send {}

impl<F: FnMut(BorrowedFd<'_>, c_int, usize) -> io::Result<usize> + Send> Attempt for F {}

/// Makes a transfer, and blocks, detached, for as long as the socket's timeout allows. The number of bytes.
#[inline(always)]
pub fn transfer(py: Python<'_>, socket: &Socket, wanted: Transfer, attempt: impl Attempt) -> Result<usize> {
    transfer_to(py, socket, wanted, None, attempt)
}

/// The same; but an error's note names the address that the data was for.
#[inline(always)]
pub fn transfer_to(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    target: Option<Target<'_, '_>>,
    mut attempt: impl Attempt,
) -> Result<usize> {
    match attempt_first(py, socket, wanted, &mut attempt) {
        Some(Ok(count)) if wanted.is_complete(count) => Ok(count),
        first => complete_to(py, socket, wanted, target, first, attempt),
    }
}

/// Makes the first attempt, attached; it never blocks. `None` if no attempt is made.
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

/// Completes a transfer whose first attempt was not made, failed, or transferred a part. It blocks until the deadline at most; `None`
/// stands for the socket's timeout, counted from now.
///
/// This function is never inlined, so that the code of a ready transfer stays small and fits the processor's caches.
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
    complete_by(py, socket, wanted, deadline, None, first, &mut attempt)
}

/// Between two system calls of one method, when the first has transferred a part: runs signal handlers, and ends the method if its time is
/// over. A signal may have ended the first call without EINTR, and its handler must not have to wait for the rest.
pub fn before_the_rest(py: Python<'_>, socket: &Socket, deadline: Deadline, doing: Doing) -> Result<()> {
    signals::run_handlers(py)?;
    if matches!(deadline, Deadline::At(_)) && deadline.has_passed() {
        return Err(hooks::timed_out(py, socket, doing));
    }
    Ok(())
}

/// [`complete`] with the address that the data is for.
#[cold]
#[inline(never)]
fn complete_to(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    target: Option<Target<'_, '_>>,
    first: Option<io::Result<usize>>,
    mut attempt: impl Attempt,
) -> Result<usize> {
    complete_by(py, socket, wanted, socket.deadline(), target, first, &mut attempt)
}

impl Transfer {
    /// Whether a first attempt means the same as the transfer itself.
    #[inline]
    fn may_be_attempted(self) -> bool {
        self.size <= ATTACHED_LIMIT && self.flags & !HARMLESS_FLAGS == 0 && !self.undivided
    }

    /// Whether this is a send to a peer whose answers were not ready when they were received. The peer may be a thread of this process that
    /// waits for this very send. If the send were made attached, that thread would then also wait for the GIL.
    #[inline]
    fn is_in_conversation(self, socket: &Socket) -> bool {
        self.direction == Direction::Write
            && socket.predictor(Direction::Read).has_missed()
            && !attached_wait::goes_on()
    }

    /// Whether a receive may wait attached: where an attempt means the same as the receive itself.
    fn may_wait_attached(self, socket: &Socket) -> bool {
        self.may_be_attempted() && !socket.predictor(Direction::Read).is_disabled()
    }

    /// Whether the transfer is complete after `count` bytes. A blocking receive returns the bytes that have arrived; a blocking send goes
    /// on until all bytes are sent.
    #[inline]
    pub fn is_complete(self, count: usize) -> bool {
        self.direction == Direction::Read || count >= self.size || count == 0
    }
}

/// [`complete`], compiled once for all kinds of attempts.
fn complete_by(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    deadline: Deadline,
    target: Option<Target<'_, '_>>,
    first: Option<io::Result<usize>>,
    attempt: &mut dyn Attempt,
) -> Result<usize> {
    let began = hooks::now_if_watched();
    complete_unnoted(py, socket, wanted, deadline, first, attempt).map_err(|error| {
        let doing = if wanted.direction == Direction::Read { Doing::Receiving } else { Doing::Sending };
        hooks::failed(py, error, Failure::Call(Call { target, began, ..Call::new(socket, doing) }))
    })
}

fn complete_unnoted(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    deadline: Deadline,
    first: Option<io::Result<usize>>,
    mut attempt: &mut dyn Attempt,
) -> Result<usize> {
    // Bytes that were sent are not lost: a first attempt that succeeded in part is reported, and the next call ends.
    if !matches!(first, Some(Ok(_))) && scope::has_passed() {
        return Err(Error::TimedOut);
    }
    if let Some(result) = report_deferred_error(py, socket, wanted, attempt) {
        return result;
    }
    let first = match first {
        None if socket.ask_for_options(py) => attempt_first(py, socket, wanted, &mut attempt),
        first => first,
    };
    match first {
        Some(Ok(count)) if wanted.is_complete(count) => return Ok(count),
        // A blocking system call would also have sent the rest.
        Some(Ok(count)) if matches!(deadline, Deadline::Never) => {
            return Ok(count + send_remainder(py, socket, wanted, count, attempt));
        }
        Some(Ok(count)) => return Ok(count),
        Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => signals::run_handlers(py)?,
        Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Err(error.into()),
        Some(Err(error)) if matches!(deadline, Deadline::Now) => {
            // A program may ask a non-blocking socket again and again.
            turn::spend(0);
            return Err(error.into());
        }
        Some(Err(_)) => socket.predictor(wanted.direction).miss(),
        None => {}
    }
    if contention::is_possible() && wanted.direction == Direction::Read {
        return receive_beside_computing(py, socket, wanted, deadline, attempt);
    }
    turn::begin();
    transfer_detached(py, socket, wanted, deadline, attempt)
}

/// A receive that has to wait, where a thread computes: it waits attached for a moment, if that is worthwhile.
#[cold]
fn receive_beside_computing(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    deadline: Deadline,
    attempt: &mut dyn Attempt,
) -> Result<usize> {
    if wanted.may_wait_attached(socket) && attached_wait::is_soon_ready(py, socket, deadline)? {
        match socket.descriptor().attached(py, |fd| attempt(fd, wanted.flags | libc::MSG_DONTWAIT, 0)) {
            // Another thread has taken the data, or it was not for this call.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            result => return Ok(result?),
        }
    }
    turn::begin();
    attached_wait::learn(socket, |ended| {
        let mut attempt = |fd: BorrowedFd<'_>, flags: c_int, done: usize| ended.after(|| attempt(fd, flags, done));
        transfer_detached(py, socket, wanted, deadline, &mut attempt)
    })
}

/// Sends the remainder of a partial send, as a blocking system call would have. It blocks in `poll`. The number of bytes sent.
///
/// An error that stops it belongs to the next call, because this call has sent something and so succeeds. Therefore `poll` checks for an
/// error before each send, and such an error stays in the kernel. An error that occurs between `poll` and the send is deferred to the next
/// call.
fn send_remainder(py: Python<'_>, socket: &Socket, wanted: Transfer, sent: usize, attempt: &mut dyn Attempt) -> usize {
    let mut done = sent;
    // No SIGPIPE: this call succeeds, and the kernel sends no SIGPIPE when a blocking call succeeds in part.
    let flags = wanted.flags | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    let descriptor = socket.descriptor();
    let stopped = descriptor.detached(py, |fd| {
        if sys::socket::is_nonblocking(fd)? {
            // O_NONBLOCK was set through a duplicate of the descriptor: the system call would have returned the partial count.
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

/// The result of a call to which an earlier call has deferred its error; `None` if no error is deferred.
#[cold]
fn report_deferred_error(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    attempt: &mut dyn Attempt,
) -> Option<Result<usize>> {
    let errno = socket.deferred_error()?;
    if wanted.direction == Direction::Read {
        // Data that arrived before the error is returned before it.
        let received = socket.descriptor().attached(py, |fd| attempt(fd, wanted.flags | libc::MSG_DONTWAIT, 0));
        // A call that asks for no data may get control messages.
        if let Ok(count) = received
            && (count > 0 || wanted.size == 0)
        {
            return Some(Ok(count));
        }
    }
    socket.clear_deferred_error();
    Some(Err(Error::errno(errno)))
}

/// Makes a transfer that probably has to wait, detached. It blocks until the deadline at most.
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
            // A large transfer does not poll first: while data keeps flowing, each poll would be wasted.
            let eager = wanted.size > ATTACHED_LIMIT || wanted.is_in_conversation(socket);
            let eager = eager && !socket.predictor(wanted.direction).is_disabled();
            let may_block = !attempts::keeps_dontwait(wanted.direction);
            let wait = Wait { direction: wanted.direction, deadline, eager, may_block };
            match block_in_poll(py, socket, wait, |fd| attempt(fd, flags, 0)) {
                // Meanwhile the socket has become a blocking one.
                Err(error) if error.is_errno(libc::EAGAIN) && socket.timeout().is_none() => {
                    block_in_call_or_poll(py, socket, wanted.direction, |fd| attempt(fd, wanted.flags, 0))
                }
                result => result,
            }
        }
        Deadline::Never => block_in_call_or_poll(py, socket, wanted.direction, |fd| attempt(fd, wanted.flags, 0)),
    }
}
