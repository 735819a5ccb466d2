//! Timeouts: `float | None` in Python; nanoseconds in the socket, where a negative number stands for none.

use std::sync::atomic::{AtomicI64, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::{Error, Exception, Result, is_raised};
use crate::interpreter::make::IntoObject;

/// A socket's timeout in nanoseconds, as `_ssl` reads it from the socket: negative blocks, 0 does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout(i64);

const NANOSECONDS: f64 = 1e9;

impl Timeout {
    /// No timeout: calls block.
    pub const NONE: Timeout = Timeout(-1_000_000_000);
    /// A timeout of 0: calls do not wait.
    pub const ZERO: Timeout = Timeout(0);

    /// The timeout that this number of nanoseconds stands for.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Timeout(nanoseconds)
    }

    /// The number of nanoseconds, negative for none.
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Whether calls block without end.
    pub const fn is_none(self) -> bool {
        self.0 < 0
    }

    /// Whether calls do not wait at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether calls wait, and not without end.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Parses `None` or a number of seconds that is not negative. Rounds up, as CPython does, so that no positive timeout becomes 0.
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

/// A number of seconds in nanoseconds. What counts as a number, and the words for what does not, changed from version to version.
fn nanoseconds(seconds: &Bound<'_, PyAny>) -> Result<i64> {
    // SAFETY: `seconds` is an object.
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

fn from_float(value: &Bound<'_, PyAny>) -> Result<i64> {
    // SAFETY: `value` is an object; what is no real number leaves an exception.
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
        let what = if cfg!(Py_3_14) { "C PyTime_t" } else { "platform time_t" };
        return Err(Error::overflow(format_args!("timestamp out of range for {what}")));
    }
    Ok(nanoseconds as i64)
}

fn from_int(value: &Bound<'_, PyAny>) -> Result<i64> {
    // SAFETY: `value` is an object; anything but an int that fits is refused with an exception.
    let seconds = unsafe { ffi::PyLong_AsLongLong(value.as_ptr()) };
    if seconds == -1 && PyErr::occurred(value.py()) {
        return Err(refusal(value));
    }
    seconds.checked_mul(1_000_000_000).ok_or_else(too_large)
}

/// What to say of an int that was refused, in place of what was said.
fn refusal(value: &Bound<'_, PyAny>) -> Error {
    let py = value.py();
    if is_raised(py, Exception::Overflow) {
        Error::Raised.discard(py);
        return too_large();
    }
    // 3.14 alone hides what an `__index__` says of itself.
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

/// The timeout of new sockets.
static DEFAULT: AtomicI64 = AtomicI64::new(Timeout::NONE.nanoseconds());

/// The timeout of new sockets.
pub fn default() -> Timeout {
    Timeout(DEFAULT.load(Ordering::Relaxed))
}

/// Sets the timeout of new sockets.
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
