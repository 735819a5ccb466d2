//! `oxisocket._socket`: a complete replacement of CPython's C module `_socket`, on `socket2`, and the class `oxisocket.socket`.
//!
//! `docs/architecture.md` tells how the rooms hang together.

use pyo3::prelude::*;

mod address;
mod ancillary;
mod buffer;
mod bytes;
mod call;
mod capi;
mod constants;
mod convert;
mod descriptor;
mod error;
mod file;
mod interpreter;
mod memory;
mod module;
mod netdb;
mod pair;
mod public;
mod readiness;
mod resolve;
mod socket;
mod sys;
mod timeout;
mod turn;

// Macros, for `use crate::…` and `crate::…!`.
pub(crate) use interpreter::arguments::{parse_keywords, parse_object, parse_tuple};
pub(crate) use interpreter::audit::audit;
pub(crate) use interpreter::class::initialiser;
pub(crate) use interpreter::function::{attribute_entry, attributes, function_entry, functions};
pub(crate) use interpreter::make::name;
pub(crate) use sys::syscall;

/// The module, as `import oxisocket._socket` makes it.
#[pymodule(gil_used = false)]
fn _socket(module: &Bound<'_, PyModule>) -> PyResult<()> {
    interpreter::function::enter_module(module.py(), || module::fill(module))
}
