//! Python's signal handlers, and waiting without the interpreter.

use pyo3::prelude::*;

use crate::error::Result;

/// Runs the handlers of the signals that came in (PEP 475); a handler that raises ends the call.
pub fn run_handlers(py: Python<'_>) -> Result<()> {
    Ok(py.check_signals()?)
}
