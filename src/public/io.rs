//! The module `io`, imported early: finalizers may call `makefile` when the interpreter ends and no import works any more.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyModule;

use crate::error::Result;
use crate::name;

static IO: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// Imports `io` and keeps it. Called when the classes are made.
pub fn import(py: Python<'_>) -> Result<()> {
    let module = py.import(name!(py, "io")?)?;
    let _first_wins = IO.set(py, module.unbind());
    Ok(())
}

/// The module `io`.
pub fn module(py: Python<'_>) -> Result<Bound<'_, PyModule>> {
    match IO.get(py) {
        Some(io) => Ok(io.bind(py).clone()),
        None => Ok(py.import(name!(py, "io")?)?),
    }
}
