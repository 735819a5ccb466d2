//! `oxisocket.deadline`: one deadline for all calls of a thread. Its Python half is in `oxisocket._beyond.deadline`.
//!
//! The class is not made in Python: the interpreter runs signal handlers between two instructions of Python code. One that raised in the
//! middle of an `__enter__` in Python would leave the thread with a deadline that nobody could remove.

use std::ffi::{CStr, c_void};
use std::mem::size_of;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::call::scope::{self, Scope};
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::class::{Class, allocate, dealloc, slot};
use crate::interpreter::function::{Attributes, Receiver, Table, enter_slot};
use crate::interpreter::make::IntoObject;
use crate::{attributes, functions};

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

/// An instance: a deadline for the socket calls of a thread, while it is within the `with` block.
#[repr(C)]
struct Instance {
    _head: ffi::PyObject,
    deadline: Deadline,
}

struct Deadline {
    /// The seconds from the beginning of the block.
    seconds: f64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The scope, within the block.
    scope: Option<Scope>,
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
/// where an exception of theirs does not lead to `__exit__`. Such a deadline is freed as the exception goes up. One in a generator may be freed
/// in another thread than its own.
impl Drop for Deadline {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(scope) = state.scope.take() {
            scope::leave(&scope);
        }
    }
}

/// The instance that a method is called on.
#[derive(Clone, Copy)]
struct DeadlineRef<'a, 'py>(Borrowed<'a, 'py, PyAny>);

impl<'py> Receiver<'_, 'py> for DeadlineRef<'_, 'py> {
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self {
        // SAFETY: the caller promises an instance of the class that lives for 'a.
        DeadlineRef(unsafe { Borrowed::from_ptr(py, pointer) })
    }
}

impl<'a, 'py> DeadlineRef<'a, 'py> {
    fn deadline(&self) -> &'a Deadline {
        // SAFETY: the object is an instance, as `from_interpreter` requires, and lives for 'a.
        unsafe { &(*self.0.as_ptr().cast::<Instance>()).deadline }
    }
}

/// Creates the class in the module.
pub fn create<'py>(module: &Bound<'py, PyModule>) -> Result<Bound<'py, PyType>> {
    let class = Class {
        name: c"oxisocket._socket._Deadline",
        size: size_of::<Instance>(),
        flags: ffi::Py_TPFLAGS_BASETYPE,
        slots: &[
            slot(ffi::Py_tp_doc, DOC.as_ptr().cast_mut().cast()),
            slot(ffi::Py_tp_new, new as *mut c_void),
            slot(ffi::Py_tp_dealloc, dealloc::<Instance> as *mut c_void),
            slot(ffi::Py_tp_methods, METHODS.as_ptr().cast()),
            slot(ffi::Py_tp_getset, ATTRIBUTES.as_ptr().cast()),
        ],
    };
    // SAFETY: each slot holds a static function or table of the type that its number stands for. Instances are those of `new`.
    unsafe { class.create(module, None) }
}

const DOC: &CStr = c"_Deadline(seconds, /)\n--\n\n\
    A deadline for the socket calls of a thread, while it is within the `with` block.";

static METHODS: Table = functions![
    noargs c"__enter__" => enter_block, c"__enter__($self, /)\n--\n\n\
        Begins the block. Raises RuntimeError for a deadline that was entered already.";
    positional c"__exit__" => leave_block, c"__exit__($self, /, *error)\n--\n\n\
        Ends the block. Raises RuntimeError in another thread, or for a block that has ended.";
];

static ATTRIBUTES: Attributes = attributes![
    read c"seconds" => seconds, c"The seconds from the beginning of the block.";
    read c"remaining" => remaining,
        c"The seconds that are left, 0.0 once the deadline has passed; before the block, all of them.";
];

unsafe extern "C" fn new(
    class: *mut ffi::PyTypeObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls the slot with the thread attached, with this class or a subclass, whose instances begin with an
    // `Instance`, a tuple, and a dict or null. The allocator initialises the head; the rest is written before the object is returned.
    unsafe {
        enter_slot(|py| {
            let is_one =
                ffi::PyTuple_GET_SIZE(arguments) == 1 && (keywords.is_null() || ffi::PyDict_Size(keywords) == 0);
            if !is_one {
                return Err(Error::type_error("_Deadline() takes a number of seconds"));
            }
            let seconds = ffi::PyFloat_AsDouble(ffi::PyTuple_GET_ITEM(arguments, 0));
            if !ffi::PyErr_Occurred().is_null() {
                return Err(Error::Raised);
            }
            if seconds.is_nan() {
                return Err(Error::value("a deadline takes a number of seconds, not NaN"));
            }
            let object = allocate(py, class)?;
            let deadline = Deadline { seconds, state: Mutex::default() };
            ptr::write(&raw mut (*object.as_ptr().cast::<Instance>()).deadline, deadline);
            Ok(object)
        })
    }
}

fn enter_block<'py>(this: DeadlineRef<'_, 'py>) -> ObjectResult<'py> {
    let deadline = this.deadline();
    let mut state = deadline.state();
    if state.scope.is_some() {
        return Err(Error::runtime("this deadline has been entered already: make one for each with statement"));
    }
    let began = Instant::now();
    let scope = scope::enter(deadline.end(began)).ok_or(Error::NoMemory)?;
    *state = State { scope: Some(scope), began: Some(began) };
    Ok(this.0.to_owned())
}

fn leave_block<'py>(this: DeadlineRef<'_, 'py>, _error: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let mut state = this.deadline().state();
    if !state.scope.as_ref().is_some_and(scope::leave) {
        return Err(Error::runtime("this deadline is not entered in this thread"));
    }
    state.scope = None;
    Ok(this.0.py().None().into_bound(this.0.py()))
}

fn seconds<'py>(this: DeadlineRef<'_, 'py>) -> ObjectResult<'py> {
    this.deadline().seconds.into_object(this.0.py())
}

fn remaining<'py>(this: DeadlineRef<'_, 'py>) -> ObjectResult<'py> {
    let deadline = this.deadline();
    let began = deadline.state().began;
    let left = began.and_then(|began| deadline.end(began)).map_or(deadline.seconds.max(0.0), seconds_until);
    left.into_object(this.0.py())
}
