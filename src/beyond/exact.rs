//! `recv_exactly` and `recv_exactly_into`: receives of exactly as many bytes as the caller asks for.
//!
//! The bytes are received in place, into an object or a buffer of the final size. Each system call adds its bytes to the filled part before
//! anything else happens, so that an error, a timeout or a signal handler that raises can lose none: the exception carries them as its
//! attribute `partial`.

use std::ffi::{CStr, c_int};
use std::io;
use std::os::fd::BorrowedFd;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::errors;
use super::source::{self, Source, receive_by};
use crate::call::attempts;
use crate::call::deadline::Deadline;
use crate::call::failure::Doing;
use crate::call::socket::Socket;
use crate::call::transfer::{Attempt, Transfer, attempt_first, before_the_rest, complete};
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Keywords;
use crate::interpreter::buffer::{Buffer, Writable};
use crate::interpreter::format::Format;
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::observe::{self, Progress};
use crate::interpreter::{bytes, raised};
use crate::socket::object::SocketRef;
use crate::socket::transfer::buffer_size_and_flags;
use crate::sys::receive::ReceiveBuffer;
use crate::sys::wait::Direction;
use crate::{name, sys};

/// The flags that contradict an exact receive: it would receive the same bytes again, bytes that are not there, or bytes of another kind;
/// and it waits for all bytes in any case.
const REFUSED: [(c_int, &str); 5] = [
    (sys::message::ERROR_QUEUE, "MSG_ERRQUEUE"),
    (libc::MSG_OOB, "MSG_OOB"),
    (libc::MSG_PEEK, "MSG_PEEK"),
    (libc::MSG_TRUNC, "MSG_TRUNC"),
    (libc::MSG_WAITALL, "MSG_WAITALL"),
];

/// How a receive ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All bytes came.
    Full,
    /// The peer sends no more, and some bytes are missing.
    Eof,
}

/// `recv_exactly(n, flags=0)`: returns the bytes.
pub fn recv_exactly<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let (size, flags) = size_and_flags(arguments)?;
    let size = usize::try_from(size).map_err(|_| Error::value("negative size in recv_exactly"))?;
    check(this, "recv_exactly", flags)?;
    let (received, end) = bytes::receive_in_place(py, size, |buffer| {
        receive_all(this, buffer, flags).map_err(|error| error.put_aside(py))
    })?;
    match end {
        Ok(End::Full) => received,
        end => Err(incomplete(this, end, received, size)),
    }
}

/// `recv_exactly_into(buffer, nbytes=0, flags=0)`: returns the number of bytes.
pub fn recv_exactly_into<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(Writable, isize, c_int)> = Format::new(c"w*|ni:recv_exactly_into");
    let py = this.py();
    let mut buffer = Buffer::unfilled(py);
    let (size, flags) = buffer_size_and_flags(arguments, &mut buffer, FORMAT)?;
    let size = usize::try_from(size).map_err(|_| Error::value("negative nbytes in recv_exactly_into"))?;
    check(this, "recv_exactly_into", flags)?;
    let buffer = buffer.receive_buffer();
    let size = if size == 0 { buffer.len() } else { size };
    let Some(mut buffer) = buffer.first(size) else {
        return Err(Error::value("nbytes is greater than the length of the buffer"));
    };
    match receive_all(this, &mut buffer, flags).map_err(|error| error.put_aside(py)) {
        Ok(End::Full) => size.into_object(py),
        end => Err(incomplete(this, end, make::bytes(py, buffer.filled()), size)),
    }
}

fn size_and_flags(arguments: Keywords<'_, '_>) -> Result<(isize, c_int)> {
    const NAMES: [&CStr; 2] = [c"n", c"flags"];
    const FORMAT: Format<(isize, c_int)> = Format::new(c"n|i:recv_exactly");
    if let Some(positional) = arguments.only_positional()
        && let (1, Some(size)) = (positional.len(), positional.plain_size(0, 0))
    {
        return Ok((size, 0));
    }
    FORMAT.keywords(NAMES, &arguments.positional.tuple()?, Some(&arguments.dict()?), (0, 0))
}

/// Refuses a socket that has messages, and flags that contradict an exact receive.
fn check(this: SocketRef<'_, '_>, method: &str, flags: c_int) -> Result<()> {
    source::check_kind(this, method)?;
    match REFUSED.iter().find(|(flag, _)| flags & flag != 0) {
        Some((_, name)) => Err(Error::value(format_args!("{method}() does not take the flag {name}"))),
        None => Ok(()),
    }
}

/// Fills the buffer. The socket's timeout is one for the whole call.
fn receive_all(this: SocketRef<'_, '_>, buffer: &mut ReceiveBuffer<'_>, flags: c_int) -> Result<End> {
    if buffer.len() == 0 {
        return Ok(End::Full);
    }
    match Source::of(this.object())? {
        Source::Socket(this) => receive_all_directly(this, buffer, flags),
        Source::Method(recv) => {
            observe::progress(this.object(), Progress::InParts);
            receive_all_by(&recv, this.socket(), buffer, flags)
        }
    }
}

