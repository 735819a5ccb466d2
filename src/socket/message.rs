//! `sendmsg`, `recvmsg` and `recvmsg_into`: vectored I/O and control messages.

use std::ffi::{CStr, c_int};
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;

use pyo3::exceptions::PyRuntimeWarning;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::object::SocketRef;
use crate::address;
use crate::address::context::Origin;
use crate::call::failure::Target;
use crate::call::transfer::{Transfer, transfer, transfer_to};
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::{Arguments, check_count};
use crate::interpreter::audit::audit;
use crate::interpreter::buffer::{Buffer, Readable, Writable};
use crate::interpreter::bytes;
use crate::interpreter::format::{Format, Object};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::number::as_int;
use crate::interpreter::owned;
use crate::sys::ancillary::{self, ControlMessage, ControlMessages, Parsed};
use crate::sys::memory;
use crate::sys::message::{self, Incoming, Outgoing, Piece};
use crate::sys::wait::Direction;

/// `recvmsg(bufsize[, ancbufsize[, flags]])`: `(data, ancdata, msg_flags, address)`.
pub fn recvmsg<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(isize, isize, c_int)> = Format::new(c"n|ni:recvmsg");
    let (size, control_size, flags) = FORMAT.tuple(&arguments.tuple()?, (0, 0, 0))?;
    let size = usize::try_from(size).map_err(|_| Error::value("negative buffer size in recvmsg()"))?;
    let (data, received) = bytes::receive(this.py(), size, flags, this.socket().bulk(), |buffer| {
        let size = buffer.len();
        let call = |fd: BorrowedFd<'_>, control: &mut [u8], flags| message::recvmsg_one(fd, buffer, control, flags);
        receive(this, size, control_size, flags, call)
    })?;
    received.into_python(this.py(), data)
}

/// `recvmsg_into(buffers[, ancbufsize[, flags]])`: `(nbytes, ancdata, msg_flags, address)`.
pub fn recvmsg_into<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(Object, isize, c_int)> = Format::new(c"O|ni:recvmsg_into");
    let py = this.py();
    let (buffers, control_size, flags) = FORMAT.tuple(&arguments.tuple()?, (None, 0, 0))?;
    let buffers = buffers.ok_or_else(|| Error::type_error("buffers are required"))?;
    let buffers = to_tuple(&buffers, c"recvmsg_into() argument 1 must be an iterable")?;
    let mut buffers = memory::try_collect_results(buffers.iter().map(|item| writable_buffer(&item)))?;
    let mut pieces = memory::try_collect(buffers.iter_mut().map(Buffer::piece))?;
    let size = pieces.iter().map(Piece::len).sum();
    let call = |fd: BorrowedFd<'_>, control: &mut [u8], flags| message::recvmsg(fd, &mut pieces, control, flags);
    let received = receive(this, size, control_size, flags, call)?;
    let count = received.incoming.count.into_object(py)?;
    received.into_python(py, count)
}

/// Copies an iterable into a tuple of its own, which Python code that runs while the items are parsed cannot change.
fn to_tuple<'py>(iterable: &Bound<'py, PyAny>, refusal: &'static CStr) -> Result<Bound<'py, PyTuple>> {
    let py = iterable.py();
    // SAFETY: the thread is attached, because `py` exists. `iterable` is valid and `refusal` is a C string. Each call returns a new
    // reference, or null with an exception set.
    let tuple = unsafe {
        if cfg!(Py_3_14) {
            // These versions raise this TypeError for whatever exception the iteration raised.
            owned(py, ffi::PySequence_Tuple(iterable.as_ptr())).map_err(|error| {
                if error.is_no_memory(py) {
                    return error;
                }
                error.discard(py);
                Error::type_error(refusal.to_string_lossy())
            })?
        } else {
            let fast = owned(py, ffi::PySequence_Fast(iterable.as_ptr(), refusal.as_ptr()))?;
            owned(py, ffi::PySequence_Tuple(fast.as_ptr()))?
        }
    };
    Ok(tuple.cast_into().map_err(PyErr::from)?)
}

fn writable_buffer<'py>(item: &Bound<'py, PyAny>) -> Result<Buffer<'py, Writable>> {
    const FORMAT: Format<(Writable,)> =
        Format::new(c"w*;recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers");
    let (buffer,) = FORMAT.object(item, (None,))?;
    Ok(buffer.unwrap_or_else(|| Buffer::unfilled(item.py())))
}

