//! `sendfile`: a file goes out through `sendfile(2)`, without a copy in this process; or, where it is no regular file, through `send`.

use std::ffi::c_int;
use std::io;

use pyo3::exceptions::{PyAttributeError, PyBlockingIOError, PyOSError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;

use crate::call;
use crate::error::{Error, Result};
use crate::interpreter::arguments::{Keywords, as_int, plain_long};
use crate::interpreter::function::Returned;
use crate::interpreter::signature::Signature;
use crate::interpreter::{owned, raised};
use crate::name;
use crate::socket::This;
use crate::socket::lifecycle::as_descriptor;
use crate::sys;
use crate::sys::wait::{self, Direction};
use crate::timeout::Patience;

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
    fn parse(this: This<'_, 'py>, name: &'static str, arguments: Keywords<'_, 'py>) -> Result<Self> {
        Self::new(this, signature(name).bind(Some(&this.object()), arguments)?)
    }

    fn new(this: This<'_, 'py>, [file, offset, count]: [Option<Bound<'py, PyAny>>; 3]) -> Result<Self> {
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
        Ok(self.offset.as_ref().map_or(Ok(0), |offset| offset.extract())?)
    }

    /// Leaves the file's position behind what was sent.
    fn seek(&self, sent: i64) -> Result<()> {
        if sent > 0 && self.file.hasattr(name!(self.file.py(), "seek"))? {
            self.file.call_method1(name!(self.file.py(), "seek"), (self.offset()? + sent,))?;
        }
        Ok(())
    }
}

fn check(this: This<'_, '_>, file: &Bound<'_, PyAny>, count: Option<&Bound<'_, PyAny>>) -> Result<()> {
    if let Some(mode) = file.getattr_opt(name!(file.py(), "mode"))?
        && !mode.contains("b")?
    {
        return Err(Error::value("file should be opened in binary mode"));
    }
    let kind: c_int = as_int(&this.object().getattr(name!(this.py(), "type"))?)?;
    if kind & libc::SOCK_STREAM == 0 {
        return Err(Error::value("only SOCK_STREAM type sockets are supported"));
    }
    let Some(count) = count else {
        return Ok(());
    };
    let text = |count: &Bound<'_, PyAny>| -> Result<String> {
        Ok(format!("count must be a positive integer (got {})", count.repr()?.to_string_lossy()))
    };
    if !count.is_instance_of::<pyo3::types::PyInt>() {
        return Err(Error::type_error(text(count)?));
    }
    if count.le(0)? {
        return Err(Error::value(text(count)?));
    }
    Ok(())
}

/// `sendfile(file, offset=0, count=None)`: how many bytes went.
pub fn sendfile<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    let [file, offset, count] = signature("socket.sendfile").bind(Some(&this.object()), arguments)?;
    let offset = offset.map_or_else(|| Ok::<_, PyErr>(0i32.into_pyobject(this.py())?.into_any()), Ok)?;
    let job = (file, offset, count);
    match this.object().call_method1(name!(this.py(), "_sendfile_use_sendfile"), &job) {
        Err(error) if error.is_instance_of::<_GiveupOnSendfile>(this.py()) => {
            Error::from(error).discard(this.py());
            Ok(this.object().call_method1(name!(this.py(), "_sendfile_use_send"), job)?)
        }
        sent => Ok(sent?),
    }
}

/// `_check_sendfile_params(file, offset, count)`.
pub fn check_parameters<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
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
pub fn use_sendfile<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    let py = this.py();
    let job = Job::parse(this, "socket._sendfile_use_sendfile", arguments)?;
    let (file, size) = regular_file(&job.file, py.get_type::<_GiveupOnSendfile>().as_any())?;
    if size == 0 {
        return Ok(0i32.into_pyobject(py)?.into_any());
    }
    if this.socket().timeout().is_zero() {
        return Err(Error::value("non-blocking sockets are not supported"));
    }
    if this.socket().fd() < 0 {
        return Err(Error::value("Invalid file descriptor: -1"));
    }
    // Since 3.13 the count is cut down to a block's size before the system is told.
    if cfg!(not(Py_3_13)) && job.count == Some(TOO_MANY) {
        return Err(Error::overflow("Python int too large to convert to C ssize_t"));
    }
    let mut sent = 0;
    let outcome = send_blocks(this, &job, file, job.count.unwrap_or(size).min(LARGEST_BLOCK), &mut sent);
    let sought = job.seek(sent);
    outcome?;
    sought?;
    Ok(sent.into_pyobject(py)?.into_any())
}

fn send_blocks(this: This<'_, '_>, job: &Job<'_>, file: c_int, largest: i64, sent: &mut i64) -> Result<()> {
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
fn send_block(this: This<'_, '_>, file: c_int, offset: i64, block: i64) -> Result<usize> {
    let block = usize::try_from(block).unwrap_or(usize::MAX);
    let send = |out| sys::socket::sendfile(out, file, offset, block);
    match this.socket().patience() {
        Patience::Until(deadline) => {
            call::wait_till(this.py(), this.socket(), Direction::Write, deadline, true, send, |_| true)
        }
        _ => call::block(
            this.py(),
            this.socket(),
            |out| match send(out) {
                // Somebody made the descriptor non-blocking behind our back: wait, and do not spin.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait::poll(out, Direction::Write, None)?;
                    send(out)
                }
                answer => answer,
            },
            |_| true,
        ),
    }
}

