//! `sendfile`: sends a regular file by `sendfile(2)`, without a copy in this process, and any other file by `send`.

use std::ffi::c_int;
use std::io;
use std::os::fd::BorrowedFd;

use pyo3::exceptions::{PyAttributeError, PyBlockingIOError, PyOSError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;

use crate::call::blocking::{Wait, block_in_call, block_in_poll};
use crate::call::deadline::Deadline;
use crate::call::failure::{Call, Doing, Failure};
use crate::call::hooks;
use crate::error::{Error, Exception, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Keywords;
use crate::interpreter::make::IntoObject;
use crate::interpreter::number::{self, as_int, plain_long};
use crate::interpreter::observe::{self, Progress};
use crate::interpreter::owned;
use crate::interpreter::signature::Signature;
use crate::name;
use crate::socket::object::SocketRef;
use crate::sys;
use crate::sys::wait::{Direction, poll};

pyo3::create_exception!(
    oxisocket,
    _GiveupOnSendfile,
    pyo3::exceptions::PyException,
    "sendfile(2) cannot send this file; send() can."
);

const fn signature(qualified_name: &'static str) -> Signature<3> {
    Signature {
        qualified_name,
        declaration: "self, file, offset=0, count=None",
        names: ["file", "offset", "count"],
        positional: 3,
        required: 1,
    }
}

/// The most bytes that one `sendfile(2)` is asked to send: 1 GiB.
const LARGEST_BLOCK: i64 = 1 << 30;
/// The bytes that are read from the file at a time, to be sent by `send`.
const READ_BLOCK: i64 = 8192;

/// Stands for any count that does not fit: larger than any file, and than `sendfile(2)` accepts.
const COUNT_TOO_LARGE: i64 = i64::MAX;

/// The part of a file that is to be sent.
struct FileRange<'py> {
    file: Bound<'py, PyAny>,
    /// The position of the first byte, as given; `None` means 0.
    offset: Option<Bound<'py, PyAny>>,
    /// How many bytes; `None` means all up to the end.
    count: Option<i64>,
}

impl<'py> FileRange<'py> {
    fn parse(this: SocketRef<'_, 'py>, name: &'static str, arguments: Keywords<'_, 'py>) -> Result<Self> {
        Self::new(this, signature(name).bind(Some(&this.object()), arguments)?)
    }

    fn new(this: SocketRef<'_, 'py>, [file, offset, count]: [Option<Bound<'py, PyAny>>; 3]) -> Result<Self> {
        let file = file.ok_or_else(|| Error::type_error("a file is required"))?;
        let count = count.filter(|count| !count.is_none());
        validate(this, &file, count.as_ref())?;
        Ok(FileRange { file, offset, count: count.map(|count| plain_long(&count).unwrap_or(COUNT_TOO_LARGE)) })
    }

    /// The most bytes that the next block may have; `None` when all were sent.
    fn next_block(&self, sent: i64, largest: i64) -> Option<i64> {
        match self.count {
            None => Some(largest),
            Some(count) if count > sent => Some(largest.min(count - sent)),
            Some(_) => None,
        }
    }

    /// The offset as a number. It is converted as late as in CPython, so that errors come in the same order.
    fn offset(&self) -> Result<i64> {
        Ok(self.offset.as_ref().map_or(Ok(0), pyo3::types::PyAnyMethods::extract)?)
    }

    /// Sets the file's position behind the last byte sent.
    fn seek(&self, sent: i64) -> Result<()> {
        let (py, seek) = (self.file.py(), name!(self.file.py(), "seek")?);
        if sent > 0 && self.file.hasattr(seek)? {
            // The objects are added, as in CPython: the offset may be of any class, and of any size.
            let sent = sent.into_object(py)?;
            let position = self.offset.as_ref().map_or_else(|| Ok(sent.clone()), |offset| offset.add(&sent))?;
            self.file.call_method1(seek, (position,))?;
        }
        Ok(())
    }
}

/// Raises the errors of `_check_sendfile_params`: for a file in text mode, for a socket of another type, for a count that is not positive.
fn validate(this: SocketRef<'_, '_>, file: &Bound<'_, PyAny>, count: Option<&Bound<'_, PyAny>>) -> Result<()> {
    let py = file.py();
    if let Some(mode) = file.getattr_opt(name!(py, "mode")?)?
        && !mode.contains("b")?
    {
        return Err(Error::value("file should be opened in binary mode"));
    }
    let kind: c_int = as_int(&this.object().getattr(name!(py, "type")?)?)?;
    if kind & libc::SOCK_STREAM == 0 {
        return Err(Error::value("only SOCK_STREAM type sockets are supported"));
    }
    let Some(count) = count else {
        return Ok(());
    };
    let count_error = |class: Exception| Error::about(class, c"count must be a positive integer (got ", count, c")");
    if !count.is_instance_of::<pyo3::types::PyInt>() {
        return Err(count_error(Exception::Type));
    }
    if count.le(0_i32.into_object(py)?)? {
        return Err(count_error(Exception::Value));
    }
    Ok(())
}

/// `sendfile(file, offset=0, count=None)`: returns the number of bytes sent.
pub fn sendfile<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let [file, offset, count] = signature("socket.sendfile").bind(Some(&this.object()), arguments)?;
    let py = this.py();
    let offset = offset.map_or_else(|| 0_i32.into_object(py), Ok)?;
    let range = (file, offset, count);
    match this.object().call_method1(name!(py, "_sendfile_use_sendfile")?, &range) {
        Err(error) if error.is_instance_of::<_GiveupOnSendfile>(py) => {
            Error::from(error).discard(py);
            observe::progress(this.object(), Progress::InParts);
            Ok(this.object().call_method1(name!(py, "_sendfile_use_send")?, range)?)
        }
        sent => Ok(sent?),
    }
}

/// `_check_sendfile_params(file, offset, count)`.
pub fn check_parameters<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    const CHECK: Signature<3> = Signature {
        qualified_name: "socket._check_sendfile_params",
        declaration: "self, file, offset, count",
        names: ["file", "offset", "count"],
        positional: 3,
        required: 3,
    };
    let [file, _, count] = CHECK.bind(Some(&this.object()), arguments)?;
    if let Some(file) = file {
        validate(this, &file, count.filter(|count| !count.is_none()).as_ref())?;
    }
    Ok(this.none())
}

