//! `oxisocket.deadline`: one deadline for all calls of a thread. Its Python half is in `oxisocket._beyond.deadline`.
//!
//! The class is made by PyO3, and not in Python: the interpreter runs signal handlers between two instructions of Python code. One that
//! raised in the middle of an `__enter__` in Python would leave the thread with a deadline that nobody could remove.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::call::scope::{self, Id};
use crate::error::Error;
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::function::Table;
use crate::interpreter::make::IntoObject;

/// Functions of the module for the package.
pub static FUNCTIONS: Table = functions![
    noargs c"_remaining_time" => remaining_time, c"_remaining_time($module, /)\n--\n\n\
        The seconds until the nearest deadline of this thread, 0.0 if it has passed; None without a deadline.";
];

fn remaining_time(py: Python<'_>) -> ObjectResult<'_> {
    match scope::deadline() {
        Some(deadline) => seconds_until(deadline).into_object(py),
        None => Ok(py.None().into_bound(py)),
    }
}

fn seconds_until(deadline: Instant) -> f64 {
    deadline.saturating_duration_since(Instant::now()).as_secs_f64()
}

/// A deadline for the socket calls of a thread, while it is within the `with` block.
#[pyclass(frozen, subclass, module = "oxisocket._socket", name = "_Deadline")]
pub struct Deadline {
    /// The seconds from the beginning of the block.
    #[pyo3(get)]
    seconds: f64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The scope, within the block.
    scope: Option<Id>,
    /// When the block began.
    began: Option<Instant>,
}

impl Deadline {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the time of a block that began then is over; `None` if the clock cannot hold that.
    fn end(&self, began: Instant) -> Option<Instant> {
        began.checked_add(Duration::try_from_secs_f64(self.seconds.max(0.0)).ok()?)
    }
}

/// Ends a block that was entered and never left. From Python 3.14 on, a `with` statement runs signal handlers right after `__enter__`,
/// where an exception of theirs does not lead to `__exit__`. Such a deadline is freed as the exception goes up, in its own thread.
impl Drop for Deadline {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(scope) = state.scope {
            scope::leave(scope);
        }
    }
}

#[pymethods]
impl Deadline {
    #[new]
    fn new(py: Python<'_>, seconds: f64) -> PyResult<Self> {
        if seconds.is_nan() {
            return Err(Error::value("a deadline takes a number of seconds, not NaN").into_pyerr(py));
        }
        Ok(Deadline { seconds, state: Mutex::default() })
    }

    fn __enter__(this: PyRef<'_, Self>) -> PyResult<PyRef<'_, Self>> {
        let mut state = this.state();
        if state.scope.is_some() {
            drop(state);
            let text = "this deadline has been entered already: make one for each with statement";
            return Err(Error::runtime(text).into_pyerr(this.py()));
        }
        let began = Instant::now();
        let scope = scope::enter(this.end(began)).ok_or_else(|| Error::NoMemory.into_pyerr(this.py()))?;
        *state = State { scope: Some(scope), began: Some(began) };
        drop(state);
        Ok(this)
    }

    #[pyo3(signature = (*error))]
    fn __exit__(&self, error: &Bound<'_, PyTuple>) -> PyResult<()> {
        let mut state = self.state();
        if !state.scope.is_some_and(scope::leave) {
            drop(state);
            let text = "a deadline is left in the thread that has entered it, once";
            return Err(Error::runtime(text).into_pyerr(error.py()));
        }
        state.scope = None;
        Ok(())
    }

    /// The seconds that are left, 0.0 once the deadline has passed; before the block, all of them.
    #[getter]
    fn remaining(&self) -> f64 {
        let began = self.state().began;
        began.and_then(|began| self.end(began)).map_or(self.seconds.max(0.0), seconds_until)
    }
}
