//! Socket options, blocking mode and timeout.

use std::ffi::c_int;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyNone, PyTuple};

use super::object::SocketRef;
use crate::call::attempts;
use crate::call::socket::Socket;
use crate::call::timeout::Timeout;
use crate::error::{Error, Result, clear};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::buffer::{Buffer, Readable};
use crate::interpreter::format::{Format, Instance, Object};
use crate::interpreter::make::{self, IntoObject};
use crate::sys;
use crate::sys::memory;

/// The longest option value, in bytes, that `getsockopt` returns, as in CPython.
const LONGEST_VALUE: c_int = 1024;

/// `getsockopt(level, option[, buffersize])`: returns a number, or bytes if a size is given.
pub fn getsockopt<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(c_int, c_int, c_int)> = Format::new(c"ii|i:getsockopt");
    let py = this.py();
    let socket = this.socket();
    let plain = (arguments.plain_int(0, 0), arguments.plain_int(1, 0), arguments.plain_int(2, 0));
    let (level, option, size) = match plain {
        (Some(level), Some(option), Some(size)) if (2..=3).contains(&arguments.len()) => (level, option, size),
        _ => FORMAT.tuple(&arguments.tuple()?, (0, 0, 0))?,
    };
    let has_64_bits = sys::socket::has_64_bit_options(socket.family());
    if size == 0 && has_64_bits {
        let value = socket.descriptor().attached(py, |fd| sys::socket::getsockopt_u64(fd, level, option))?;
        return value.into_object(py);
    }
    if has_64_bits {
        return Err(Error::os("getsockopt string buffer not allowed"));
    }
    if sys::socket::option_unit(level, option) != 1 {
        return getsockopt_in_units(this, level, option, size);
    }
    if size == 0 {
        let value = socket.descriptor().attached(py, |fd| sys::socket::getsockopt_int(fd, level, option))?;
        return or_deferred_error(socket, level, option, value).into_object(py);
    }
    let mut value = [0; LONGEST_VALUE as usize];
    let value = &mut value[..length_of_value(size)?];
    let length = socket.descriptor().attached(py, |fd| sys::socket::getsockopt(fd, level, option, value))?;
    make::bytes(py, &value[..length.min(value.len())])
}

/// `getsockopt` of an option whose length does not count bytes, but larger units. C takes the caller's size for both: the kernel writes as
/// many units, and as many bytes of them are the result. Here the units have room.
#[cold]
fn getsockopt_in_units<'py>(this: SocketRef<'_, 'py>, level: c_int, option: c_int, size: c_int) -> ObjectResult<'py> {
    let py = this.py();
    let as_number = size == 0;
    let size = if as_number { size_of::<c_int>() } else { length_of_value(size)? };
    let unit = sys::socket::option_unit(level, option);
    let mut units = memory::try_zeroed(size * unit).ok_or(Error::NoMemory)?;
    let length =
        this.socket().descriptor().attached(py, |fd| sys::socket::getsockopt(fd, level, option, &mut units))?;
    match units.first_chunk() {
        Some(number) if as_number => c_int::from_ne_bytes(*number).into_object(py),
        _ => make::bytes(py, &units[..(length / unit).min(size)]),
    }
}

/// The size that a caller has given for an option's value.
fn length_of_value(size: c_int) -> Result<usize> {
    if (1..=LONGEST_VALUE).contains(&size) {
        Ok(size.cast_unsigned() as usize)
    } else {
        Err(Error::os("getsockopt buflen out of range"))
    }
}

/// The value of an option. For `SO_ERROR` it is the deferred error, if there is one: an error after a part of the data had been sent, which
/// the next call has to report.
fn or_deferred_error(socket: &Socket, level: c_int, option: c_int, value: c_int) -> c_int {
    match socket.deferred_error() {
        Some(errno) if (level, option, value) == (libc::SOL_SOCKET, libc::SO_ERROR, 0) => {
            socket.clear_deferred_error();
            errno
        }
        _ => value,
    }
}

/// `setsockopt(level, option, value: int | buffer)`, `setsockopt(level, option, None, optlen)`.
pub fn setsockopt<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let socket = this.socket();
    match three_plain_ints(socket, arguments) {
        Some((level, option, value)) => set_value(this, level, option, &value.to_ne_bytes())?,
        None => set_parsed_option(this, arguments)?,
    }
    Ok(this.none())
}

/// Sets an option to the bytes of a value. The descriptor is read here, after the arguments were parsed, because their Python code may have
/// closed the socket.
fn set_value(this: SocketRef<'_, '_>, level: c_int, option: c_int, value: &[u8]) -> Result<()> {
    let socket = this.socket();
    socket.descriptor().attached(this.py(), |fd| sys::socket::setsockopt(fd, level, option, value))?;
    socket.exclude_attempts(attempts::excluded_by_option(level, option));
    Ok(())
}

/// Sets an option with a null pointer as its value and the given length.
fn set_null(this: SocketRef<'_, '_>, level: c_int, option: c_int, length: u32) -> Result<()> {
    let socket = this.socket();
    socket.descriptor().attached(this.py(), |fd| sys::socket::setsockopt_null(fd, level, option, length))?;
    socket.exclude_attempts(attempts::excluded_by_option(level, option));
    Ok(())
}

