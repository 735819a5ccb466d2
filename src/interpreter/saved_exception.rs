//! The interpreter's current exception, put aside while other code runs.

#[cfg(not(Py_3_12))]
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

/// The interpreter's current exception, saved until this is dropped. It then replaces an exception that was set meanwhile.
pub struct SavedException<'py> {
    #[cfg(Py_3_12)]
    exception: *mut ffi::PyObject,
    #[cfg(not(Py_3_12))]
    exception: [*mut ffi::PyObject; 3],
    attached: Python<'py>,
}

impl<'py> SavedException<'py> {
    #[cfg(Py_3_12)]
    /// Takes the exception; there may be none.
    pub fn take(py: Python<'py>) -> Self {
        // SAFETY: the thread is attached, because `py` exists. The call returns an owned reference or null.
        SavedException { exception: unsafe { ffi::PyErr_GetRaisedException() }, attached: py }
    }

    #[cfg(not(Py_3_12))]
    /// Takes the exception; there may be none.
    pub fn take(py: Python<'py>) -> Self {
        let mut exception = [ptr::null_mut(); 3];
        let [class, value, traceback] = &mut exception;
        // SAFETY: the thread is attached, because `py` exists. The call writes owned references or null.
        unsafe { ffi::PyErr_Fetch(class, value, traceback) };
        SavedException { exception, attached: py }
    }

    /// The exception itself; `None` if there is none.
    #[cfg(Py_3_12)]
    pub fn value(&mut self) -> Option<Bound<'py, PyAny>> {
        // SAFETY: the pointer is null, or the owned reference of this struct.
        unsafe { Bound::from_borrowed_ptr_or_opt(self.attached, self.exception) }
    }

    /// The exception itself; `None` if there is none.
    #[cfg(not(Py_3_12))]
    pub fn value(&mut self) -> Option<Bound<'py, PyAny>> {
        let [class, value, traceback] = &mut self.exception;
        // SAFETY: the pointers are owned references, or null. The call makes an instance of the exception, if it was not made yet, and
        // replaces them. It may be called without an exception.
        unsafe {
            ffi::PyErr_NormalizeException(class, value, traceback);
            Bound::from_borrowed_ptr_or_opt(self.attached, *value)
        }
    }
}

impl Drop for SavedException<'_> {
    fn drop(&mut self) {
        // SAFETY: the thread is attached, because `attached` exists. The call takes over the owned references, or null, which are given
        // back once.
        unsafe {
            #[cfg(Py_3_12)]
            ffi::PyErr_SetRaisedException(self.exception);
            #[cfg(not(Py_3_12))]
            {
                let [class, value, traceback] = self.exception;
                ffi::PyErr_Restore(class, value, traceback);
            }
        }
    }
}