/// Receives a message by `call`: at most `size` bytes of data, and at most `control_size` bytes of control messages.
fn receive<'a>(
    this: SocketRef<'a, '_>,
    size: usize,
    control_size: isize,
    flags: c_int,
    mut call: impl FnMut(BorrowedFd<'_>, &mut [u8], c_int) -> io::Result<Incoming> + Send,
) -> Result<ReceivedMessage<'a>> {
    let socket = this.socket();
    address::check_length_is_known(socket.family(), socket.proto())?;
    let control_size = usize::try_from(control_size)
        .ok()
        .filter(|&control_size| control_size <= ancillary::LONGEST)
        .ok_or_else(|| Error::value("invalid ancillary data buffer length"))?;
    let mut control = memory::try_zeroed(control_size).ok_or(Error::NoMemory)?;
    // Received descriptors must not be inheritable (PEP 446). Other families bring none, and some refuse the flag (AF_PACKET).
    let added = if brings_descriptors(socket.family()) { message::CLOEXEC } else { 0 };
    let wanted = Transfer { direction: Direction::Read, size, flags: flags | added, undivided: false };
    let mut incoming = None;
    transfer(this.py(), socket, wanted, |fd, flags, _| {
        let message = call(fd, &mut control, flags)?;
        let count = message.count;
        incoming = Some(message);
        Ok(count)
    })?;
    let incoming = incoming.expect("a transfer that succeeded was made");
    control.truncate(incoming.control);
    Ok(ReceivedMessage { control, incoming, requested_flags: flags, origin: this.origin() })
}

/// Whether the messages of a socket of this family may bring descriptors. A program may have given the wrong one of these three.
const fn brings_descriptors(family: c_int) -> bool {
    matches!(family, libc::AF_UNIX | libc::AF_INET | libc::AF_INET6)
}

/// A received message without its data. A drop closes the descriptors in its control messages, unless [`Self::into_python`] has delivered
/// it.
#[derive(Debug)]
struct ReceivedMessage<'a> {
    control: Vec<u8>,
    incoming: Incoming,
    requested_flags: c_int,
    origin: Origin<'a>,
}

impl ReceivedMessage<'_> {
    /// The tuple that the methods return. From then on the program owns the descriptors in it.
    fn into_python<'py>(self, py: Python<'py>, data: Bound<'py, PyAny>) -> ObjectResult<'py> {
        let control = self.control_to_python(py)?;
        // Linux returns MSG_CMSG_CLOEXEC. It is shown only if the program passed it.
        let added = message::CLOEXEC & !self.requested_flags;
        let flags = self.incoming.flags & !added;
        let sender = address::to_python(py, &self.incoming.address, self.origin)?;
        let message = (data, control, flags, sender).into_object(py)?;
        self.keep_descriptors();
        Ok(message)
    }

    fn control_to_python<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyList>> {
        let list = make::list(py)?;
        for found in ControlMessages::new(&self.control) {
            if !matches!(found, Parsed::Whole(_)) {
                let text = c"received malformed or improperly-truncated ancillary data";
                PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), text, 1)?;
            }
            if let Parsed::Whole(item) | Parsed::Truncated(item) = found {
                make::append(&list, (item.level, item.kind, make::bytes(py, item.data)?))?;
            }
        }
        Ok(list)
    }

    /// Leaves the descriptors open: the program owns them now.
    fn keep_descriptors(mut self) {
        self.control.clear();
    }
}

impl Drop for ReceivedMessage<'_> {
    fn drop(&mut self) {
        ancillary::close_descriptors(&self.control);
    }
}

/// `sendmsg(buffers[, ancdata[, flags[, address]]])`: returns the number of bytes of data sent.
pub fn sendmsg<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let (buffers, control, flags, target) = sendmsg_arguments(arguments)?;
    let target = target.filter(|target| !target.is_none());
    let to = if let Some(target) = &target {
        let to = address::from_python(this.address_context("sendmsg"), target)?;
        audit(py, c"socket.sendmsg", (&*this.object(), target))?;
        Some(to)
    } else {
        audit(py, c"socket.sendmsg", (&*this.object(), &this.none()))?;
        None
    };
    let data = readable_buffers(&buffers)?;
    let control = control.map_or(Ok(Vec::new()), |control| control_from_python(&control))?;
    let given = target.as_ref().map(Bound::as_borrowed);
    let target = to.as_ref().zip(given).map(|(address, given)| Target { address, given });
    send_message(this, &data, &control, target, flags)
}

