//! The Python package `oxisocket`: access to what is made there, the enumerations and the classes named `socket` and `SocketIO`.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::error::{Error, Exception};
use crate::interpreter::ObjectResult;
use crate::interpreter::slot::Slot;
use crate::name;

/// The globals of the package: its namespace as its code sees it.
static GLOBALS: Slot = Slot::empty();

/// Replaces the globals of the package and returns the old ones.
pub fn set_globals<'py>(names: Bound<'py, PyDict>) -> Option<Bound<'py, PyAny>> {
    GLOBALS.replace(names.py(), Some(names.into_any()))
}

/// Looks a name up in the globals of the package. A program may have replaced the class that the package had by this name. `NameError` if
/// there is no such name.
pub fn global<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> ObjectResult<'py> {
    let names = registered(py, &GLOBALS)?.cast_into::<PyDict>().map_err(PyErr::from)?;
    names.get_item(name)?.ok_or_else(|| Error::about(Exception::Name, c"name ", name, c" is not defined"))
}

/// What the package has registered in a slot. Imports the package first, if it has not registered anything.
pub fn registered<'py>(py: Python<'py>, slot: &Slot) -> ObjectResult<'py> {
    if let Some(registered) = slot.get(py) {
        return Ok(registered);
    }
    py.import(name!(py, "oxisocket")?)?;
    slot.get(py).ok_or_else(|| Error::runtime("the package oxisocket did not register its names"))
}
