//! Functions whose argument parsing or signature Argument Clinic changed.

use pyo3::prelude::*;
#[cfg(not(Py_3_13))]
use pyo3::types::PyTuple;

#[cfg(not(Py_3_13))]
use super::arguments::Arguments;
use super::format::{Format, Unit};
use crate::error::Result;

/// The argument of a function that takes exactly one. Since 3.13 Argument Clinic parses these functions, and takes the argument itself
/// (`METH_O`). Before, they parsed a tuple of one, and the error message for a wrong number of arguments was another.
#[cfg(Py_3_13)]
pub type Only<'a, 'py> = &'a Bound<'py, PyAny>;

/// The arguments of a call to a function that takes exactly one.
#[cfg(not(Py_3_13))]
pub type Only<'a, 'py> = Arguments<'a, 'py>;

/// The object that the parser of an [`Only`] takes.
#[cfg(Py_3_13)]
pub type Parsable<'py> = Bound<'py, PyAny>;

/// The tuple that the parser of an [`Only`] takes.
#[cfg(not(Py_3_13))]
pub type Parsable<'py> = Bound<'py, PyTuple>;

/// Converts an [`Only`] to the form that its parser takes.
#[cfg(Py_3_13)]
pub fn parsable<'py>(argument: Only<'_, 'py>) -> Result<Parsable<'py>> {
    Ok(argument.clone())
}

/// Converts an [`Only`] to the form that its parser takes.
#[cfg(not(Py_3_13))]
pub fn parsable<'py>(argument: Only<'_, 'py>) -> Result<Parsable<'py>> {
    argument.tuple()
}

/// Parses an [`Only`], with the parser that CPython uses for it.
pub fn parse_only<'a, 'py, U: Unit>(
    format: Format<(U,)>,
    argument: &'a Parsable<'py>,
    default: U::Value<'a, 'py>,
) -> Result<U::Value<'a, 'py>> {
    #[cfg(Py_3_13)]
    let parsed = format.object(argument, (default,));
    #[cfg(not(Py_3_13))]
    let parsed = format.tuple(argument, (default,));
    parsed.map(|(value,)| value)
}

/// A docstring whose signature line is another since 3.14, where Argument Clinic renamed parameters.
macro_rules! clinic_doc {
    ($before:literal, $since_3_14:literal, $text:literal) => {
        const {
            let before = concat!($before, $text, "\0");
            let since = concat!($since_3_14, $text, "\0");
            let doc = if cfg!(Py_3_14) { since } else { before };
            match std::ffi::CStr::from_bytes_with_nul(doc.as_bytes()) {
                Ok(doc) => doc,
                Err(_) => panic!("a docstring holds no NUL"),
            }
        }
    };
}

pub(crate) use clinic_doc;

/// The argument itself; `None` if the call does not have exactly one.
#[cfg(Py_3_13)]
pub fn alone<'a, 'py>(argument: Only<'a, 'py>) -> Option<Borrowed<'a, 'py, PyAny>> {
    Some(argument.as_borrowed())
}

/// The argument itself; `None` if the call does not have exactly one.
#[cfg(not(Py_3_13))]
pub fn alone<'a, 'py>(argument: Only<'a, 'py>) -> Option<Borrowed<'a, 'py, PyAny>> {
    if argument.len() == 1 { argument.get(0) } else { None }
}