/// The descriptor of a file and its size; or an instance of `refusal`, where it can have none.
fn regular_file(file: &Bound<'_, PyAny>, refusal: &Bound<'_, PyAny>) -> Result<(c_int, i64)> {
    let py = file.py();
    let fileno = match file.call_method0(name!(file.py(), "fileno")) {
        Ok(fileno) => fileno,
        Err(error) if has_no_descriptor(py, &error) => return Err(give_up(refusal, error.into())),
        Err(error) => return Err(error.into()),
    };
    let number = as_descriptor(&fileno)?;
    let size = sys::socket::file_size(number).map_err(|error| give_up(refusal, error.into()))?;
    Ok((number, size))
}

/// Whether an error says of a file that it has no descriptor.
fn has_no_descriptor(py: Python<'_>, error: &PyErr) -> bool {
    if error.is_instance_of::<PyAttributeError>(py) {
        return true;
    }
    let class = py.import(name!(py, "io")).and_then(|io| io.getattr(name!(py, "UnsupportedOperation")));
    match class {
        Ok(class) => error.is_instance(py, &class),
        Err(unavailable) => {
            Error::from(unavailable).discard(py);
            false
        }
    }
}

/// `refusal(error)`: the file cannot be sent this way.
fn give_up(refusal: &Bound<'_, PyAny>, error: Error) -> Error {
    error.raise(refusal.py());
    match refusal.call1((raised::take(refusal.py()),)) {
        Ok(refusal) => PyErr::from_value(refusal).into(),
        Err(error) => error.into(),
    }
}

/// `_sendfile_zerocopy(zerocopy_func, giveup_exc_type, file, offset=0, count=None)`: as by `sendfile(2)`, through a function that takes
/// its file, offset and size. `ssl` calls this since 3.15, where the kernel encrypts.
pub fn use_zerocopy<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
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
        return Ok(0i32.into_pyobject(py)?.into_any());
    }
    if this.socket().timeout().is_zero() {
        return Err(Error::value("non-blocking sockets are not supported"));
    }
    let mut sent = 0;
    let send = |offset, block| send.call1((file, offset, block))?.extract::<i64>();
    let outcome = send_through(this, &job, send, &refusal, size.min(LARGEST_BLOCK), &mut sent);
    let sought = job.seek(sent);
    outcome?;
    sought?;
    Ok(sent.into_pyobject(py)?.into_any())
}

fn send_through(
    this: This<'_, '_>,
    job: &Job<'_>,
    send: impl Fn(i64, i64) -> PyResult<i64>,
    refusal: &Bound<'_, PyAny>,
    largest: i64,
    sent: &mut i64,
) -> Result<()> {
    let py = this.py();
    let largest = if job.count.is_some() { LARGEST_BLOCK } else { largest };
    let start = job.offset()?;
    while let Some(block) = job.block(*sent, largest) {
        let patience = this.socket().patience();
        if matches!(patience, Patience::Until(_)) {
            wait_for_room(this, patience)?;
        }
        match send(start + *sent, block) {
            Ok(0) => break,
            Ok(count) => *sent += count,
            Err(error) if error.is_instance_of::<PyBlockingIOError>(py) => {
                Error::from(error).discard(py);
                if matches!(patience, Patience::Forever) {
                    wait_for_room(this, patience)?;
                }
            }
            Err(error) if error.is_instance_of::<PyOSError>(py) && *sent == 0 => {
                return Err(give_up(refusal, error.into()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits until the socket takes more.
fn wait_for_room(this: This<'_, '_>, patience: Patience) -> Result<()> {
    match patience {
        Patience::Until(deadline) => {
            call::wait_till(this.py(), this.socket(), Direction::Write, deadline, false, |_| Ok(()), |()| true)
        }
        _ => {
            let room = |out| wait::poll(out, Direction::Write, None).map(drop);
            call::block(this.py(), this.socket(), room, |()| true)
        }
    }
}

/// `_sendfile_use_send(file, offset=0, count=None)`.
pub fn use_send<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    let job = Job::parse(this, "socket._sendfile_use_send", arguments)?;
    if this.socket().timeout().is_zero() {
        return Err(Error::value("non-blocking sockets are not supported"));
    }
    if let Some(offset) = &job.offset
        && offset.is_truthy()?
    {
        job.file.call_method1(name!(this.py(), "seek"), (offset,))?;
    }
    let mut sent = 0;
    let outcome = send_reads(this, &job, &mut sent);
    let sought = job.seek(sent);
    outcome?;
    sought?;
    Ok(sent.into_pyobject(this.py())?.into_any())
}

fn send_reads(this: This<'_, '_>, job: &Job<'_>, sent: &mut i64) -> Result<()> {
    while let Some(block) = job.block(*sent, READ_BLOCK) {
        let data = PyMemoryView::from(&job.file.call_method1(name!(this.py(), "read"), (block,))?)?;
        let length = data.getattr(name!(this.py(), "nbytes"))?.extract::<usize>()?;
        if length == 0 {
            break;
        }
        let mut done = 0;
        while done < length {
            // Not by PyO3's slices, which leave the numbers behind that they are made of.
            // SAFETY: a view; what comes back is new, or null with an exception.
            let rest = unsafe {
                let (from, to) = (done.cast_signed(), length.cast_signed());
                owned(this.py(), ffi::PySequence_GetSlice(data.as_ptr(), from, to))?
            };
            // Through the attribute: a subclass, `ssl.SSLSocket` for one, sends in its own way.
            match this.object().call_method1(name!(this.py(), "send"), (rest,)) {
                Ok(count) => {
                    let count: usize = count.extract()?;
                    done += count;
                    *sent += i64::try_from(count).unwrap_or(0);
                }
                Err(error) if error.is_instance_of::<PyBlockingIOError>(this.py()) => {
                    Error::from(error).discard(this.py())
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
