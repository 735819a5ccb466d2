//! The capsule `_socket.CAPI`, from which `_ssl` takes the class of sockets.

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::error::Result;
use crate::interpreter::owned;

/// The structure that the capsule points to: `PySocketModule_APIObject` of CPython's socketmodule.h.
#[repr(C)]
struct Api {
    class: *mut ffi::PyTypeObject,
    error: *mut ffi::PyObject,
    timeout_error: *mut ffi::PyObject,
}

const NAME: &CStr = c"_socket.CAPI";

static CAPSULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Makes the capsule, or returns the one made before. Its classes live as long as the process, as the interpreter's own do.
pub fn capsule<'py>(class: &Bound<'py, PyType>) -> Result<Bound<'py, PyAny>> {
    if let Some(capsule) = CAPSULE.get(class.py()) {
        return Ok(capsule.bind(class.py()).clone());
    }
    // SAFETY: the interpreter has initialised both statics, because `class` exists. They are borrowed references that stay valid.
    let (error, timeout_error) = unsafe { (ffi::PyExc_OSError, ffi::PyExc_TimeoutError) };
    let api = Box::new(Api { class: class.clone().into_ptr().cast(), error, timeout_error });
    // SAFETY: the thread is attached, because `class` is bound. The pointer is not null, the structure is never freed, and the name is
    // static. The returned reference is new, or null with an exception set.
    let capsule = unsafe {
        let capsule = ffi::PyCapsule_New(Box::into_raw(api).cast(), NAME.as_ptr(), None);
        owned(class.py(), capsule)?
    };
    let _ = CAPSULE.set(class.py(), capsule.clone().unbind());
    Ok(capsule)
}
