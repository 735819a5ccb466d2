//! `sendfile`: a file goes out through `sendfile(2)`, without a copy in this process; or, where it is no regular file, through `send`.

use std::ffi::c_int;
use std::io;
use std::os::fd::BorrowedFd;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyAttributeError, PyBlockingIOError, PyOSError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;

use crate::call::blocking::{Wait, block_in_call, block_in_poll};
use crate::call::deadline::Deadline;
use crate::error::{Error, Exception, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Keywords;
use crate::interpreter::make::IntoObject;
use crate::interpreter::number::{self, as_int, plain_long};
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

/// The most that one `sendfile(2)` is asked for: 1 GiB.
const LARGEST_BLOCK: i64 = 1 << 30;
/// The bytes that are read for one `send`.
const READ_BLOCK: i64 = 8192;

/// Stands for a count that no file has and `sendfile(2)` does not take.
const TOO_MANY: i64 = i64::MAX;

/// What is to be sent.
struct Job<'py> {
    file: Bound<'py, PyAny>,
    /// Where the file's bytes begin.
    offset: Option<Bound<'py, PyAny>>,
    /// How many; `None` means to its end.
    count: Option<i64>,
}

impl<'py> Job<'py> {
    fn parse(this: SocketRef<'_, 'py>, name: &'static str, arguments: Keywords<'_, 'py>) -> Result<Self> {
        Self::new(this, signature(name).bind(Some(&this.object()), arguments)?)
    }

    fn new(this: SocketRef<'_, 'py>, [file, offset, count]: [Option<Bound<'py, PyAny>>; 3]) -> Result<Self> {
        let file = file.ok_or_else(|| Error::type_error("a file is required"))?;
        let count = count.filter(|count| !count.is_none());
        check(this, &file, count.as_ref())?;
        Ok(Job { file, offset, count: count.map(|count| plain_long(&count).unwrap_or(TOO_MANY)) })
    }

    /// How many bytes the next block may have; `None` when all were sent.
    fn block(&self, sent: i64, largest: i64) -> Option<i64> {
        match self.count {
            None => Some(largest),
            Some(count) if count > sent => Some(largest.min(count - sent)),
            Some(_) => None,
        }
    }

    /// Where to begin, as a number. Looked at as late as CPython looks at it.
    fn offset(&self) -> Result<i64> {
        Ok(self.offset.as_ref().map_or(Ok(0), pyo3::types::PyAnyMethods::extract)?)
    }

    /// Leaves the file's position behind what was sent.
    fn seek(&self, sent: i64) -> Result<()> {
        let (py, seek) = (self.file.py(), name!(self.file.py(), "seek")?);
        if sent > 0 && self.file.hasattr(seek)? {
            self.file.call_method1(seek, ((self.offset()? + sent).into_object(py)?,))?;
        }
        Ok(())
    }
}

fn check(this: SocketRef<'_, '_>, file: &Bound<'_, PyAny>, count: Option<&Bound<'_, PyAny>>) -> Result<()> {
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
    let refused = |class: Exception| Error::about(class, c"count must be a positive integer (got ", count, c")");
    if !count.is_instance_of::<pyo3::types::PyInt>() {
        return Err(refused(Exception::Type));
    }
    if count.le(0_i32.into_object(py)?)? {
        return Err(refused(Exception::Value));
    }
    Ok(())
}

/// `sendfile(file, offset=0, count=None)`: how many bytes went.
pub fn sendfile<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let [file, offset, count] = signature("socket.sendfile").bind(Some(&this.object()), arguments)?;
    let py = this.py();
    let offset = offset.map_or_else(|| 0_i32.into_object(py), Ok)?;
    let job = (file, offset, count);
    match this.object().call_method1(name!(py, "_sendfile_use_sendfile")?, &job) {
        Err(error) if error.is_instance_of::<_GiveupOnSendfile>(py) => {
            Error::from(error).discard(py);
            Ok(this.object().call_method1(name!(py, "_sendfile_use_send")?, job)?)
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
        check(this, &file, count.filter(|count| !count.is_none()).as_ref())?;
    }
    Ok(this.none())
}

/// `_sendfile_use_sendfile(file, offset=0, count=None)`.
pub fn use_sendfile<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let job = Job::parse(this, "socket._sendfile_use_sendfile", arguments)?;
    // Asked before the file is: one that closes the socket meanwhile is told so by the first block.
    let was_closed = this.socket().descriptor().number() < 0;
    let (file, size) = regular_file(&job.file, py.get_type::<_GiveupOnSendfile>().as_any())?;
    if size == 0 {
        return 0_i32.into_object(py);
    }
    if this.socket().timeout().is_zero() {
        return Err(Error::value("non-blocking sockets are not supported"));
    }
    if was_closed {
        return Err(Error::value("Invalid file descriptor: -1"));
    }
    // Since 3.13 the count is cut down to a block's size before the system is told.
    if cfg!(not(Py_3_13)) && job.count == Some(TOO_MANY) {
        return Err(Error::overflow("Python int too large to convert to C ssize_t"));
    }
    let mut sent = 0;
    let outcome = send_blocks(this, &job, file, job.count.unwrap_or(size).min(LARGEST_BLOCK), &mut sent)
        .map_err(|error| error.put_aside(py));
    let sought = job.seek(sent);
    outcome?;
    sought?;
    sent.into_object(py)
}

