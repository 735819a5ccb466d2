//! From Python's numbers to C's: one function for each way in which socketmodule.c converts a number and refuses one that does not fit.

use std::ffi::{c_int, c_long, c_ulong};
use std::os::fd::RawFd;

use pyo3::ffi;
use pyo3::prelude::*;

use super::make::IntoObject;
use super::owned;
use crate::error::{Error, Result};

/// The value of an `int`, or of an instance of a subclass such as `IntFlag`; `None` if it does not fit. Runs no Python code.
#[inline]
pub fn plain_long(value: &Bound<'_, PyAny>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: `value` is an object. The conversion is called for an int only, for which overflow is the only failure; that sets no
    // exception.
    unsafe {
        if ffi::PyLong_Check(value.as_ptr()) == 0 {
            return None;
        }
        let long = ffi::PyLong_AsLongLongAndOverflow(value.as_ptr(), &raw mut overflow);
        (overflow == 0).then_some(long)
    }
}

/// A C `int`, converted as Argument Clinic does: it accepts an `__index__`, and raises `OverflowError` for a value that does not fit.
pub fn as_int(value: &Bound<'_, PyAny>) -> Result<c_int> {
    let mut overflow = 0;
    // SAFETY: `value` is an object.
    let long = unsafe { ffi::PyLong_AsLongAndOverflow(value.as_ptr(), &raw mut overflow) };
    if long == -1 && overflow == 0 && PyErr::occurred(value.py()) {
        return Err(Error::Raised);
    }
    match c_int::try_from(long) {
        Ok(int) if overflow == 0 => Ok(int),
        _ => Err(Error::overflow("Python int too large to convert to C int")),
    }
}

/// An unsigned number, with the errors of Argument Clinic's fixed-size integers for a value that does not fit.
pub fn unsigned<T: TryFrom<i64>>(number: &Bound<'_, PyAny>, c_type: &str) -> Result<T> {
    let number = index(number)?;
    match plain_long(&number).and_then(|number| T::try_from(number).ok()) {
        Some(number) => Ok(number),
        None if number.lt(0_i32.into_object(number.py())?)? => Err(Error::value("Cannot convert negative int")),
        None => Err(Error::overflow(format_args!("Python int too large for C {c_type}"))),
    }
}

/// A C `unsigned long`, with the errors of `PyLong_AsUnsignedLong`.
pub fn unsigned_long(number: &Bound<'_, PyAny>) -> Result<c_ulong> {
    // SAFETY: `number` is an object; the call raises for any object but an int that fits.
    let value = unsafe { ffi::PyLong_AsUnsignedLong(number.as_ptr()) };
    if value == c_ulong::MAX && PyErr::occurred(number.py()) { Err(Error::Raised) } else { Ok(value) }
}

/// The result of `operator.index`.
pub fn index<'py>(number: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
    // SAFETY: `number` is an object; the call returns an owned reference, or null with an exception set.
    unsafe { owned(number.py(), ffi::PyNumber_Index(number.as_ptr())) }
}

/// A C `long`, with the errors of `PyLong_AsLong`.
pub fn long(number: &Bound<'_, PyAny>) -> Result<c_long> {
    // SAFETY: `number` is an object; the call raises for an object that has no `__index__`, and for a value that does not fit.
    let value = unsafe { ffi::PyLong_AsLong(number.as_ptr()) };
    if value == -1 && PyErr::occurred(number.py()) { Err(Error::Raised) } else { Ok(value) }
}

/// A file descriptor; `None` for a number that fits a C `long` but no `int`. CPython truncates such a number, which then names another
/// file.
pub fn descriptor(number: &Bound<'_, PyAny>) -> Result<Option<RawFd>> {
    // What fits an `int` fits a `long`, whose size varies.
    match plain_long(number).and_then(|number| RawFd::try_from(number).ok()) {
        Some(number) => Ok(Some(number)),
        None => Ok(RawFd::try_from(long(number)?).ok()),
    }
}

/// A file descriptor, as `socket(fileno=…)` takes it: `OverflowError` for a number that does not fit an `int`.
pub fn fileno(number: &Bound<'_, PyAny>) -> Result<RawFd> {
    descriptor(number)?.ok_or_else(|| Error::overflow("Python int too large to convert to C int"))
}