/// The arguments as three plain ints, as in nearly all calls; `None` for any others.
fn three_plain_ints(socket: &Socket, arguments: Arguments<'_, '_>) -> Option<(c_int, c_int, c_int)> {
    if arguments.len() != 3 || sys::socket::has_64_bit_options(socket.family()) {
        return None;
    }
    let int = |index| arguments.plain_int(index, 0);
    Some((int(0)?, int(1)?, int(2)?))
}

/// Tries the forms of the arguments one after the other. If none matches, the error of the last one is raised.
fn set_parsed_option(this: SocketRef<'_, '_>, arguments: Arguments<'_, '_>) -> Result<()> {
    const NUMBER: Format<(c_int, c_int, c_int)> = Format::new(c"iii:setsockopt");
    const LONG_NUMBER: Format<(c_int, c_int, u64)> = Format::new(c"iiK:setsockopt");
    const NONE: Format<(c_int, c_int, Instance<PyNone>, u32)> = Format::new(c"iiO!I:setsockopt");
    const BYTES: Format<(c_int, c_int, Readable)> = Format::new(c"iiy*:setsockopt");

    let tuple = arguments.tuple()?;
    if this.socket().family() == libc::AF_VSOCK {
        let (level, option, value) = LONG_NUMBER.tuple(&tuple, (0, 0, 0))?;
        return set_value(this, level, option, &value.to_ne_bytes());
    }
    if cfg!(Py_3_15) {
        return set_by_value_type(this, &tuple);
    }
    if let Ok((level, option, value)) = NUMBER.tuple(&tuple, (0, 0, 0)) {
        return set_value(this, level, option, &value.to_ne_bytes());
    }
    clear(this.py());
    if let Ok((level, option, _none, length)) = NONE.tuple(&tuple, (0, 0, None, 0)) {
        return set_null(this, level, option, length);
    }
    clear(this.py());
    let (level, option, value) = BYTES.tuple(&tuple, (0, 0, None))?;
    set_value(this, level, option, value.as_ref().map_or(&[], Buffer::bytes))
}

/// Since Python 3.15 the type of the third argument alone decides the form, and the error message names the type.
fn set_by_value_type(this: SocketRef<'_, '_>, tuple: &Bound<'_, PyTuple>) -> Result<()> {
    const FORMAT: Format<(c_int, c_int, Object, u32)> = Format::new(c"iiO|I:setsockopt");
    const NUMBER: Format<(c_int,)> = Format::new(c"i:setsockopt");
    let (level, option, value, length) = FORMAT.tuple(tuple, (0, 0, None, 0))?;
    let value = value.ok_or_else(|| Error::type_error("a value is required"))?;
    let class = || value.get_type().fully_qualified_name();
    match (tuple.len(), value.is_none()) {
        (4, true) => return set_null(this, level, option, length),
        (4, false) => {
            let text = "setsockopt() only takes 4 arguments when the third argument is None";
            return Err(Error::type_error(format_args!("{text} (got {})", class()?)));
        }
        (_, true) => {
            return Err(Error::type_error("setsockopt() requires 4 arguments when the third argument is None"));
        }
        _ => {}
    }
    // SAFETY: the thread is attached, and `value` is a valid object.
    let (is_number, has_bytes) =
        unsafe { (ffi::PyIndex_Check(value.as_ptr()) != 0, ffi::PyObject_CheckBuffer(value.as_ptr()) != 0) };
    if is_number {
        let (value,) = NUMBER.object(&value, (0,))?;
        set_value(this, level, option, &value.to_ne_bytes())
    } else if has_bytes {
        let value = Buffer::readable(&value)?;
        set_value(this, level, option, value.bytes())
    } else {
        let text = "socket option should be int, bytes-like object or None";
        Err(Error::type_error(format_args!("{text} (got {})", class()?)))
    }
}

/// `setblocking(flag)`.
pub fn setblocking<'py>(this: SocketRef<'_, 'py>, flag: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let timeout = if is_set(flag)? { Timeout::NONE } else { Timeout::ZERO };
    change_timeout(this, timeout)?;
    Ok(this.none())
}

/// The truth of a flag: of any object, or, before Python 3.12, of an integer.
fn is_set(flag: &Bound<'_, PyAny>) -> Result<bool> {
    if cfg!(Py_3_12) {
        return Ok(flag.is_truthy()?);
    }
    // SAFETY: the thread is attached, and `flag` is a valid object. The call returns -1 with an exception set for an object that is not an
    // integer or does not fit.
    let number = unsafe { ffi::PyLong_AsLong(flag.as_ptr()) };
    if number == -1 && PyErr::occurred(flag.py()) { Err(Error::Raised) } else { Ok(number != 0) }
}

/// `getblocking()`.
pub fn getblocking<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let blocking = !this.socket().timeout().is_zero();
    Ok(PyBool::new(this.py(), blocking).to_owned().into_any())
}

/// `settimeout(timeout)`.
pub fn settimeout<'py>(this: SocketRef<'_, 'py>, timeout: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let timeout = Timeout::from_python(timeout)?;
    change_timeout(this, timeout)?;
    Ok(this.none())
}

/// `gettimeout()`.
pub fn gettimeout<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    this.socket().timeout().to_python(this.py())
}

/// Sets the timeout and the descriptor's mode: non-blocking with any timeout, 0 included, and blocking without one.
pub fn change_timeout(this: SocketRef<'_, '_>, timeout: Timeout) -> Result<()> {
    let socket = this.socket();
    socket.set_timeout(timeout);
    Ok(socket.descriptor().attached(this.py(), |fd| sys::socket::set_nonblocking(fd, !timeout.is_none()))?)
}
