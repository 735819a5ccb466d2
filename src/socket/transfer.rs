//! The `recv` and `send` families of methods.

use std::ffi::{CStr, c_int};
use std::io;

use pyo3::prelude::*;

use super::object::SocketRef;
use crate::call::failure::{Doing, Target};
use crate::call::transfer::{Attempt, Transfer, attempt_first, before_the_rest, complete, transfer, transfer_to};
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::{Arguments, Keywords, check_count};
use crate::interpreter::audit::audit;
use crate::interpreter::buffer::{Buffer, Readable, Writable};
use crate::interpreter::bytes;
use crate::interpreter::format::{Format, Object};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::observe::{self, Progress};
use crate::interpreter::raised;
use crate::sys::receive::ReceiveBuffer;
use crate::sys::wait::Direction;
use crate::{address, name, sys};

/// `recv(bufsize[, flags])`.
pub fn recv<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let (size, flags) = size_and_flags(arguments, const { Format::new(c"n|i:recv") })?;
    let size = usize::try_from(size).map_err(|_| Error::value("negative buffersize in recv"))?;
    // The small case is written out here. In `bytes::receive`, which several methods call, the closure would not be inlined and cost a
    // call.
    if bytes::is_small(size, flags) {
        let mut memory = bytes::small();
        let mut buffer = ReceiveBuffer::uninit(&mut memory[..size]);
        receive(this, &mut buffer, flags)?;
        return make::bytes(this.py(), buffer.filled());
    }
    let (data, _count) =
        bytes::receive(this.py(), size, flags, this.socket().bulk(), |buffer| receive(this, buffer, flags))?;
    Ok(data)
}

/// `recvfrom(bufsize[, flags])`: returns the data and the sender's address.
pub fn recvfrom<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let (size, flags) = size_and_flags(arguments, const { Format::new(c"n|i:recvfrom") })?;
    let size = usize::try_from(size).map_err(|_| Error::value("negative buffersize in recvfrom"))?;
    let (data, sender) =
        bytes::receive(py, size, flags, this.socket().bulk(), |buffer| Ok(receive_from(this, buffer, flags)?.1))?;
    (data, sender).into_object(py)
}

/// `recv_into(buffer[, nbytes[, flags]])`: returns the number of bytes received.
pub fn recv_into<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let mut buffer = Buffer::unfilled(this.py());
    let (size, flags) = buffer_size_and_flags(arguments, &mut buffer, const { Format::new(c"w*|ni:recv_into") })?;
    let size = usize::try_from(size).map_err(|_| Error::value("negative buffersize in recv_into"))?;
    let buffer = buffer.receive_buffer();
    let size = if size == 0 { buffer.len() } else { size };
    let Some(mut buffer) = buffer.first(size) else {
        return Err(Error::value("buffer too small for requested bytes"));
    };
    let count = receive(this, &mut buffer, flags)?;
    count.into_object(this.py())
}

/// `recvfrom_into(buffer[, nbytes[, flags]])`: returns the number of bytes received and the sender's address.
pub fn recvfrom_into<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let mut buffer = Buffer::unfilled(this.py());
    let (size, flags) = buffer_size_and_flags(arguments, &mut buffer, const { Format::new(c"w*|ni:recvfrom_into") })?;
    let size = usize::try_from(size).map_err(|_| Error::value("negative buffersize in recvfrom_into"))?;
    let buffer = buffer.receive_buffer();
    let size = if size == 0 { buffer.len() } else { size };
    let Some(mut buffer) = buffer.first(size) else {
        return Err(Error::value("nbytes is greater than the length of the buffer"));
    };
    let (count, sender) = receive_from(this, &mut buffer, flags)?;
    (count, sender).into_object(this.py())
}

/// Receives into a buffer and returns the number of bytes. For an empty buffer no system call is made, as in CPython.
#[inline(always)]
pub fn receive(this: SocketRef<'_, '_>, buffer: &mut ReceiveBuffer<'_>, flags: c_int) -> Result<usize> {
    if buffer.len() == 0 {
        return Ok(0);
    }
    let socket = this.socket();
    let wanted = Transfer { direction: Direction::Read, size: buffer.len(), flags, undivided: false };
    transfer(this.py(), socket, wanted, move |fd, flags, _| sys::socket::recv(fd, buffer, flags))
}

/// Receives into a buffer and returns the number of bytes and the sender's address.
fn receive_from<'py>(
    this: SocketRef<'_, 'py>,
    buffer: &mut ReceiveBuffer<'_>,
    flags: c_int,
) -> Result<(usize, Bound<'py, PyAny>)> {
    let socket = this.socket();
    address::check_length_is_known(socket.family(), socket.proto())?;
    let mut sender = sys::socket::no_address();
    let wanted = Transfer { direction: Direction::Read, size: buffer.len(), flags, undivided: false };
    let count = transfer(this.py(), socket, wanted, |fd, flags, _| {
        let (count, from) = sys::socket::recvfrom(fd, buffer, flags)?;
        sender = from;
        Ok(count)
    })?;
    let to_python = || address::to_python(this.py(), &sender, this.origin());
    let sender = this.peer().to_python(this.py(), &sender, to_python)?;
    Ok((count, sender))
}

