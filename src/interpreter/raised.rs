//! Exceptions on their way to Python: what is added to one after it was raised.

use pyo3::ffi;
use pyo3::prelude::*;

use super::make::{IntoObject, Name};
use crate::error::{Error, Result};

/// The error with an attribute set on its exception: in the instance only, so that the exception's text and arguments stay as they are.
///
/// If the attribute cannot be set (the exception's class has no room for it, or there is no memory), the error stays without it: the error
/// itself is the more important message.
#[cold]
pub fn with_attribute<'py>(py: Python<'py>, error: Error, name: &'static Name, value: impl IntoObject<'py>) -> Error {
    // The exception is taken out of the interpreter first: no object may be made while one is set.
    let exception = error.into_pyerr(py);
    let set = value.into_object(py).and_then(|value| set_attribute(exception.value(py), name, &value));
    if let Err(refused) = set {
        refused.discard(py);
    }
    exception.into()
}

/// Sets an attribute as `object.__setattr__` does, whatever the class of the exception has instead: that may be code of a program, in
/// the middle of an error that is not its own.
pub fn set_attribute(exception: &Bound<'_, impl Sized>, name: &'static Name, value: &Bound<'_, PyAny>) -> Result<()> {
    let name = name.get(value.py())?;
    // SAFETY: the thread is attached, because `value` exists; all three are objects, borrowed for the call.
    let refused = unsafe { ffi::PyObject_GenericSetAttr(exception.as_ptr(), name.as_ptr(), value.as_ptr()) };
    if refused < 0 { Err(Error::Raised) } else { Ok(()) }
}
