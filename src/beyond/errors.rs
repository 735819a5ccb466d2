//! The exceptions that the Python package defines, in `oxisocket._beyond.errors`. The module is imported when one of them is raised.

use std::fmt;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::Error;
use crate::interpreter::ObjectResult;
use crate::interpreter::make::{self, IntoObject, Name};
use crate::interpreter::raised;
use crate::name;
use crate::sys::memory;

/// `IncompleteReadError(partial, expected)`: EOF after the bytes `partial`. If it cannot be made, the error that prevents it has the
/// attribute `partial`: the bytes were received, and nobody else has them.
#[cold]
pub fn incomplete_read<'py>(partial: Bound<'py, PyAny>, expected: Option<usize>) -> Error {
    let py = partial.py();
    let expected = expected.map_or_else(|| Ok(py.None().into_bound(py)), |expected| expected.into_object(py));
    let arguments = expected.and_then(|expected| make::tuple(py, [partial.clone(), expected]));
    let exception = arguments.and_then(|arguments| new(name!("IncompleteReadError"), arguments));
    match exception {
        Ok(exception) => PyErr::from_value(exception).into(),
        Err(error) => raised::with_attribute(py, error, name!("partial"), partial),
    }
}

/// `LimitOverrunError(text, consumed)`.
#[cold]
pub fn limit_overrun(py: Python<'_>, text: fmt::Arguments<'_>, consumed: usize) -> Error {
    let exception = memory::try_format(text)
        .map_err(Error::from)
        .and_then(|text| make::tuple(py, [make::text(py, &text)?, consumed.into_object(py)?]))
        .and_then(|arguments| new(name!("LimitOverrunError"), arguments));
    exception.map_or_else(|error| error, |exception| PyErr::from_value(exception).into())
}

/// A new exception of the class with this name.
fn new<'py>(class: &'static Name, arguments: Bound<'py, PyTuple>) -> ObjectResult<'py> {
    let py = arguments.py();
    let module = py.import(name!(py, "oxisocket._beyond.errors")?)?;
    Ok(module.getattr(class.get(py)?)?.call1(arguments)?)
}
