//! Which class is the public one, and which objects are its instances.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::pristine::{self, is_pristine};
use crate::error::{Error, Result};
use crate::interpreter::function::Receiver;
use crate::socket::lifecycle;
use crate::socket::object::SocketRef;

static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// A new instance that was not initialised.
pub fn new_instance(py: Python<'_>) -> Result<Bound<'_, PyAny>> {
    let class = class(py)?;
    // SAFETY: `class` is the class; `__new__` looks at none of its arguments.
    let object = unsafe { lifecycle::new(class.as_type_ptr(), ptr::null_mut(), ptr::null_mut()) };
    if object.is_null() {
        return Err(Error::Raised);
    }
    // SAFETY: a new reference.
    Ok(unsafe { Bound::from_owned_ptr(py, object) })
}

/// An instance of the class, or of a subclass, as methods get it.
pub fn this<'a, 'py>(object: &'a Bound<'py, PyAny>) -> Result<SocketRef<'a, 'py>> {
    if !object.is_instance(class(object.py())?.as_any())? {
        return Err(Error::type_error("a socket is required"));
    }
    // SAFETY: an instance, borrowed for 'a.
    Ok(unsafe { SocketRef::from_interpreter(object.py(), object.as_ptr()) })
}

/// Whether the object is an instance of the class, or of a subclass. What it says of itself does not count.
pub fn is_instance(object: &Bound<'_, PyAny>) -> bool {
    let is_of = |class: &Py<PyType>| {
        // SAFETY: an object and a class.
        unsafe { ffi::PyObject_TypeCheck(object.as_ptr(), class.as_ptr().cast()) != 0 }
    };
    CLASS.get(object.py()).is_some_and(is_of)
}

/// Whether a class is this one.
pub fn is_public(class: &Bound<'_, PyAny>) -> bool {
    CLASS.get(class.py()).is_some_and(|public| public.is(class))
}

/// Whether a class is this one, or derived from it.
pub fn is_public_or_derived(object: &Bound<'_, PyAny>) -> bool {
    let py = object.py();
    CLASS.get(py).is_some_and(|public| {
        object.cast::<PyType>().is_ok_and(|class| class.is_subclass(public.bind(py)).unwrap_or(false))
    })
}

/// Whether the object is of the class itself, and the class as it was made: nothing of it has been overridden.
pub fn is_exactly_public(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: an object has a type.
    let own = unsafe { ffi::Py_TYPE(object.as_ptr()) };
    let is_public = |class: &&Py<PyType>| class.as_ptr().cast() == own;
    CLASS.get(object.py()).filter(is_public).is_some_and(|class| is_pristine(class.bind(object.py())))
}

/// Remembers what the class is made of, now that all of it is there: see [`pristine`].
pub fn remember_pristine(py: Python<'_>) -> Result<()> {
    pristine::remember(class(py)?)
}

/// The class, if it was made.
pub fn made(py: Python<'_>) -> Option<&Bound<'_, PyType>> {
    Some(CLASS.get(py)?.bind(py))
}

/// Makes the class known. The first call counts.
pub fn set(class: &Bound<'_, PyType>) {
    let _first_wins = CLASS.set(class.py(), class.clone().unbind());
}

fn class(py: Python<'_>) -> Result<&Bound<'_, PyType>> {
    made(py).ok_or_else(|| Error::runtime("the class socket was not made yet"))
}