type SendmsgArguments<'py> = (Bound<'py, PyAny>, Option<Bound<'py, PyAny>>, c_int, Option<Bound<'py, PyAny>>);

fn sendmsg_arguments<'py>(arguments: Arguments<'_, 'py>) -> Result<SendmsgArguments<'py>> {
    const FORMAT: Format<(Object, Object, c_int, Object)> = Format::new(c"O|OiO:sendmsg");
    let get = |index| arguments.get(index).map(pyo3::Borrowed::to_owned);
    if let (1..=4, Some(buffers), Some(flags)) = (arguments.len(), get(0), arguments.plain_int(2, 0)) {
        return Ok((buffers, get(1), flags, get(3)));
    }
    let tuple = arguments.tuple()?;
    if cfg!(Py_3_15) {
        check_count(&tuple, c"sendmsg", 1, 4)?;
        return Ok((tuple.get_item(0)?, get(1), as_int(&tuple.get_item(2)?)?, get(3)));
    }
    let (buffers, control, flags, target) = FORMAT.tuple(&tuple, (None, None, 0, None))?;
    Ok((buffers.ok_or_else(|| Error::type_error("buffers are required"))?, control, flags, target))
}

/// Exports the buffers whose data is sent.
pub fn readable_buffers<'py>(buffers: &Bound<'py, PyAny>) -> Result<Vec<Buffer<'py>>> {
    let buffers = to_tuple(buffers, c"sendmsg() argument 1 must be an iterable")?;
    memory::try_collect_results(buffers.iter().map(|item| Buffer::readable(&item)))
}

/// Encodes the control messages of an iterable of `(level, type, data)`.
fn control_from_python(control: &Bound<'_, PyAny>) -> Result<Vec<u8>> {
    const FORMAT: Format<(c_int, c_int, Readable)> = Format::new(c"(iiy*):[sendmsg() ancillary data items]");
    let given = to_tuple(control, c"sendmsg() argument 2 must be an iterable")?;
    let given = memory::try_collect_results(given.iter().map(|item| {
        let (level, kind, data) = FORMAT.object(&item, (0, 0, None))?;
        let data = data.unwrap_or_else(|| Buffer::unfilled(item.py()));
        Ok::<_, Error>((level, kind, data))
    }))?;
    let items =
        given.iter().map(|(level, kind, data)| ControlMessage { level: *level, kind: *kind, data: data.bytes() });
    let items = memory::try_collect(items)?;
    Ok(ancillary::encode(&items)?)
}

/// Sends a message: its data, and its encoded control messages.
pub fn send_message<'py>(
    this: SocketRef<'_, 'py>,
    data: &[Buffer<'py>],
    control: &[u8],
    target: Option<Target<'_, 'py>>,
    flags: c_int,
) -> ObjectResult<'py> {
    let socket = this.socket();
    let address = target.map(|target| target.address);
    let slices = memory::try_collect(data.iter().map(|buffer| IoSlice::new(buffer.bytes())))?;
    let wanted = Transfer {
        direction: Direction::Write,
        size: data.iter().map(Buffer::len).sum(),
        flags,
        // Control messages apply to the data that is sent with them (a transmit time, the type of a TLS record, a request for a timestamp),
        // so the message must not be sent in parts.
        undivided: !control.is_empty(),
    };
    let count = transfer_to(this.py(), socket, wanted, target, |fd, flags, sent| {
        if sent == 0 {
            return message::sendmsg(fd, Outgoing { address, data: &slices, control }, flags);
        }
        // The control messages were sent with the first byte.
        let mut slices = memory::try_to_vec(&slices)?;
        let mut rest = &mut slices[..];
        IoSlice::advance_slices(&mut rest, sent);
        message::sendmsg(fd, Outgoing { address, data: rest, control: &[] }, flags)
    })?;
    count.into_object(this.py())
}
