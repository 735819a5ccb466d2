//! `_register`: the Python package passes in what it made.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::{identity, members, package};
use crate::error::Error;
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;

/// `_register(AddressFamily, SocketKind, names)`. The last call wins: a program that removes the package from `sys.modules` and imports it
/// again gets the members of the new enumerations.
pub fn register<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let given = |index| {
        let given =
            arguments.get(index).ok_or_else(|| Error::type_error("_register() takes two classes and a dict"))?;
        Ok::<_, Error>(given.to_owned())
    };
    let (families, types, names) = (given(0)?, given(1)?, given(2)?.cast_into::<PyDict>().map_err(PyErr::from)?);
    // The old references are dropped when all are replaced, because a drop may run Python code.
    let mut old = members::replace(&families, &types);
    old.extend(package::set_globals(names));
    drop(old);
    identity::remember_pristine(py)?;
    Ok(py.None().into_bound(py))
}
