//! The capsule `_socket.CAPI`, through which `_ssl` learns the class of sockets.

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::error::Result;
use crate::interpreter::owned;

/// What the capsule points to.
#[repr(C)]
struct Api {
    class: *mut ffi::PyTypeObject,
    error: *mut ffi::PyObject,
    timeout_error: *mut ffi::PyObject,
}

const NAME: &CStr = c"_socket.CAPI";

static CAPSULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Makes the capsule, or gives the one that was made. Its classes live as long as the process, as the interpreter's own do.
pub fn capsule<'py>(class: &Bound<'py, PyType>) -> Result<Bound<'py, PyAny>> {
    if let Some(capsule) = CAPSULE.get(class.py()) {
        return Ok(capsule.bind(class.py()).clone());
    }
    // SAFETY: attached; both exceptions are statics of the interpreter.
    let (error, timeout_error) = unsafe { (ffi::PyExc_OSError, ffi::PyExc_TimeoutError) };
    let api = Box::new(Api { class: class.clone().into_ptr().cast(), error, timeout_error });
    // SAFETY: the pointer is not null, the structure is never freed, and the name is static.
    let capsule = unsafe {
        let capsule = ffi::PyCapsule_New(Box::into_raw(api).cast(), NAME.as_ptr(), None);
        owned(class.py(), capsule)?
    };
    let _ = CAPSULE.set(class.py(), capsule.clone().unbind());
    Ok(capsule)
}
