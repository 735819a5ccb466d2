//! Python's signal handlers, and waiting without the interpreter.

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::{Error, Result};

/// Runs the handlers of the signals that came in (PEP 475); a handler that raises ends the call.
pub fn run_handlers(py: Python<'_>) -> Result<()> {
    let _attached = py;
    // SAFETY: attached.
    let raised = unsafe { ffi::PyErr_CheckSignals() };
    if raised < 0 { Err(Error::Raised) } else { Ok(()) }
}
