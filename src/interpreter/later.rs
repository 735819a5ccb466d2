//! Exceptions that are raised a little later: when the main thread is back in Python code.

use std::ffi::{c_int, c_void};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::Error;

/// Raises an error in the main thread, when that runs Python code again: as the interpreter does with what the handler of a signal raises.
pub fn raise(py: Python<'_>, error: Error) {
    let exception = error.into_pyerr(py).into_value(py).into_ptr();
    // SAFETY: the function takes the reference over that it is called with, once. Without room for it, it is given back here.
    unsafe {
        if ffi::Py_AddPendingCall(Some(raise_now), exception.cast()) < 0 {
            PyErr::from_value(Bound::from_owned_ptr(py, exception)).write_unraisable(py, None);
        }
    }
}

extern "C" fn raise_now(exception: *mut c_void) -> c_int {
    // SAFETY: the interpreter calls this with the thread attached, and with what it was given: an owned reference to an exception.
    unsafe {
        let py = Python::assume_attached();
        PyErr::from_value(Bound::from_owned_ptr(py, exception.cast())).restore(py);
    }
    -1
}
