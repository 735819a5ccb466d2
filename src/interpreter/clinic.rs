//! Argument Clinic, which changed how some functions take their argument, and what their docstrings begin with.

use pyo3::prelude::*;
#[cfg(not(Py_3_13))]
use pyo3::types::PyTuple;

#[cfg(not(Py_3_13))]
use super::arguments::Arguments;
use super::format::{Format, Unit};
use crate::error::Result;

/// The argument of a function that takes one. Argument Clinic, which such functions came under in 3.13, takes it as it is; before, it was
/// parsed as a tuple of one, and a wrong number of arguments was refused in other words.
#[cfg(Py_3_13)]
pub type Only<'a, 'py> = &'a Bound<'py, PyAny>;

/// The argument of a function that takes one, among the arguments of the call.
#[cfg(not(Py_3_13))]
pub type Only<'a, 'py> = Arguments<'a, 'py>;

/// What a parser gets of an [`Only`].
#[cfg(Py_3_13)]
pub type Parsable<'py> = Bound<'py, PyAny>;

/// What a parser gets of an [`Only`].
#[cfg(not(Py_3_13))]
pub type Parsable<'py> = Bound<'py, PyTuple>;

/// What a parser gets of an [`Only`].
#[cfg(Py_3_13)]
pub fn parsable<'py>(argument: Only<'_, 'py>) -> Result<Parsable<'py>> {
    Ok(argument.clone())
}

/// What a parser gets of an [`Only`].
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

/// A docstring that begins otherwise since 3.14, whose Argument Clinic gave parameters new names.
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

/// The argument itself, if there is one and no other.
#[cfg(Py_3_13)]
pub fn alone<'a, 'py>(argument: Only<'a, 'py>) -> Option<Borrowed<'a, 'py, PyAny>> {
    Some(argument.as_borrowed())
}

#[cfg(not(Py_3_13))]
pub fn alone<'a, 'py>(argument: Only<'a, 'py>) -> Option<Borrowed<'a, 'py, PyAny>> {
    if argument.len() == 1 { argument.get(0) } else { None }
}
