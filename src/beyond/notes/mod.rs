//! Notes on the errors of socket calls (PEP 678): what was tried, with which addresses, for how long, and what to do.
//!
//! | file | contents |
//! | --- | --- |
//! | [`gather`] | what is known about a call, when it has failed |
//! | [`facts`], [`quote`] | the same as values, and their text |
//! | [`note`] | an object that makes the text when somebody asks for it |
//! | [`list`] | the exception's list of notes, which asks when somebody looks at it |
//! | [`attempts`] | the notes of `create_connection`, which tries several addresses |
//! | [`places`] | where in the program its sockets were bound |

mod attempts;
mod facts;
mod gather;
mod list;
mod note;
mod places;
mod quote;

use std::env;

use pyo3::exceptions::PyMemoryError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyList;

use self::facts::Facts;
use crate::call::hooks::{self, Hooks};
use crate::error::{Error, Result};
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::function::Table;
use crate::interpreter::make::IntoObject;
use crate::name;

/// Functions of the module for the package.
pub static FUNCTIONS: Table = functions![
    object c"_switch_notes" => switch_notes, c"_switch_notes($module, on, /)\n--\n\n\
        Switches the notes on errors on or off; returns whether they were on.";
    positional c"_note_attempt" => attempts::note_attempt, c"_note_attempt($module, error, address, host, /)\n--\n\n\
        Completes the note on the error of an attempt to connect to one of the addresses of a host, or adds it.";
    object c"_note_attempts" => attempts::note_attempts, c"_note_attempts($module, errors, /)\n--\n\n\
        Adds the notes on all other errors of a list to the last one.";
];

/// Has failed calls noted from now on, unless the environment says `OXISOCKET_NOTES=0`.
pub fn begin() {
    hooks::set(Hooks { failed: gather::failed, bound: places::record, unbound: places::forget });
    hooks::switch(env::var_os("OXISOCKET_NOTES").is_none_or(|value| value != "0"));
}

fn switch_notes<'py>(py: Python<'py>, on: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    hooks::switch(on.is_truthy()?).into_object(py)
}

/// The error with a note. If the note cannot be made, the error stays without it: the error is the more important message.
fn with_note(py: Python<'_>, error: Error, facts: Facts) -> Error {
    // The exception is taken out of the interpreter first: no object may be made while one is set.
    let exception = error.into_pyerr(py);
    let value = exception.value(py);
    // Where there is no memory for the exception, it is a `MemoryError`, which is about something else.
    if !value.is_instance_of::<PyMemoryError>()
        && let Err(refused) = add_first(value, facts)
    {
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
fn list_of<'py>(exception: &Bound<'py, PyAny>) -> Result<Option<Bound<'py, PyList>>> {
    let notes = exception.getattr_opt(name!(exception.py(), "__notes__")?)?;
    Ok(notes.and_then(|notes| notes.cast_into::<PyList>().ok()))
}

/// Sets the notes of an exception, as `object.__setattr__` does: the class of the exception may have another one.
fn set_list(exception: &Bound<'_, impl Sized>, list: &Bound<'_, PyList>) -> Result<()> {
    let name = name!(list.py(), "__notes__")?;
    // SAFETY: the thread is attached, because `list` exists; all three are objects, borrowed for the call.
    let refused = unsafe { ffi::PyObject_GenericSetAttr(exception.as_ptr(), name.as_ptr(), list.as_ptr()) };
    if refused < 0 { Err(Error::Raised) } else { Ok(()) }
}
