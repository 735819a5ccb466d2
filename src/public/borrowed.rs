//! Methods that a class which is no socket has taken for itself.
//!
//! In the standard library the methods of the public class are functions in Python: `makefile = socket.socket.makefile` gives them to any
//! class that has the attributes they use, as urllib3 does it for its TLS connections. A method of a class in C is refused to instances of
//! other classes. So those that a class may want are made as methods of `object`, and ask themselves what they are called on.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::identity;
use crate::error::Result;
use crate::interpreter::function::{Receiver, Table};
use crate::interpreter::{make, owned};
use crate::name;
use crate::socket::object::SocketRef;

/// What such a method is called on: a socket, or anything else.
#[derive(Clone, Copy)]
pub struct AnyObject<'a, 'py> {
    object: Borrowed<'a, 'py, PyAny>,
}

impl<'a, 'py> Receiver<'a, 'py> for AnyObject<'a, 'py> {
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self {
        // SAFETY: as the caller promises; every object is one of `object`.
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

    /// The socket, if it is one.
    pub fn socket(&self) -> Option<SocketRef<'a, 'py>> {
        // SAFETY: an instance of the public class or of a subclass, as is checked, borrowed for 'a.
        identity::is_instance(&self.object)
            .then(|| unsafe { SocketRef::from_interpreter(self.py(), self.object.as_ptr()) })
    }

    /// Whether it was closed, as it says itself.
    pub fn says_closed(&self) -> Result<bool> {
        Ok(self.object.getattr(name!(self.py(), "_closed")?)?.is_truthy()?)
    }

    /// How many file objects are open on it, as it says itself.
    pub fn files(&self) -> Result<Bound<'py, PyAny>> {
        Ok(self.object.getattr(name!(self.py(), "_io_refs")?)?)
    }

    /// Sets how many file objects are open on it.
    pub fn set_files(&self, count: Bound<'py, PyAny>) -> Result<()> {
        Ok(self.object.setattr(name!(self.py(), "_io_refs")?, count)?)
    }
}

/// Gives `class` the methods of a table of functions with the receiver [`AnyObject`].
pub fn add(class: &Bound<'_, PyType>, table: &'static Table) -> Result<()> {
    for entry in table.entries() {
        // SAFETY: an entry of a static table, made for any object. What comes back is new, or null with an exception.
        let (method, name) = unsafe {
            let method = ffi::PyDescr_NewMethod(&raw mut ffi::PyBaseObject_Type, std::ptr::from_ref(entry).cast_mut());
            (owned(class.py(), method)?, std::ffi::CStr::from_ptr(entry.ml_name))
        };
        class.setattr(
            make::utf8(class.py(), name.to_bytes())?.cast::<pyo3::types::PyString>().map_err(PyErr::from)?,
            method,
        )?;
    }
    Ok(())
}
