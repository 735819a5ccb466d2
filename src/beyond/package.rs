//! Functions of the Python package `oxisocket._beyond`, which is imported when it is first needed.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::interpreter::ObjectResult;
use crate::interpreter::make;

/// Calls a function of a module of the package with one argument.
pub fn call<'py>(
    module: &Bound<'py, PyString>,
    function: &Bound<'py, PyString>,
    argument: Bound<'py, PyAny>,
) -> ObjectResult<'py> {
    let arguments = make::tuple(module.py(), [argument])?;
    Ok(module.py().import(module)?.getattr(function)?.call1(arguments)?)
}
