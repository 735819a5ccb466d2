//! Timeouts: seconds or `None` in Python; nanoseconds in the socket, where a negative number stands for `None`.

use std::sync::atomic::{AtomicI64, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::{Error, Exception, Result, is_raised};
use crate::interpreter::make::IntoObject;

/// A socket's timeout in nanoseconds, as `_ssl` reads it from the socket. Negative: calls block. 0: calls do not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout(i64);

const NANOSECONDS: f64 = 1e9;

impl Timeout {
    /// No timeout: calls block.
    pub const NONE: Timeout = Timeout(-1_000_000_000);
    /// A timeout of 0: calls do not wait.
    pub const ZERO: Timeout = Timeout(0);

    /// The timeout of this number of nanoseconds; negative for none.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Timeout(nanoseconds)
    }

    /// The number of nanoseconds; negative for none.
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Whether calls block without a limit.
    pub const fn is_none(self) -> bool {
        self.0 < 0
    }

    /// Whether calls do not wait at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether calls wait for a limited time.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Parses `None`, or a non-negative number of seconds. Rounds up, as CPython does, so that no positive timeout becomes 0.
    pub fn from_python(value: &Bound<'_, PyAny>) -> Result<Self> {
        if value.is_none() {
            return Ok(Timeout::NONE);
        }
        let nanoseconds = nanoseconds(value)?;
        if nanoseconds < 0 {
            return Err(Error::value("Timeout value out of range"));
        }
        Ok(Timeout(nanoseconds))
    }

    /// `None`, or the seconds as a float.
    pub fn to_python(self, py: Python<'_>) -> Result<Bound<'_, PyAny>> {
        if self.is_none() {
            return Ok(py.None().into_bound(py));
        }
        (self.0 as f64 / NANOSECONDS).into_object(py)
    }
}

/// Converts a number of seconds to nanoseconds. CPython's versions differ in which objects they accept, and in the text of the error for
/// any other object.
fn nanoseconds(seconds: &Bound<'_, PyAny>) -> Result<i64> {
    // SAFETY: the thread is attached, and `seconds` is a valid object, both because it is `Bound`.
    let (is_float, is_index) =
        unsafe { (ffi::PyFloat_Check(seconds.as_ptr()) != 0, ffi::PyIndex_Check(seconds.as_ptr()) != 0) };
    if is_float || (cfg!(Py_3_15) && !is_index) {
        from_float(seconds)
    } else if cfg!(Py_3_14) && !is_index {
        Err(not_a_number(seconds))
    } else {
        from_int(seconds)
    }
}

fn not_a_number(seconds: &Bound<'_, PyAny>) -> Error {
    match seconds.get_type().fully_qualified_name() {
        Ok(name) => Error::type_error(format_args!("'{name}' object cannot be interpreted as an integer or float")),
        Err(error) => error.into(),
    }
}

#[expect(clippy::float_cmp, reason = "exactly -1.0 is how the C function reports failure")]
fn from_float(value: &Bound<'_, PyAny>) -> Result<i64> {
    // SAFETY: the thread is attached, and `value` is a valid object, both because it is `Bound`. For an object that is not a real number
    // the function raises an exception, which is checked below.
    let seconds = unsafe { ffi::PyFloat_AsDouble(value.as_ptr()) };
    if seconds == -1.0 && PyErr::occurred(value.py()) {
        return Err(Error::Raised);
    }
    if seconds.is_nan() {
        return Err(Error::value("Invalid value NaN (not a number)"));
    }
    let exact = seconds * NANOSECONDS;
    let nanoseconds = if exact >= 0.0 { exact.ceil() } else { exact.floor() };
    let bound = -(i64::MIN as f64);
    if !(-bound..bound).contains(&nanoseconds) {
        if cfg!(not(Py_3_12)) && value.py().version_info() < (3, 11, 3) {
            return Err(too_large());
        }
        let what = if cfg!(Py_3_14) { "C PyTime_t" } else { "platform time_t" };
        return Err(Error::overflow(format_args!("timestamp out of range for {what}")));
    }
    Ok(nanoseconds as i64)
}

fn from_int(value: &Bound<'_, PyAny>) -> Result<i64> {
    // SAFETY: the thread is attached, and `value` is a valid object, both because it is `Bound`. For an object that is not an int, or does
    // not fit, the function raises an exception, which is checked below.
    let seconds = unsafe { ffi::PyLong_AsLongLong(value.as_ptr()) };
    if seconds == -1 && PyErr::occurred(value.py()) {
        return Err(conversion_error(value));
    }
    seconds.checked_mul(1_000_000_000).ok_or_else(too_large)
}

/// The error for an object that could not be converted to an int, with CPython's text instead of the current exception's.
fn conversion_error(value: &Bound<'_, PyAny>) -> Error {
    let py = value.py();
    if is_raised(py, Exception::Overflow) {
        Error::Raised.discard(py);
        return too_large();
    }
    // Only 3.14 replaces a `TypeError` that `__index__` itself raised.
    if cfg!(all(Py_3_14, not(Py_3_15))) && is_raised(py, Exception::Type) {
        Error::Raised.discard(py);
        return not_a_number(value);
    }
    Error::Raised
}

fn too_large() -> Error {
    Error::overflow(match () {
        () if cfg!(Py_3_14) => "timestamp out of range for C PyTime_t",
        () if cfg!(Py_3_13) => "timestamp too large to convert to C PyTime_t",
        () => "timestamp too large to convert to C _PyTime_t",
    })
}

/// The default timeout, which new sockets get, in nanoseconds.
static DEFAULT: AtomicI64 = AtomicI64::new(Timeout::NONE.nanoseconds());

/// The timeout that new sockets get: `socket.getdefaulttimeout()`.
pub fn default() -> Timeout {
    Timeout(DEFAULT.load(Ordering::Relaxed))
}

/// Sets the timeout that new sockets get: `socket.setdefaulttimeout()`.
pub fn set_default(timeout: Timeout) {
    DEFAULT.store(timeout.nanoseconds(), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_not_none() {
        assert!(Timeout::ZERO.is_zero() && !Timeout::ZERO.is_none());
        assert!(Timeout::NONE.is_none() && !Timeout::NONE.is_zero());
    }
}
