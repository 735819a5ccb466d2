//! `gaierror` and `herror`: how a failed look-up is raised.
//!
//! The classes are the interpreter's own, so that a program which catches `socket.gaierror` of the standard library catches ours. They are
//! found when the module is made, see `module::exceptions`.

use std::ffi::{CStr, c_int};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::exception::Exception;
use super::raise;
use crate::sys::resolver;

/// The two classes.
#[derive(Debug)]
pub struct Classes {
    /// What a failed `getaddrinfo(3)` or `getnameinfo(3)` raises.
    pub gaierror: Py<PyAny>,
    /// What a failed `gethostbyname(3)` or `gethostbyaddr(3)` raises.
    pub herror: Py<PyAny>,
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

/// Keeps the classes. The first call counts.
pub fn set_classes(py: Python<'_>, classes: Classes) {
    let _first_wins = CLASSES.set(py, classes);
}

/// The classes, once the module has been made.
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
