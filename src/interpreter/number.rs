//! Python's numbers as C's: one function for each way in which socketmodule.c converts one, and refuses what does not fit.

use std::ffi::{c_int, c_long, c_ulong};
use std::os::fd::RawFd;

use pyo3::ffi;
use pyo3::prelude::*;

use super::make::IntoObject;
use super::owned;
use crate::error::{Error, Result};

/// The value of an `int`, or of an instance of a subclass such as a flag, that fits; runs no Python code.
#[inline]
pub fn plain_long(value: &Bound<'_, PyAny>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: `value` is an object; the function is only called on an int, for which it cannot fail but by overflow.
    unsafe {
        if ffi::PyLong_Check(value.as_ptr()) == 0 {
            return None;
        }
        let long = ffi::PyLong_AsLongLongAndOverflow(value.as_ptr(), &raw mut overflow);
        (overflow == 0).then_some(long)
    }
}

/// A C `int`, converted as Argument Clinic does: an `__index__` counts, and what does not fit is an `OverflowError`.
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

/// A number, refused as Argument Clinic refuses what does not fit its fixed-size integers.
pub fn unsigned<T: TryFrom<i64>>(number: &Bound<'_, PyAny>, c_type: &str) -> Result<T> {
    let number = index(number)?;
    match plain_long(&number).and_then(|number| T::try_from(number).ok()) {
        Some(number) => Ok(number),
        None if number.lt(0_i32.into_object(number.py())?)? => Err(Error::value("Cannot convert negative int")),
        None => Err(Error::overflow(format_args!("Python int too large for C {c_type}"))),
    }
}

/// A number, refused as `PyLong_AsUnsignedLong` refuses it.
pub fn unsigned_long(number: &Bound<'_, PyAny>) -> Result<c_ulong> {
    // SAFETY: `number` is an object; anything but an int that fits is refused with an exception.
    let value = unsafe { ffi::PyLong_AsUnsignedLong(number.as_ptr()) };
    if value == c_ulong::MAX && PyErr::occurred(number.py()) { Err(Error::Raised) } else { Ok(value) }
}

/// What `operator.index` makes of an object.
pub fn index<'py>(number: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
    // SAFETY: `number` is an object; the answer is a new one, or null with an exception.

    unsafe { owned(number.py(), ffi::PyNumber_Index(number.as_ptr())) }
}

/// A C `long`, refused as `PyLong_AsLong` refuses it.
pub fn long(number: &Bound<'_, PyAny>) -> Result<c_long> {
    // SAFETY: `number` is an object; anything that is no int, has no index or does not fit is refused with an exception.
    let value = unsafe { ffi::PyLong_AsLong(number.as_ptr()) };
    if value == -1 && PyErr::occurred(number.py()) { Err(Error::Raised) } else { Ok(value) }
}

/// The number of a descriptor; `None` where it fits a C `long` and no `int`. CPython cuts such a number, and a cut one would name another
/// file.
pub fn descriptor(number: &Bound<'_, PyAny>) -> Result<Option<RawFd>> {
    let long = match plain_long(number) {
        Some(number) => number,
        None => long(number)?,
    };
    Ok(RawFd::try_from(long).ok())
}

/// The number of a descriptor, as `socket(fileno=…)` takes it: one that fits no `int` is an `OverflowError`.
pub fn fileno(number: &Bound<'_, PyAny>) -> Result<RawFd> {
    descriptor(number)?.ok_or_else(|| Error::overflow("Python int too large to convert to C int"))
}
