//! Notes on the errors of socket calls (PEP 678): what was tried, with which addresses, for how long, and what to do.
//!
//! | file | contents |
//! | --- | --- |
//! | [`gather`] | what is known about a call, when it has failed |
//! | [`facts`], [`quote`] | the same as values, and their text |
//! | [`note`] | an object that makes the text when somebody asks for it |
//! | [`list`] | the exception's list of notes, which asks when somebody looks at it |
//! | [`exception`] | how an exception gets its notes |
//! | [`attempts`] | the notes of `create_connection`, which tries several addresses |
//! | [`places`] | where in the program its sockets were bound |

mod attempts;
mod exception;
mod facts;
mod gather;
mod list;
mod note;
mod places;
mod quote;

use std::env;

use pyo3::prelude::*;

use crate::call::hooks::{self, Hooks};
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::function::Table;
use crate::interpreter::make::IntoObject;

/// Functions of the module for the package.
pub static FUNCTIONS: Table = functions![
    object c"_switch_notes" => switch_notes, c"_switch_notes($module, on, /)\n--\n\n\
        Switches the notes on errors on or off; returns whether they were on.";
    positional c"_note_attempt" => attempts::note_attempt, c"\
        _note_attempt($module, error, address, host, local=None, seconds=None, cause=None, /)\n--\n\n\
        Completes the note on the error of an attempt to connect to one of the addresses of a host; or adds it, with the socket's\n\
        own address and how long the attempt took, if they are known. The cause is 'timeout', 'total_timeout' or 'deadline', if one\n\
        of these has ended the attempt; without a time it had not begun.";
    positional c"_note_look_up" => attempts::note_look_up, c"\
        _note_look_up($module, error, host, port, seconds=None, cause=None, /)\n--\n\n\
        Puts a note of a look-up of all families in place of the notes of an error, if these are the module's own.";
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
