//! Identifies the public class and its instances.

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

/// Makes a new instance without calling `__init__`.
pub fn new_instance(py: Python<'_>) -> Result<Bound<'_, PyAny>> {
    let class = class(py)?;
    // SAFETY: the thread is attached, because `py` exists. `class` is the public class, and `new` ignores its other arguments.
    let object = unsafe { lifecycle::new(class.as_type_ptr(), ptr::null_mut(), ptr::null_mut()) };
    if object.is_null() {
        return Err(Error::Raised);
    }
    // SAFETY: `new` returned a new reference, which is not null.
    Ok(unsafe { Bound::from_owned_ptr(py, object) })
}

/// Borrows an instance of the class or of a subclass as methods get it. `TypeError` for any other object.
pub fn this<'a, 'py>(object: &'a Bound<'py, PyAny>) -> Result<SocketRef<'a, 'py>> {
    if !object.is_instance(class(object.py())?.as_any())? {
        return Err(Error::type_error("a socket is required"));
    }
    // SAFETY: the check above has shown that it is an instance; it is borrowed for 'a.
    Ok(unsafe { SocketRef::from_interpreter(object.py(), object.as_ptr()) })
}

/// Whether the object is an instance of the class or of a subclass, by its real type: an overridden `__class__` does not count.
pub fn is_instance(object: &Bound<'_, PyAny>) -> bool {
    let is_of = |class: &Py<PyType>| {
        // SAFETY: the thread is attached; both are valid, and the second is a class.
        unsafe { ffi::PyObject_TypeCheck(object.as_ptr(), class.as_ptr().cast()) != 0 }
    };
    CLASS.get(object.py()).is_some_and(is_of)
}

/// Whether the object is the public class.
pub fn is_public(class: &Bound<'_, PyAny>) -> bool {
    CLASS.get(class.py()).is_some_and(|public| public.is(class))
}

/// Whether the object is the public class or a subclass.
pub fn is_public_or_subclass(object: &Bound<'_, PyAny>) -> bool {
    let py = object.py();
    CLASS.get(py).is_some_and(|public| {
        object.cast::<PyType>().is_ok_and(|class| class.is_subclass(public.bind(py)).unwrap_or(false))
    })
}

/// Whether the object is of exactly this class, and the class is unchanged: neither a subclass nor a program has overridden a method.
pub fn is_exactly_public(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the object is valid and borrowed; every object has a type.
    let own = unsafe { ffi::Py_TYPE(object.as_ptr()) };
    let is_public = |class: &&Py<PyType>| class.as_ptr().cast() == own;
    CLASS.get(object.py()).filter(is_public).is_some_and(|class| is_pristine(class.bind(object.py())))
}

/// Records the attributes of the class, once all have been set: see [`pristine`].
pub fn remember_pristine(py: Python<'_>) -> Result<()> {
    pristine::remember(class(py)?)
}

/// The class, if it was made already.
pub fn created(py: Python<'_>) -> Option<&Bound<'_, PyType>> {
    Some(CLASS.get(py)?.bind(py))
}

/// Sets the class. Only the first call has an effect.
pub fn set(class: &Bound<'_, PyType>) {
    let _first_wins = CLASS.set(class.py(), class.clone().unbind());
}

fn class(py: Python<'_>) -> Result<&Bound<'_, PyType>> {
    created(py).ok_or_else(|| Error::runtime("the class socket was not made yet"))
}