#[inline(always)]
fn size_and_flags(arguments: Arguments<'_, '_>, format: Format<(isize, c_int)>) -> Result<(isize, c_int)> {
    match (arguments.len(), arguments.plain_size(0, 0)) {
        (1, Some(size)) => Ok((size, 0)),
        _ => parse_size_and_flags(arguments, format),
    }
}

#[cold]
#[inline(never)]
fn parse_size_and_flags(arguments: Arguments<'_, '_>, format: Format<(isize, c_int)>) -> Result<(isize, c_int)> {
    if let (2, Some(size), Some(flags)) = (arguments.len(), arguments.plain_size(0, 0), arguments.plain_int(1, 0)) {
        return Ok((size, flags));
    }
    format.tuple(&arguments.tuple()?, (0, 0))
}

/// Exports the buffer that is the first argument into `buffer`, and returns the size and the flags.
#[inline(always)]
pub fn buffer_size_and_flags<'py>(
    arguments: Keywords<'_, 'py>,
    buffer: &mut Buffer<'py, Writable>,
    format: Format<(Writable, isize, c_int)>,
) -> Result<(isize, c_int)> {
    if let Some(positional) = arguments.only_positional()
        && let (1..=3, Some(object)) = (positional.len(), positional.get(0))
        && let (Some(size), Some(flags)) = (positional.plain_size(1, 0), positional.plain_int(2, 0))
        && buffer.fill_writable(&object).is_ok()
    {
        return Ok((size, flags));
    }
    parse_buffer_size_and_flags(arguments, buffer, format)
}

#[cold]
#[inline(never)]
fn parse_buffer_size_and_flags<'py>(
    arguments: Keywords<'_, 'py>,
    buffer: &mut Buffer<'py, Writable>,
    format: Format<(Writable, isize, c_int)>,
) -> Result<(isize, c_int)> {
    const NAMES: [&CStr; 3] = [c"buffer", c"nbytes", c"flags"];
    let positional = arguments.positional;
    // `fill_writable` may have left an exception. The parser tries again and raises CPython's error.
    crate::error::clear(positional.py());
    let (tuple, dict) = (positional.tuple()?, arguments.dict()?);
    let (parsed, size, flags) = format.keywords(NAMES, &tuple, Some(&dict), (None, 0, 0))?;
    if let Some(parsed) = parsed {
        *buffer = parsed;
    }
    Ok((size, flags))
}

/// `send(data[, flags])`: returns the number of bytes sent.
pub fn send<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    match (arguments.len(), arguments.bytes(0)) {
        (1, Some(data)) => send_and_count(this, data, 0),
        _ => with_data_and_flags(this, arguments, c"send", const { Format::new(c"y*|i:send") }, send_and_count),
    }
}

#[inline(always)]
fn send_and_count<'py>(this: SocketRef<'_, 'py>, data: &[u8], flags: c_int) -> ObjectResult<'py> {
    send_some(this, data, flags)?.into_object(this.py())
}

/// Sends what one `send(2)` would send: a blocking socket sends all, any other what there is room for. Returns the number of bytes.
#[inline(always)]
pub fn send_some(this: SocketRef<'_, '_>, data: &[u8], flags: c_int) -> Result<usize> {
    transfer(this.py(), this.socket(), send_transfer(data, flags), send_attempt(data))
}

fn send_transfer(data: &[u8], flags: c_int) -> Transfer {
    Transfer { direction: Direction::Write, size: data.len(), flags, undivided: false }
}

fn send_attempt(data: &[u8]) -> impl Attempt + use<'_> {
    move |fd, flags, sent| sys::socket::send(fd, &data[sent..], flags)
}

/// `sendall(data[, flags])`.
pub fn sendall<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    match (arguments.len(), arguments.bytes(0)) {
        (1, Some(data)) => send_all_of(this, data, 0),
        _ => with_data_and_flags(this, arguments, c"sendall", const { Format::new(c"y*|i:sendall") }, send_all_of),
    }
}

#[inline(always)]
fn send_all_of<'py>(this: SocketRef<'_, 'py>, data: &[u8], flags: c_int) -> ObjectResult<'py> {
    match attempt_first(this.py(), this.socket(), send_transfer(data, flags), &mut send_attempt(data)) {
        Some(Ok(count)) if count == data.len() => {}
        first => send_remainder(this, data, flags, first)?,
    }
    Ok(this.none())
}

