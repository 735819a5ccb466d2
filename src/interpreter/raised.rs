//! The exception that the interpreter holds, looked at where it is.
//!
//! PyO3 takes it out to show it, as a `PyErr`. Dropped in a call from the interpreter, that gives its references back late (see
//! [`settle`](crate::error::settle)), and to take out what a panic has become means to go on with the panic.

use pyo3::PyTypeInfo;
use pyo3::ffi;
use pyo3::prelude::*;

/// Whether the exception that is set is of a class. One must be set.
pub fn is<E: PyTypeInfo>(py: Python<'_>) -> bool {
    // SAFETY: attached, as `py` shows; a class.
    unsafe { ffi::PyErr_ExceptionMatches(E::type_object_raw(py).cast()) != 0 }
}

/// Takes the exception, where one is set: the object.
#[cfg(Py_3_12)]
pub fn take(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    // SAFETY: attached, as `py` shows; null, or a reference that is ours.
    unsafe { Bound::from_owned_ptr_or_opt(py, ffi::PyErr_GetRaisedException()) }
}

/// Takes the exception, where one is set: the object, which may have to be made.
#[cfg(not(Py_3_12))]
pub fn take(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let [mut class, mut value, mut traceback] = fetch(py);
    // SAFETY: attached, as `py` shows; each is null, or a reference that is ours, before and after.
    unsafe {
        ffi::PyErr_NormalizeException(&raw mut class, &raw mut value, &raw mut traceback);
        drop(Bound::from_owned_ptr_or_opt(py, class));
        let traceback = Bound::from_owned_ptr_or_opt(py, traceback);
        let value = Bound::from_owned_ptr_or_opt(py, value)?;
        if let Some(traceback) = traceback {
            ffi::PyException_SetTraceback(value.as_ptr(), traceback.as_ptr());
        }
        Some(value)
    }
}

#[cfg(not(Py_3_12))]
fn fetch(_py: Python<'_>) -> [*mut ffi::PyObject; 3] {
    let mut parts = [std::ptr::null_mut(); 3];
    let [class, value, traceback] = &mut parts;
    // SAFETY: attached, as `_py` shows; each becomes null or a reference that is ours.
    unsafe { ffi::PyErr_Fetch(class, value, traceback) };
    parts
}

/// The exception that may be on its way, put aside for as long as other code runs.
pub struct Aside {
    #[cfg(Py_3_12)]
    exception: *mut ffi::PyObject,
    #[cfg(not(Py_3_12))]
    parts: [*mut ffi::PyObject; 3],
}

#[cfg(Py_3_12)]
impl Aside {
    /// Puts it aside, if there is one.
    pub fn put(_py: Python<'_>) -> Self {
        // SAFETY: attached, as `_py` shows; null, or a reference that is ours.
        Aside { exception: unsafe { ffi::PyErr_GetRaisedException() } }
    }

    /// Puts it back.
    pub fn restore(self, _py: Python<'_>) {
        // SAFETY: attached; it takes the reference, which may be null.
        unsafe { ffi::PyErr_SetRaisedException(self.exception) }
    }
}

#[cfg(not(Py_3_12))]
impl Aside {
    /// Puts it aside, if there is one.
    pub fn put(py: Python<'_>) -> Self {
        Aside { parts: fetch(py) }
    }

    /// Puts it back.
    pub fn restore(self, _py: Python<'_>) {
        let [class, value, traceback] = self.parts;
        // SAFETY: attached; it takes the references, each of which may be null.
        unsafe { ffi::PyErr_Restore(class, value, traceback) }
    }
}
