//! Raising: how an error becomes the interpreter's current exception.
//!
//! These functions call the interpreter directly. The functions of `interpreter` return an `Error` when they fail, so they cannot be used
//! to raise one.

use std::ffi::{CStr, c_int};

use pyo3::ffi;
use pyo3::prelude::*;

use super::exception::Exception;
use crate::sys;

/// Clears the interpreter's current exception.
pub fn clear(_py: Python<'_>) {
    // SAFETY: the thread is attached, because `_py` exists.
    unsafe { ffi::PyErr_Clear() }
}

/// Whether the interpreter's current exception is of this class. It stays current.
pub fn is_raised(_py: Python<'_>, class: Exception) -> bool {
    // SAFETY: the thread is attached, because `_py` exists. `object` returns a valid exception class.
    unsafe { !ffi::PyErr_Occurred().is_null() && ffi::PyErr_ExceptionMatches(class.object()) != 0 }
}

/// Raises `class(text)`.
pub fn text(_py: Python<'_>, class: Exception, text: &str) {
    // SAFETY: the thread is attached, because `_py` exists. The bytes are passed with their length. A null pointer means that the
    // interpreter raised a `MemoryError` instead. Otherwise the string is an owned reference, and the exception takes a reference of its
    // own.
    unsafe {
        let text = ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast(), text.len().cast_signed());
        if !text.is_null() {
            ffi::PyErr_SetObject(class.object(), text);
            ffi::Py_DECREF(text);
        }
    }
}

/// Raises `class((code, text))`, the form of `gaierror` and `herror`.
pub fn coded(class: &Bound<'_, PyAny>, code: c_int, text: &CStr) {
    // SAFETY: the thread is attached, because `class` is `Bound`. The format names an int and a string that ends with NUL, which follow. A
    // null pointer means that the interpreter raised another exception; otherwise the tuple is an owned reference.
    unsafe {
        let arguments = ffi::Py_BuildValue(c"(is)".as_ptr(), code, text.as_ptr());
        if !arguments.is_null() {
            ffi::PyErr_SetObject(class.as_ptr(), arguments);
            ffi::Py_DECREF(arguments);
        }
    }
}

/// Raises `OSError(errno, strerror)`. The interpreter selects the subclass for the errno.
pub fn errno(_py: Python<'_>, errno: c_int) {
    sys::set_errno(errno);
    // SAFETY: the thread is attached, because `_py` exists. The class is a static of the interpreter.
    unsafe { ffi::PyErr_SetFromErrno(ffi::PyExc_OSError) };
}

/// Raises `MemoryError`, for which the interpreter keeps memory in reserve.
pub fn no_memory(_py: Python<'_>) {
    // SAFETY: the thread is attached, because `_py` exists.
    unsafe { ffi::PyErr_NoMemory() };
}

/// Releases the references that PyO3 has deferred.
///
/// PyO3 releases a `Py` at once only in a thread that PyO3 itself attached. A `Py` that is dropped in a call from the interpreter (each
/// `PyErr` holds one) is released when PyO3 next attaches a thread. In a program whose calls all fail, or never wait, that would be never.
#[cold]
pub fn release_deferred() {
    let _ = Python::try_attach(|_| ());
}