/// Sends what the first attempt has left. The exception of a send that fails has an attribute `bytes_sent`: how many bytes the kernel has
/// accepted before.
#[cold]
#[inline(never)]
fn send_remainder(this: SocketRef<'_, '_>, data: &[u8], flags: c_int, first: Option<io::Result<usize>>) -> Result<()> {
    let mut sent = 0;
    send_until_done(this, data, flags, first, &mut sent).map_err(|error| {
        observe::progress(this.object(), Progress::Sent(sent as u64));
        raised::with_attribute(this.py(), error, name!("bytes_sent"), sent)
    })
}

/// Sends until nothing is left, and counts the bytes in `sent`. One deadline applies to the whole call.
fn send_until_done(
    this: SocketRef<'_, '_>,
    data: &[u8],
    flags: c_int,
    mut first: Option<io::Result<usize>>,
    sent: &mut usize,
) -> Result<()> {
    let deadline = this.socket().deadline();
    let mut left = data;
    loop {
        let wanted = send_transfer(left, flags);
        *sent += complete(this.py(), this.socket(), wanted, Some(deadline), first, send_attempt(left))?;
        left = data.get(*sent..).unwrap_or_default();
        if left.is_empty() {
            return Ok(());
        }
        before_the_rest(this.py(), this.socket(), deadline, Doing::Sending)?;
        first = attempt_first(this.py(), this.socket(), send_transfer(left, flags), &mut send_attempt(left));
    }
}

/// Calls `body` with the parsed data and flags. For arguments other than a single bytes object.
#[cold]
#[inline(never)]
fn with_data_and_flags<'py>(
    this: SocketRef<'_, 'py>,
    arguments: Arguments<'_, 'py>,
    name: &CStr,
    format: Format<(Readable, c_int)>,
    body: impl Fn(SocketRef<'_, 'py>, &[u8], c_int) -> ObjectResult<'py>,
) -> ObjectResult<'py> {
    let (data, flags) = data_and_flags(arguments, name, format)?;
    body(this, data.bytes(), flags)
}

fn data_and_flags<'py>(
    arguments: Arguments<'_, 'py>,
    name: &CStr,
    format: Format<(Readable, c_int)>,
) -> Result<(Buffer<'py>, c_int)> {
    if let (1 | 2, Some(flags), Some(data)) = (arguments.len(), arguments.plain_int(1, 0), arguments.get(0)) {
        return Ok((Buffer::readable(&data)?, flags));
    }
    let tuple = arguments.tuple()?;
    if cfg!(Py_3_15) {
        check_count(&tuple, name, 1, 2)?;
        let data = Buffer::readable(&tuple.get_item(0)?)?;
        let flags = crate::interpreter::number::as_int(&tuple.get_item(1)?)?;
        return Ok((data, flags));
    }
    let (data, flags) = format.tuple(&tuple, (None, 0))?;
    Ok((data.unwrap_or_else(|| Buffer::unfilled(arguments.py())), flags))
}

/// `sendto(data[, flags], address)`: returns the number of bytes sent.
pub fn sendto<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    match (arguments.len(), arguments.bytes(0), arguments.get(1)) {
        (2, Some(data), Some(target)) => send_to(this, data, 0, &target),
        _ => send_parsed_to(this, arguments),
    }
}

#[inline(always)]
fn send_to<'py>(this: SocketRef<'_, 'py>, data: &[u8], flags: c_int, target: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let (py, socket) = (this.py(), this.socket());
    let to = address::from_python(this.address_context("sendto"), target)?;
    audit(py, c"socket.sendto", (&*this.object(), target))?;
    let target = Some(Target { address: &to, given: target.as_borrowed() });
    let count = transfer_to(py, socket, send_transfer(data, flags), target, |fd, flags, sent| {
        sys::socket::sendto(fd, &data[sent..], &to, flags)
    })?;
    count.into_object(py)
}

#[cold]
#[inline(never)]
fn send_parsed_to<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let (data, flags, target) = data_flags_and_target(arguments)?;
    send_to(this, data.bytes(), flags, &target)
}

fn data_flags_and_target<'a, 'py>(
    arguments: Arguments<'a, 'py>,
) -> Result<(Buffer<'py>, c_int, Borrowed<'a, 'py, PyAny>)> {
    const FORMAT: Format<(Readable, c_int, Object)> = Format::new(c"y*iO:sendto");
    let count = arguments.len();
    let Some(target) = arguments.get(count.wrapping_sub(1)).filter(|_| (2..=3).contains(&count)) else {
        return Err(Error::type_error(format_args!("sendto() takes 2 or 3 arguments ({count} given)")));
    };
    if let (2, Some(data)) = (count, arguments.get(0)) {
        return Ok((Buffer::readable(&data)?, 0, target));
    }
    let (data, flags, _target) = FORMAT.tuple(&arguments.tuple()?, (None, 0, None))?;
    Ok((data.unwrap_or_else(|| Buffer::unfilled(arguments.py())), flags, target))
}