/// `_sendfile_use_sendfile(file, offset=0, count=None)`.
pub fn use_sendfile<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let range = FileRange::parse(this, "socket._sendfile_use_sendfile", arguments)?;
    // Read before the file's `fileno()` runs. If that closes the socket, the first block raises the error instead.
    let was_closed = this.socket().descriptor().number() < 0;
    let (file, size) = regular_file(&range.file, py.get_type::<_GiveupOnSendfile>().as_any())?;
    if size == 0 {
        return 0_i32.into_object(py);
    }
    if this.socket().timeout().is_zero() {
        return Err(Error::value("non-blocking sockets are not supported"));
    }
    if was_closed {
        return Err(Error::value("Invalid file descriptor: -1"));
    }
    // Since 3.13 CPython limits the count to a block's size before it converts it to a C integer.
    if cfg!(not(Py_3_13)) && range.count == Some(COUNT_TOO_LARGE) {
        return Err(Error::overflow("Python int too large to convert to C ssize_t"));
    }
    let mut sent = 0;
    let outcome = send_blocks(this, &range, file, range.count.unwrap_or(size).min(LARGEST_BLOCK), &mut sent)
        .map_err(|error| error.put_aside(py));
    observe::progress(this.object(), Progress::Sent(sent.cast_unsigned()));
    let sought = range.seek(sent);
    outcome?;
    sought?;
    sent.into_object(py)
}

fn send_blocks(
    this: SocketRef<'_, '_>,
    range: &FileRange<'_>,
    file: c_int,
    largest: i64,
    sent: &mut i64,
) -> Result<()> {
    let largest = if range.count.is_some() { LARGEST_BLOCK } else { largest };
    let start = range.offset()?;
    while let Some(block) = range.next_block(*sent, largest) {
        let offset = start.saturating_add(*sent);
        match send_block(this, file, offset, block) {
            Ok(0) => break,
            Ok(count) => *sent += count as i64,
            // `sendfile(2)` cannot send every file, and the first block shows whether it can.
            Err(error @ Error::Os(_)) if *sent == 0 => {
                return Err(give_up(this.py().get_type::<_GiveupOnSendfile>().as_any(), error));
            }
            Err(error) => return Err(not_sent(this, error)),
        }
    }
    Ok(())
}

/// The error of a block that was not sent, with a note.
fn not_sent(this: SocketRef<'_, '_>, error: Error) -> Error {
    hooks::failed(this.py(), error, Failure::Call(Call::new(this.socket(), Doing::Sending)))
}

