//! How an exception gets its notes: in the instance only, so that its text and its arguments stay as they are.

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::facts::Facts;
use super::list;
use crate::error::{Error, Result};
use crate::interpreter::raised;
use crate::name;

/// The error with a note. If there is no memory for its exception or for the note, the error stays as it is: it is the more important
/// message.
pub fn with_note(py: Python<'_>, error: Error, facts: Facts) -> Error {
    let unnoted = match &error {
        Error::Os(errno) => Some(Error::Os(*errno)),
        Error::TimedOut => Some(Error::TimedOut),
        _ => None,
    };
    // The exception is taken out of the interpreter first: no object may be made while one is set.
    let exception = error.into_pyerr(py);
    let value = exception.value(py);
    if value.is_instance_of::<PyMemoryError>() {
        let exception = Error::from(exception);
        return match unnoted {
            Some(error) => {
                exception.discard(py);
                error
            }
            None => exception,
        };
    }
    if let Err(refused) = add_first(value, facts) {
        refused.discard(py);
    }
    exception.into()
}

/// Adds a note to an exception that nobody has seen yet, and so has none.
fn add_first(exception: &Bound<'_, impl Sized>, facts: Facts) -> Result<()> {
    let list = list::new(exception.py())?;
    list::add_facts(&list, facts)?;
    set_list(exception, &list)
}

/// The notes of an exception; `None` if it has none, or something that is not a list.
pub fn list_of<'py>(exception: &Bound<'py, PyAny>) -> Result<Option<Bound<'py, PyList>>> {
    let notes = exception.getattr_opt(name!(exception.py(), "__notes__")?)?;
    Ok(notes.and_then(|notes| notes.cast_into::<PyList>().ok()))
}

/// Sets the notes of an exception.
pub fn set_list(exception: &Bound<'_, impl Sized>, list: &Bound<'_, PyList>) -> Result<()> {
    raised::set_attribute(exception, name!("__notes__"), list)
}
