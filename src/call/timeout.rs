//! Timeouts: seconds or `None` in Python; nanoseconds in the socket, where a negative number stands for `None`.

#[cfg(target_arch = "x86")]
use std::sync::atomic::AtomicU32;
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
    #[cfg(test)]
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

/// The timeout of a socket, which any thread can read and write. It is laid out as a C `int64_t`, because `_ssl` reads it.
#[repr(transparent)]
#[derive(Debug)]
pub struct TimeoutField(Nanoseconds);

#[cfg(not(target_arch = "x86"))]
type Nanoseconds = AtomicI64;

/// Its low half and its high half: there an `int64_t` is aligned to 4 bytes, and an `AtomicI64` to 8. The halves are read and written one
/// after the other, as C does; without the GIL, two threads that set different timeouts at once could leave a third one.
#[cfg(target_arch = "x86")]
type Nanoseconds = [AtomicU32; 2];

#[cfg(not(target_arch = "x86"))]
impl TimeoutField {
    /// A field with this value.
    pub const fn new(timeout: Timeout) -> Self {
        TimeoutField(AtomicI64::new(timeout.0))
    }

    /// The value.
    #[inline]
    pub fn get(&self) -> Timeout {
        Timeout(self.0.load(Ordering::Relaxed))
    }

    /// Sets the value.
    #[inline]
    pub fn set(&self, timeout: Timeout) {
        self.0.store(timeout.0, Ordering::Relaxed);
    }
}

#[cfg(target_arch = "x86")]
impl TimeoutField {
    /// A field with this value.
    pub const fn new(timeout: Timeout) -> Self {
        let [low, high] = halves(timeout.0);
        TimeoutField([AtomicU32::new(low), AtomicU32::new(high)])
    }

    /// The value.
    #[inline]
    pub fn get(&self) -> Timeout {
        let [low, high] = &self.0;
        let (low, high) = (low.load(Ordering::Relaxed), high.load(Ordering::Relaxed));
        Timeout((u64::from(high) << 32 | u64::from(low)).cast_signed())
    }

    /// Sets the value.
    #[inline]
    pub fn set(&self, timeout: Timeout) {
        for (field, half) in self.0.iter().zip(halves(timeout.0)) {
            field.store(half, Ordering::Relaxed);
        }
    }
}

#[cfg(target_arch = "x86")]
const fn halves(value: i64) -> [u32; 2] {
    let value = value.cast_unsigned();
    [value as u32, (value >> 32) as u32]
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

    #[test]
    fn a_field_keeps_every_bit() {
        let field = TimeoutField::new(Timeout::NONE);
        assert_eq!(field.get(), Timeout::NONE);
        for nanoseconds in [0, 1, -1, 0x0123_4567_89AB_CDEF, i64::MIN, i64::MAX] {
            field.set(Timeout(nanoseconds));
            assert_eq!(field.get(), Timeout(nanoseconds));
        }
    }
}
