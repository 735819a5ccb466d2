//! `oxisocket._socket`: a complete replacement of CPython's C module `_socket`, on `socket2`, with the class `oxisocket.socket`.
//!
//! | room | what |
//! | --- | --- |
//! | [`module`] | the module: constants, functions, how they are added |
//! | [`public`] | the class `oxisocket.socket` and its file objects |
//! | [`beyond`] | what goes beyond CPython |
//! | [`socket`] | the class `_socket.socket`, the base of `oxisocket.socket` |
//! | [`resolve`] | the functions that look up names and addresses |
//! | [`address`] | socket addresses in Python's form and in the kernel's |
//! | [`names`] | names of hosts, IDNA, IP addresses |
//! | [`call`] | how a call on a socket is made |
//! | [`interpreter`] | how Rust and the interpreter meet |
//! | [`error`] | errors, and how they are raised |
//! | [`sys`] | system calls, and everything specific to a platform |
//!
//! Each room uses only rooms below it: `docs/architecture.md` has a picture.

use pyo3::prelude::*;

mod address;
mod beyond;
mod call;
mod error;
mod interpreter;
mod module;
mod names;
mod public;
mod resolve;
mod socket;
mod sys;

// Macros, for `use crate::…` and `crate::…!`.
pub(crate) use interpreter::class::initialiser;
pub(crate) use interpreter::function::{attribute_entry, attributes, function_entry, functions, only_entry};
pub(crate) use interpreter::make::name;
pub(crate) use sys::syscall;

/// The module, as `import oxisocket._socket` makes it.
#[pymodule(gil_used = false)]
fn _socket(module: &Bound<'_, PyModule>) -> PyResult<()> {
    interpreter::function::enter_module(module.py(), || module::fill::fill(module))
}