fn send_blocks(this: SocketRef<'_, '_>, job: &Job<'_>, file: c_int, largest: i64, sent: &mut i64) -> Result<()> {
    let largest = if job.count.is_some() { LARGEST_BLOCK } else { largest };
    let start = job.offset()?;
    while let Some(block) = job.block(*sent, largest) {
        let offset = start + *sent;
        match send_block(this, file, offset, block) {
            Ok(0) => break,
            Ok(count) => *sent += count as i64,
            // Not every file can be sent this way, and the first block tells.
            Err(error @ Error::Os(_)) if *sent == 0 => {
                return Err(give_up(this.py().get_type::<_GiveupOnSendfile>().as_any(), error));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// One `sendfile(2)`, when the socket has room. The timeout counts for each block, as in CPython.
fn send_block(this: SocketRef<'_, '_>, file: c_int, offset: i64, block: i64) -> Result<usize> {
    let block = usize::try_from(block).unwrap_or(usize::MAX);
    // SAFETY: not -1: the system gave its size. The number is the caller's, as it is in C: that its file stays open while this call runs
    // is for him to see to, and not guaranteed.
    let file = unsafe { BorrowedFd::borrow_raw(file) };
    let send = |out: BorrowedFd<'_>| sys::socket::sendfile(out, file, offset, block);
    let descriptor = this.socket().descriptor();
    match this.socket().deadline() {
        deadline @ Deadline::At(_) => {
            let wait = Wait { direction: Direction::Write, deadline, eager: true, may_block: true };
            block_in_poll(this.py(), this.socket(), wait, send)
        }
        _ => block_in_call(this.py(), this.socket(), |out: BorrowedFd<'_>| match send(out) {
            // Somebody made the descriptor non-blocking behind our back: wait, and do not spin.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll(out, Direction::Write, None)?;
                descriptor.still_names(out)?;
                send(out)
            }
            answer => answer,
        }),
    }
}

/// The descriptor of a file and its size; or an instance of `refusal`, where it can have none.
fn regular_file(file: &Bound<'_, PyAny>, refusal: &Bound<'_, PyAny>) -> Result<(c_int, i64)> {
    let py = file.py();
    let fileno = match file.call_method0(name!(py, "fileno")?) {
        Ok(fileno) => fileno,
        Err(error) if error.is_instance_of::<PyAttributeError>(py) || is_unsupported(py, &error)? => {
            return Err(give_up(refusal, error.into()));
        }
        Err(error) => return Err(error.into()),
    };
    let number = number::fileno(&fileno)?;
    if number < 0 {
        return Err(give_up(refusal, Error::closed()));
    }
    // SAFETY: not -1, and used by this call alone, which fails unless it is open.
    let size = sys::socket::file_size(unsafe { BorrowedFd::borrow_raw(number) })
        .map_err(|error| give_up(refusal, error.into()))?;
    Ok((number, size))
}

/// Whether an error is `io.UnsupportedOperation`.
fn is_unsupported(py: Python<'_>, error: &PyErr) -> Result<bool> {
    let class = super::io::module(py)?.getattr(name!(py, "UnsupportedOperation")?)?;
    Ok(error.matches(py, class)?)
}

/// `refusal(error)`: the file cannot be sent this way.
fn give_up(refusal: &Bound<'_, PyAny>, error: Error) -> Error {
    // In here PyO3 knows that the thread is attached: what is dropped is given back at once, and not put on a list that would have to grow.
    Python::attach(|py| {
        error.raise(py);
        let cause = PyErr::take(py).map(|cause| cause.into_value(py));
        match refusal.call1((cause,)) {
            Ok(refusal) => PyErr::from_value(refusal).into(),
            Err(error) => error.into(),
        }
    })
}

/// `_sendfile_zerocopy(zerocopy_func, giveup_exc_type, file, offset=0, count=None)`: as by `sendfile(2)`, through a function that takes
/// its file, offset and size. `ssl` calls this since 3.15, where the kernel encrypts.
pub fn use_zerocopy<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    const ZEROCOPY: Signature<5> = Signature {
        qualified_name: "socket._sendfile_zerocopy",
        declaration: "self, zerocopy_func, giveup_exc_type, file, offset=0, count=None",
        names: ["zerocopy_func", "giveup_exc_type", "file", "offset", "count"],
        positional: 5,
        required: 3,
    };
    let py = this.py();
    let [send, refusal, file, offset, count] = ZEROCOPY.bind(Some(&this.object()), arguments)?;
    let (send, refusal) = (send.unwrap_or_else(|| this.none()), refusal.unwrap_or_else(|| this.none()));
    let job = Job::new(this, [file, offset, count])?;
    let (file, size) = regular_file(&job.file, &refusal)?;
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
    let outcome = send_through(this, &job, send, &refusal, size.min(LARGEST_BLOCK), &mut sent)
        .map_err(|error| error.put_aside(py));
    let sought = job.seek(sent);
    outcome?;
    sought?;
    sent.into_object(py)
}

fn send_through(
    this: SocketRef<'_, '_>,
    job: &Job<'_>,
    send: impl Fn(i64, i64) -> Result<i64>,
    refusal: &Bound<'_, PyAny>,
    largest: i64,
    sent: &mut i64,
) -> Result<()> {
    let py = this.py();
    let largest = if job.count.is_some() { LARGEST_BLOCK } else { largest };
    let start = job.offset()?;
    while let Some(block) = job.block(*sent, largest) {
        let deadline = this.socket().deadline();
        if matches!(deadline, Deadline::At(_)) {
            wait_for_room(this, deadline)?;
        }
        match send(start + *sent, block) {
            Ok(0) => break,
            Ok(count) => *sent += count,
            Err(Error::Python(error)) if error.is_instance_of::<PyBlockingIOError>(py) => {
                if matches!(deadline, Deadline::Never) {
                    wait_for_room(this, deadline)?;
                }
            }
            Err(Error::Python(error)) if error.is_instance_of::<PyOSError>(py) && *sent == 0 => {
                return Err(give_up(refusal, Error::Python(error)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until the socket takes more.
fn wait_for_room(this: SocketRef<'_, '_>, deadline: Deadline) -> Result<()> {
    if let Deadline::At(_) = deadline {
        let wait = Wait { direction: Direction::Write, deadline, eager: false, may_block: false };
        block_in_poll(this.py(), this.socket(), wait, |_| Ok(()))
    } else {
        let room = |out: BorrowedFd<'_>| poll(out, Direction::Write, None).map(drop);
        block_in_call(this.py(), this.socket(), room)
    }
}

/// `_sendfile_use_send(file, offset=0, count=None)`.
pub fn use_send<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let job = Job::parse(this, "socket._sendfile_use_send", arguments)?;
    if this.socket().timeout().is_zero() {
        return Err(Error::value("non-blocking sockets are not supported"));
    }
    if let Some(offset) = &job.offset
        && offset.is_truthy()?
    {
        job.file.call_method1(name!(this.py(), "seek")?, (offset,))?;
    }
    let mut sent = 0;
    let outcome = send_reads(this, &job, &mut sent).map_err(|error| error.put_aside(this.py()));
    let sought = job.seek(sent);
    outcome?;
    sought?;
    sent.into_object(this.py())
}

fn send_reads(this: SocketRef<'_, '_>, job: &Job<'_>, sent: &mut i64) -> Result<()> {
    let py = this.py();
    while let Some(block) = job.block(*sent, READ_BLOCK) {
        let read = job.file.call_method1(name!(py, "read")?, (block.into_object(py)?,))?;
        let data = PyMemoryView::from(&read)?;
        let length = PyBuffer::<u8>::get(&data).map_or_else(|_| data.len(), |buffer| Ok(buffer.len_bytes()))?;
        if length == 0 {
            break;
        }
        let mut done = 0;
        while done < length {
            // SAFETY: a memoryview, of which a part is asked for that it has.
            let rest = unsafe {
                owned(py, ffi::PySequence_GetSlice(data.as_ptr(), done.cast_signed(), length.cast_signed()))?
            };
            // Through the attribute: a subclass, `ssl.SSLSocket` for one, sends in its own way.
            match this.object().call_method1(name!(py, "send")?, (rest,)) {
                Ok(count) => {
                    let count: usize = count.extract()?;
                    done += count;
                    *sent += i64::try_from(count).unwrap_or(0);
                }
                Err(error) if error.is_instance_of::<PyBlockingIOError>(py) => Error::from(error).discard(py),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
