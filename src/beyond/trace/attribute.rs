//! Attributes of objects, read without running any Python code.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::clear;
use crate::interpreter::make::Name;
use crate::interpreter::owned;

/// What an instance has under this name in its own dict. What its class has does not count: that may be a property.
pub fn own<'py>(object: &Bound<'py, PyAny>, name: &'static Name) -> Option<Bound<'py, PyAny>> {
    let py = object.py();
    let name = name.get(py).ok()?;
    // SAFETY: the object is one; the function takes null as its context. It returns an owned reference to the instance's dict, or null with an
    // exception set if it has none.
    let dict = match unsafe { owned(py, ffi::PyObject_GenericGetDict(object.as_ptr(), ptr::null_mut())) } {
        Ok(dict) => dict,
        Err(error) => {
            error.discard(py);
            return None;
        }
    };
    let found = dict.cast_exact::<PyDict>().ok()?.get_item(name).ok().flatten();
    clear(py);
    found
}
