//! `gaierror` and `herror`: the exceptions of a failed lookup.
//!
//! The classes are those of the standard library, so that a program that catches its `socket.gaierror` also catches ours. They are looked
//! up when the module is created, see `module::exceptions`.

use std::ffi::{CStr, c_int};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::exception::Exception;
use super::raise;
use crate::sys::resolver;

/// The two classes.
#[derive(Debug)]
pub struct Classes {
    /// Raised when `getaddrinfo(3)` or `getnameinfo(3)` fails.
    pub gaierror: Py<PyAny>,
    /// Raised when `gethostbyname_r(3)` or `gethostbyaddr_r(3)` fails.
    pub herror: Py<PyAny>,
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

/// Stores the classes. Only the first call has an effect.
pub fn set_classes(py: Python<'_>, classes: Classes) {
    let _first_wins = CLASSES.set(py, classes);
}

/// The classes; `None` before the module is created.
pub fn classes(py: Python<'_>) -> Option<&Classes> {
    CLASSES.get(py)
}

/// Raises `gaierror(code, text)` for an `EAI_` code.
#[cold]
pub fn raise_gaierror(py: Python<'_>, code: c_int) {
    raise(py, classes(py).map(|classes| &classes.gaierror), code, resolver::gai_strerror(code));
}

/// Raises `herror(code, text)` for an `h_errno`.
#[cold]
pub fn raise_herror(py: Python<'_>, code: c_int) {
    raise(py, classes(py).map(|classes| &classes.herror), code, resolver::hstrerror(code));
}

fn raise(py: Python<'_>, class: Option<&Py<PyAny>>, code: c_int, text: &CStr) {
    match class {
        Some(class) => raise::coded(class.bind(py), code, text),
        None => raise::text(py, Exception::Os, &text.to_string_lossy()),
    }
}