/// Makes one `sendfile(2)` when the socket has room. The timeout applies to each block, as in CPython.
fn send_block(this: SocketRef<'_, '_>, file: c_int, offset: i64, block: i64) -> Result<usize> {
    let block = usize::try_from(block).unwrap_or(usize::MAX);
    // SAFETY: the number is not -1, because `regular_file` refuses negative numbers. Not guaranteed: that the file stays open during this
    // call. The number is borrowed from the caller's file object, as in C, and the program must not close that meanwhile.
    let file = unsafe { BorrowedFd::borrow_raw(file) };
    let send = |out: BorrowedFd<'_>| sys::file::sendfile(out, file, offset, block);
    let descriptor = this.socket().descriptor();
    match this.socket().deadline() {
        deadline @ Deadline::At(_) => {
            let wait = Wait { direction: Direction::Write, deadline, eager: true, may_block: true };
            block_in_poll(this.py(), this.socket(), wait, send)
        }
        _ => block_in_call(this.py(), this.socket(), |out: BorrowedFd<'_>| match send(out) {
            // A duplicate was used to set O_NONBLOCK, which the duplicates share: wait instead of spinning.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll(out, Direction::Write, None)?;
                descriptor.still_names(out)?;
                send(out)
            }
            answer => answer,
        }),
    }
}

/// A file's descriptor and its size in bytes. Raises an instance of `giveup_class` if the file has no descriptor or no size.
fn regular_file(file: &Bound<'_, PyAny>, giveup_class: &Bound<'_, PyAny>) -> Result<(c_int, i64)> {
    let py = file.py();
    let fileno = match file.call_method0(name!(py, "fileno")?) {
        Ok(fileno) => fileno,
        Err(error) if error.is_instance_of::<PyAttributeError>(py) || is_unsupported(py, &error)? => {
            return Err(give_up(giveup_class, error.into()));
        }
        Err(error) => return Err(error.into()),
    };
    let number = number::fileno(&fileno)?;
    if number < 0 {
        return Err(give_up(giveup_class, Error::closed()));
    }
    // SAFETY: the number is not negative, and only this call uses the borrow. Not guaranteed: that it is open; then the call fails with
    // EBADF.
    let size = sys::file::size(unsafe { BorrowedFd::borrow_raw(number) })
        .map_err(|error| give_up(giveup_class, error.into()))?;
    Ok((number, size))
}

/// Whether the error is `io.UnsupportedOperation`.
fn is_unsupported(py: Python<'_>, error: &PyErr) -> Result<bool> {
    let class = super::io::module(py)?.getattr(name!(py, "UnsupportedOperation")?)?;
    Ok(error.matches(py, class)?)
}

/// Makes the exception `giveup_class(error)`: the file cannot be sent this way.
fn give_up(giveup_class: &Bound<'_, PyAny>, error: Error) -> Error {
    // Inside `attach` PyO3 knows that the thread is attached, so that a drop releases a reference at once. Otherwise PyO3 would defer it to
    // a list, which needs memory.
    Python::attach(|py| {
        error.raise(py);
        let cause = PyErr::take(py).map(|cause| cause.into_value(py));
        match giveup_class.call1((cause,)) {
            Ok(exception) => PyErr::from_value(exception).into(),
            Err(error) => error.into(),
        }
    })
}

/// `_sendfile_zerocopy(zerocopy_func, giveup_exc_type, file, offset=0, count=None)`: like `_sendfile_use_sendfile`, but through a function
/// that takes the file's descriptor, an offset and a size. `ssl` calls it since Python 3.15 if the kernel encrypts (kTLS).
pub fn use_zerocopy<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    const ZEROCOPY: Signature<5> = Signature {
        qualified_name: "socket._sendfile_zerocopy",
        declaration: "self, zerocopy_func, giveup_exc_type, file, offset=0, count=None",
        names: ["zerocopy_func", "giveup_exc_type", "file", "offset", "count"],
        positional: 5,
        required: 3,
    };
    let py = this.py();
    let [send, giveup_class, file, offset, count] = ZEROCOPY.bind(Some(&this.object()), arguments)?;
    let (send, giveup_class) = (send.unwrap_or_else(|| this.none()), giveup_class.unwrap_or_else(|| this.none()));
    let range = FileRange::new(this, [file, offset, count])?;
    let (file, size) = regular_file(&range.file, &giveup_class)?;
    if size == 0 {
        return 0_i32.into_object(py);
    }
    if this.socket().timeout().is_zero() {
        return Err(Error::value("non-blocking sockets are not supported"));
    }
    let mut sent = 0;
    let file = file.into_object(py)?;
    let send = |offset: i64, block: i64| -> Result<i64> {
        Ok(send.call1((&file, offset.into_object(py)?, block.into_object(py)?))?.extract::<i64>()?)
    };
    let outcome = send_blocks_by(this, &range, send, &giveup_class, size.min(LARGEST_BLOCK), &mut sent)
        .map_err(|error| error.put_aside(py));
    let sought = range.seek(sent);
    outcome?;
    sought?;
    sent.into_object(py)
}

