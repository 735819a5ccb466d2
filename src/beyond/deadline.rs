//! `oxisocket.deadline`: one deadline for all calls of a thread. The context manager is Python's, `oxisocket._beyond.deadline`.

use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::call::scope;
use crate::error::{Error, Result};
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::function::Table;
use crate::interpreter::make::IntoObject;
use crate::interpreter::number::plain_long;

/// Functions of the module for the context manager.
pub static FUNCTIONS: Table = functions![
    object c"_enter_deadline" => enter, c"_enter_deadline($module, seconds, /)\n--\n\n\
        Sets a deadline for the calls of this thread, in so many seconds; returns the depth of the scope, for _leave_deadline().";
    object c"_leave_deadline" => leave, c"_leave_deadline($module, depth, /)\n--\n\n\
        Removes the deadlines of this thread from this depth on. Raises RuntimeError if there is none.";
    noargs c"_remaining_time" => remaining_time, c"_remaining_time($module, /)\n--\n\n\
        The seconds until the nearest deadline of this thread, 0.0 if it has passed; None without a deadline.";
];

fn enter<'py>(py: Python<'py>, seconds: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    // A time that the clock cannot hold is as good as none.
    let deadline = duration(seconds)?.and_then(|duration| Instant::now().checked_add(duration));
    scope::enter(deadline).ok_or(Error::NoMemory)?.into_object(py)
}

/// A number of seconds: one below 0 is 0, and one that is too large is `None`.
fn duration(seconds: &Bound<'_, PyAny>) -> Result<Option<Duration>> {
    // SAFETY: `seconds` is an object; an object that is no real number leaves an exception.
    let seconds_float = unsafe { ffi::PyFloat_AsDouble(seconds.as_ptr()) };
    if PyErr::occurred(seconds.py()) {
        return Err(Error::Raised);
    }
    if seconds_float.is_nan() {
        return Err(Error::value("a deadline takes a number of seconds, not NaN"));
    }
    Ok(Duration::try_from_secs_f64(seconds_float.max(0.0)).ok())
}

fn leave<'py>(py: Python<'py>, depth: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let depth = plain_long(depth).and_then(|depth| usize::try_from(depth).ok());
    if depth.is_some_and(scope::leave) {
        return Ok(py.None().into_bound(py));
    }
    Err(Error::runtime("this thread has not entered this deadline, or has left it already"))
}

fn remaining_time(py: Python<'_>) -> ObjectResult<'_> {
    match scope::deadline() {
        Some(deadline) => deadline.saturating_duration_since(Instant::now()).as_secs_f64().into_object(py),
        None => Ok(py.None().into_bound(py)),
    }
}
