//! The Python C API: functions, arguments, classes, audit events, signals.
//!
//! The socket class does not use PyO3's `#[pyclass]` and `#[pymethods]`; `docs/architecture.md` says why: `_ssl` reads the
//! layout, the finalizer must see the whole object, and a wrong call must fail with the same message as in the
//! interpreter's own `socket`. This folder does the work of those macros, in one place.
//!
//! | file | contents |
//! | --- | --- |
//! | [`function`], [`class`], [`method`] | functions, classes and inherited methods, in the interpreter's own structs |
//! | [`arguments`], [`clinic`], [`format`], [`signature`] | the arguments of a call |
//! | [`number`], [`text`], [`buffer`] | from Python's values to Rust's |
//! | [`make`], [`bytes`] | from Rust's values to Python's |
//! | [`slot`] | a reference that several threads read and replace |
//! | [`raised`], [`saved_exception`], [`later`] | exceptions on their way to the program |
//! | [`audit`], [`signals`], [`ending`] | audit events, signal handlers, interpreter shutdown |
//! | [`threads`] | the program's other threads |
//! | [`place`] | a place in a program's code |
//! | [`watch`], [`observe`] | the one word that a ready call looks at, and who is told of calls |
//! | [`type_name`] | the name of a class, for error messages |

pub mod arguments;
pub mod audit;
pub mod buffer;
pub mod bytes;
pub mod class;
pub mod clinic;
pub mod ending;
pub mod format;
pub mod function;
pub mod later;
pub mod make;
pub mod method;
pub mod number;
pub mod observe;
pub mod place;
pub mod raised;
pub mod saved_exception;
pub mod signals;
pub mod signature;
pub mod slot;
pub mod text;
pub mod threads;
pub mod type_name;
pub mod watch;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::{Error, Result};

/// The result of a function called from Python: an object, or the error to raise.
pub type ObjectResult<'py> = Result<Bound<'py, PyAny>>;

/// Takes the owned reference that a C API function returned. For null the result is [`Error::Raised`]: the exception stays set in the
/// interpreter.
///
/// # Safety
///
/// `object` is an owned reference that no other code will release, or null with an exception set.
#[inline]
pub unsafe fn owned(py: Python<'_>, object: *mut ffi::PyObject) -> Result<Bound<'_, PyAny>> {
    // SAFETY: the caller guarantees it, and the thread is attached, because `py` exists.
    unsafe { Bound::from_owned_ptr_or_opt(py, object) }.ok_or(Error::Raised)
}
