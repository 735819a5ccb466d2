//! The Python package `oxisocket`, which the class needs for what is made in Python: enumerations, and the classes by the names `socket` and
//! `SocketIO`.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::error::{Error, Exception};
use crate::interpreter::ObjectResult;
use crate::interpreter::slot::Slot;
use crate::name;

/// The names of the package, as its code sees them.
static NAMES: Slot = Slot::empty();

/// Replaces the names of the package, and returns the ones before.
pub fn set_names<'py>(names: Bound<'py, PyDict>) -> Option<Bound<'py, PyAny>> {
    NAMES.replace(names.py(), Some(names.into_any()))
}

/// What goes by a name in the package: a class of it, unless the program has put another in its place.
pub fn named<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> ObjectResult<'py> {
    let names = registered(py, &NAMES)?.cast_into::<PyDict>().map_err(PyErr::from)?;
    names.get_item(name)?.ok_or_else(|| Error::about(Exception::Name, c"name ", name, c" is not defined"))
}

/// What the package has put into a slot. It is imported first, if need be.
pub fn registered<'py>(py: Python<'py>, slot: &Slot) -> ObjectResult<'py> {
    if let Some(given) = slot.get(py) {
        return Ok(given);
    }
    py.import(name!(py, "oxisocket")?)?;
    slot.get(py).ok_or_else(|| Error::runtime("the package oxisocket did not register its names"))
}