fn send_blocks_by(
    this: SocketRef<'_, '_>,
    range: &FileRange<'_>,
    send: impl Fn(i64, i64) -> Result<i64>,
    giveup_class: &Bound<'_, PyAny>,
    largest: i64,
    sent: &mut i64,
) -> Result<()> {
    let py = this.py();
    let largest = if range.count.is_some() { LARGEST_BLOCK } else { largest };
    let start = range.offset()?;
    while let Some(block) = range.next_block(*sent, largest) {
        let deadline = this.socket().deadline();
        if matches!(deadline, Deadline::At(_)) {
            wait_for_room(this, deadline)?;
        }
        match send(start.saturating_add(*sent), block) {
            Ok(0) => break,
            Ok(count) => *sent = sent.saturating_add(count),
            Err(Error::Python(error)) if error.is_instance_of::<PyBlockingIOError>(py) => {
                if matches!(deadline, Deadline::Never) {
                    wait_for_room(this, deadline)?;
                }
            }
            Err(Error::Python(error)) if error.is_instance_of::<PyOSError>(py) && *sent == 0 => {
                return Err(give_up(giveup_class, Error::Python(error)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until the socket accepts more data.
fn wait_for_room(this: SocketRef<'_, '_>, deadline: Deadline) -> Result<()> {
    if let Deadline::At(_) = deadline {
        let wait = Wait { direction: Direction::Write, deadline, eager: false, may_block: false };
        block_in_poll(this.py(), this.socket(), wait, |_| Ok(())).map_err(|error| not_sent(this, error))
    } else {
        let room = |out: BorrowedFd<'_>| poll(out, Direction::Write, None).map(drop);
        block_in_call(this.py(), this.socket(), room)
    }
}

/// `_sendfile_use_send(file, offset=0, count=None)`.
pub fn use_send<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let range = FileRange::parse(this, "socket._sendfile_use_send", arguments)?;
    if this.socket().timeout().is_zero() {
        return Err(Error::value("non-blocking sockets are not supported"));
    }
    if let Some(offset) = &range.offset
        && offset.is_truthy()?
    {
        range.file.call_method1(name!(this.py(), "seek")?, (offset,))?;
    }
    let mut sent = 0;
    let outcome = send_by_reading(this, &range, &mut sent).map_err(|error| error.put_aside(this.py()));
    let sought = range.seek(sent);
    outcome?;
    sought?;
    sent.into_object(this.py())
}

fn send_by_reading(this: SocketRef<'_, '_>, range: &FileRange<'_>, sent: &mut i64) -> Result<()> {
    let py = this.py();
    while let Some(block) = range.next_block(*sent, READ_BLOCK) {
        let read = range.file.call_method1(name!(py, "read")?, (block.into_object(py)?,))?;
        let data = PyMemoryView::from(&read)?;
        let length = data.len()?;
        if length == 0 {
            break;
        }
        let mut done = 0;
        while done < length {
            // SAFETY: the thread is attached, because `py` exists. `data` is a valid memoryview. The returned reference is new, or null
            // with an exception set.
            let rest = unsafe {
                owned(py, ffi::PySequence_GetSlice(data.as_ptr(), done.cast_signed(), length.cast_signed()))?
            };
            // `send` is looked up as an attribute, because a subclass such as `ssl.SSLSocket` overrides it.
            match this.object().call_method1(name!(py, "send")?, (rest,)) {
                Ok(count) => {
                    let count: usize = count.extract()?;
                    done = done.saturating_add(count);
                    *sent = sent.saturating_add(i64::try_from(count).unwrap_or(i64::MAX));
                }
                Err(error) if error.is_instance_of::<PyBlockingIOError>(py) => Error::from(error).discard(py),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
