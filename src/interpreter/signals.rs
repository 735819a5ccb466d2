//! Python's signal handlers.

use pyo3::prelude::*;

use crate::error::Result;

/// Runs the Python handlers of pending signals (PEP 475). The error is the exception that a handler raised: it ends the call.
pub fn run_handlers(py: Python<'_>) -> Result<()> {
    Ok(py.check_signals()?)
}
