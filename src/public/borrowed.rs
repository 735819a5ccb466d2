//! Methods that classes other than sockets may also use.
//!
//! In the standard library the methods of the public class are Python functions: `makefile = socket.socket.makefile` gives one to any class
//! that has the attributes it uses, as urllib3 does for its TLS connections. A method descriptor of a C class raises `TypeError` for
//! instances of other classes. So the methods that other classes may want are made as methods of `object`, and check their receiver
//! themselves.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::identity;
use crate::error::Result;
use crate::interpreter::class::add_methods;
use crate::interpreter::function::{Receiver, Table};
use crate::name;
use crate::socket::object::SocketRef;

/// The receiver of such a method: a socket or any other object.
#[derive(Clone, Copy)]
pub struct AnyObject<'a, 'py> {
    object: Borrowed<'a, 'py, PyAny>,
}

impl<'a, 'py> Receiver<'a, 'py> for AnyObject<'a, 'py> {
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self {
        // SAFETY: the caller promises a valid object that lives for 'a. Every object is an instance of `object`.
        AnyObject { object: unsafe { Borrowed::from_ptr(py, pointer) } }
    }
}

impl<'a, 'py> AnyObject<'a, 'py> {
    /// The attached interpreter.
    pub fn py(&self) -> Python<'py> {
        self.object.py()
    }

    /// The object.
    pub fn object(&self) -> Borrowed<'a, 'py, PyAny> {
        self.object
    }

    /// The receiver as a socket, or `None` if it is another object.
    pub fn socket(&self) -> Option<SocketRef<'a, 'py>> {
        // SAFETY: `is_instance` has checked that it is an instance of the public class or of a subclass; it is borrowed for 'a.
        identity::is_instance(&self.object)
            .then(|| unsafe { SocketRef::from_interpreter(self.py(), self.object.as_ptr()) })
    }

    /// Whether the attribute `_closed` is true.
    pub fn closed_attribute(&self) -> Result<bool> {
        Ok(self.object.getattr(name!(self.py(), "_closed")?)?.is_truthy()?)
    }

    /// The attribute `_io_refs`: how many file objects are open on it.
    pub fn io_refs(&self) -> Result<Bound<'py, PyAny>> {
        Ok(self.object.getattr(name!(self.py(), "_io_refs")?)?)
    }

    /// Sets the attribute `_io_refs`.
    pub fn set_io_refs(&self, count: Bound<'py, PyAny>) -> Result<()> {
        Ok(self.object.setattr(name!(self.py(), "_io_refs")?, count)?)
    }
}

/// Adds to `class` the methods of a table whose functions take [`AnyObject`] as receiver.
pub fn add(class: &Bound<'_, PyType>, table: &'static Table) -> Result<()> {
    // SAFETY: every object is an instance of `object`, and the functions take any.
    unsafe { add_methods(class, &raw mut ffi::PyBaseObject_Type, table) }
}
