//! How long a thread waits for the GIL before it asks the thread that has it to give it away.

use std::time::Duration;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error;

/// `sys.getswitchinterval()`.
pub fn switch_interval(py: Python<'_>) -> Duration {
    // SAFETY: the thread is attached, because `py` exists. `function` is a borrowed reference or null. `result` is a new reference, or null
    // with an exception, which is cleared below.
    let seconds = unsafe {
        let function = ffi::PySys_GetObject(c"getswitchinterval".as_ptr());
        let result = if function.is_null() { function } else { ffi::PyObject_CallNoArgs(function) };
        let seconds = if result.is_null() { -1.0 } else { ffi::PyFloat_AsDouble(result) };
        ffi::Py_XDECREF(result);
        error::clear(py);
        seconds
    };
    // The interpreter's default, if the program has replaced the function by one that fails.
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_millis(5))
}