/// Fills the buffer by the method of a subclass. It waits by itself, each time as long as the timeout says.
#[cold]
fn receive_all_by(
    recv: &Bound<'_, PyAny>,
    socket: &Socket,
    buffer: &mut ReceiveBuffer<'_>,
    flags: c_int,
) -> Result<End> {
    let deadline = socket.deadline();
    loop {
        if receive_by(recv, buffer, flags)? == 0 {
            return Ok(End::Eof);
        }
        if buffer.left() == 0 {
            return Ok(End::Full);
        }
        before_the_rest(recv.py(), socket, deadline, Doing::Receiving)?;
    }
}

/// Fills the buffer from the socket.
fn receive_all_directly(this: SocketRef<'_, '_>, buffer: &mut ReceiveBuffer<'_>, flags: c_int) -> Result<End> {
    let first = attempt_first(this.py(), this.socket(), rest_of(buffer, flags), &mut receive_rest(buffer));
    match first {
        Some(Ok(_)) if buffer.left() == 0 => Ok(End::Full),
        first => receive_rest_of_all(this, buffer, flags, first),
    }
}

/// Fills what the first attempt has left.
#[cold]
#[inline(never)]
fn receive_rest_of_all(
    this: SocketRef<'_, '_>,
    buffer: &mut ReceiveBuffer<'_>,
    flags: c_int,
    mut first: Option<io::Result<usize>>,
) -> Result<End> {
    let (py, socket) = (this.py(), this.socket());
    let deadline = if flags & libc::MSG_DONTWAIT != 0 { Deadline::Now } else { socket.deadline() };
    let flags = if kernel_waits_for_all(py, socket, deadline) { flags | libc::MSG_WAITALL } else { flags };
    loop {
        let count = match first {
            Some(Ok(count)) => count,
            first => complete(py, socket, rest_of(buffer, flags), Some(deadline), first, receive_rest(buffer))?,
        };
        if buffer.left() == 0 {
            return Ok(End::Full);
        }
        if count == 0 {
            return Ok(End::Eof);
        }
        before_the_rest(py, socket, deadline, Doing::Receiving)?;
        // After a part, the rest is not likely to be there: an attempt is only made by a call that does not wait.
        first = match deadline {
            Deadline::Now => attempt_first(py, socket, rest_of(buffer, flags), &mut receive_rest(buffer)),
            _ => None,
        };
    }
}

/// Whether the kernel can wait for all bytes in one call, `MSG_WAITALL`, without losing an error.
///
/// If TCP has received a part when an error or a signal comes, it returns the part and leaves the error for the next call. An `AF_UNIX` socket
/// returns the part too, but has taken the error by then: the next call would find EOF. Other protocols and layers (MPTCP, TLS in the kernel)
/// differ, and are among the sockets on which no first attempt is made.
fn kernel_waits_for_all(py: Python<'_>, socket: &Socket, deadline: Deadline) -> bool {
    matches!(deadline, Deadline::Never)
        && matches!(socket.family(), libc::AF_INET | libc::AF_INET6)
        && socket.without_attempts(py) & attempts::READ == 0
}

/// The transfer of what is left to receive.
fn rest_of(buffer: &ReceiveBuffer<'_>, flags: c_int) -> Transfer {
    Transfer { direction: Direction::Read, size: buffer.left(), flags, undivided: false }
}

/// The system call that receives what is left.
fn receive_rest(buffer: &mut ReceiveBuffer<'_>) -> impl Attempt {
    move |fd: BorrowedFd<'_>, flags, _| buffer.extend(|rest| sys::socket::recv(fd, rest, flags))
}

/// The error of a call that received only a part.
#[cold]
fn incomplete<'py>(this: SocketRef<'_, 'py>, end: Result<End>, partial: ObjectResult<'py>, expected: usize) -> Error {
    let py = this.py();
    if let Some(partial) = partial.as_ref().ok().and_then(|partial| partial.cast_exact::<PyBytes>().ok()) {
        let partial = partial.as_bytes();
        let received = if end.is_ok() { Progress::ReceivedAll(partial) } else { Progress::Received(partial) };
        observe::progress(this.object(), received);
    }
    match (end, partial) {
        (Err(error), Ok(partial)) => raised::with_attribute(py, error, name!("partial"), partial),
        (Err(error), Err(no_memory)) => {
            no_memory.discard(py);
            error
        }
        (Ok(_), Ok(partial)) => errors::incomplete_read(partial, Some(expected)),
        (Ok(_), Err(no_memory)) => no_memory,
    }
}
