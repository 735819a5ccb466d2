//! How the interpreter and Rust meet: functions, their arguments, classes, audit events and signals.
//!
//! PyO3's `#[pyclass]` and `#[pymethods]` are not used for the socket class, and `docs/architecture.md` says why: the
//! layout is read by `_ssl`, the finalizer must see the whole object, and a wrong call must fail with the very
//! words the interpreter's own `socket` has. What they would do is done here, in one place.
//!
//! | file | what |
//! | --- | --- |
//! | [`function`], [`class`], [`method`] | functions and classes as the interpreter has them |
//! | [`arguments`], [`clinic`], [`signature`] | the arguments of a call |
//! | [`number`], [`text`], [`buffer`] | Python's values as Rust has them |
//! | [`make`], [`bytes`] | Rust's values as Python has them |
//! | [`slot`] | a reference that threads share |
//! | [`audit`], [`signals`], [`ending`] | audit events, signal handlers, the interpreter's end |
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
pub mod make;
pub mod method;
pub mod number;
pub mod signals;
pub mod signature;
pub mod slot;
pub mod text;
pub mod type_name;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::{Error, Result};

/// What a function returns to Python: an object, or the error to raise.
pub type ObjectResult<'py> = Result<Bound<'py, PyAny>>;

/// The new object that a function of the interpreter returned; where that is null, the interpreter holds the exception, and goes on
/// holding it.
///
/// # Safety
///
/// `object` is null, with an exception set, or a reference that nobody else will release.
#[inline]
pub unsafe fn owned(py: Python<'_>, object: *mut ffi::PyObject) -> Result<Bound<'_, PyAny>> {
    // SAFETY: as the caller promises.
    unsafe { Bound::from_owned_ptr_or_opt(py, object) }.ok_or(Error::Raised)
}
