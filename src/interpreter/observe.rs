//! The seam for who observes calls from Python: a trace of them, or a count.
//!
//! While nothing watches, a call pays for it with a look at one word ([`watch`](super::watch)). All else is here, and cold.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::slice;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::watch::is_watched;

/// A call of a function or method of this library, while it runs.
#[derive(Clone, Copy)]
pub struct Call<'a, 'py> {
    /// The name, as in the table of functions; `__init__` for a constructor.
    pub name: &'static CStr,
    /// The object whose method it is, or the module.
    pub receiver: Borrowed<'a, 'py, PyAny>,
    /// The arguments.
    pub arguments: Given<'a, 'py>,
}

/// The arguments of a call, in the form in which the interpreter has passed them.
#[derive(Clone, Copy)]
pub enum Given<'a, 'py> {
    /// Positional arguments, and the values of keyword arguments behind them, whose names are in a tuple.
    Values(&'a [*mut ffi::PyObject], Option<Borrowed<'a, 'py, PyTuple>>),
    /// A tuple and a dict.
    Tuple(Borrowed<'a, 'py, PyTuple>, Option<Borrowed<'a, 'py, PyDict>>),
}

/// Who observes.
#[derive(Clone, Copy)]
pub struct Observer {
    /// Makes a call, by the function that it is passed, and returns the result: an owned reference, or null with an exception set.
    pub observe: fn(Call<'_, '_>, &mut dyn FnMut() -> *mut ffi::PyObject) -> *mut ffi::PyObject,
    /// The thread is about to detach, because its call may wait.
    pub detaches: fn(Python<'_>),
    /// The thread is attached again.
    pub attached: fn(Python<'_>),
}

static OBSERVER: OnceLock<Observer> = OnceLock::new();
static ON: AtomicBool = AtomicBool::new(false);

/// Sets who observes. Only the first call has an effect.
pub fn set(observer: Observer) {
    let _first_wins = OBSERVER.set(observer);
}

/// Whether there is anything to observe for. The one who switches it on is also a [`Watcher`](super::watch::Watcher).
pub fn switch(on: bool) {
    ON.store(on, Ordering::Relaxed);
}

fn observer() -> Option<&'static Observer> {
    if ON.load(Ordering::Relaxed) { OBSERVER.get() } else { None }
}

thread_local! {
    /// Whether what this thread does now is nobody's business: this library does it for itself.
    static IS_UNOBSERVED: Cell<bool> = const { Cell::new(false) };
}

/// Runs something that is not observed.
pub fn unobserved<T>(body: impl FnOnce() -> T) -> T {
    struct Restored(bool);
    impl Drop for Restored {
        fn drop(&mut self) {
            IS_UNOBSERVED.set(self.0);
        }
    }
    let _restored = Restored(IS_UNOBSERVED.replace(true));
    body()
}

/// Whether this thread does something that is not observed.
pub fn is_unobserved() -> bool {
    IS_UNOBSERVED.get()
}

/// The observer, unless this thread does something that is not observed.
fn observer_of_call() -> Option<&'static Observer> {
    observer().filter(|_| !is_unobserved())
}

type Pointer = *mut ffi::PyObject;

/// A function of the convention `METH_NOARGS`, called while something watches.
///
/// # Safety
///
/// The interpreter has called a function of this convention with these arguments, and `plain` takes them. `name` is a static C string.
#[cold]
pub unsafe extern "C" fn noargs(receiver: Pointer, name: *const c_char, plain: ffi::PyCFunction) -> Pointer {
    // SAFETY: the caller promises it. Such a function ignores its second argument.
    unsafe { call(name, receiver, &[], ptr::null_mut(), &mut || plain(receiver, ptr::null_mut())) }
}

/// The same for `METH_O`.
///
/// # Safety
///
/// As for [`noargs`].
#[cold]
pub unsafe extern "C" fn object(
    receiver: Pointer,
    argument: Pointer,
    name: *const c_char,
    plain: ffi::PyCFunction,
) -> Pointer {
    // SAFETY: the caller promises it.
    unsafe { call(name, receiver, &[argument], ptr::null_mut(), &mut || plain(receiver, argument)) }
}

/// The same for `METH_FASTCALL`.
///
/// # Safety
///
/// As for [`noargs`].
#[cold]
pub unsafe extern "C" fn positional(
    receiver: Pointer,
    arguments: *mut Pointer,
    count: ffi::Py_ssize_t,
    name: *const c_char,
    plain: ffi::PyCFunctionFast,
) -> Pointer {
    // SAFETY: the caller promises it.
    unsafe {
        let values = values(arguments, count, ptr::null_mut());
        call(name, receiver, values, ptr::null_mut(), &mut || plain(receiver, arguments, count))
    }
}

/// The same for `METH_FASTCALL | METH_KEYWORDS`.
///
/// # Safety
///
/// As for [`noargs`].
#[cold]
pub unsafe extern "C" fn with_keywords(
    receiver: Pointer,
    arguments: *const Pointer,
    count: ffi::Py_ssize_t,
    names: Pointer,
    name: *const c_char,
    plain: ffi::PyCFunctionFastWithKeywords,
) -> Pointer {
    // SAFETY: the caller promises it.
    unsafe {
        let values = values(arguments, count, names);
        call(name, receiver, values, names, &mut || plain(receiver, arguments, count, names))
    }
}

/// The arguments of a call, and behind them the values of its keyword arguments.
///
/// # Safety
///
/// `arguments` points to `count` objects and one more for each item of `names`, a tuple or null. They live for `'a`.
unsafe fn values<'a>(arguments: *const Pointer, count: ffi::Py_ssize_t, names: Pointer) -> &'a [Pointer] {
    // SAFETY: the caller promises it. Without arguments the pointer may be anything.
    unsafe {
        let named = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) };
        match (count + named).cast_unsigned() {
            0 => &[],
            count => slice::from_raw_parts(arguments, count),
        }
    }
}

/// Makes a call by `make`, and lets an observer see it.
///
/// # Safety
///
/// The thread is attached. `name` is a static C string; `receiver` is an object, or null for a static method; `values` are objects; `names` is a tuple or null. All of
/// them live until the call has ended. `make` returns an owned reference, or null with an exception set.
unsafe fn call(
    name: *const c_char,
    receiver: Pointer,
    values: &[Pointer],
    names: Pointer,
    make: &mut dyn FnMut() -> Pointer,
) -> Pointer {
    let Some(observer) = observer_of_call() else {
        return make();
    };
    // SAFETY: the caller promises all of it.
    let call = unsafe {
        let py = Python::assume_attached();
        let names = Borrowed::from_ptr_or_opt(py, names).map(|names| names.cast_unchecked::<PyTuple>());
        let receiver =
            Borrowed::from_ptr_or_opt(py, receiver).unwrap_or_else(|| Borrowed::from_ptr(py, ffi::Py_None()));
        Call { name: CStr::from_ptr(name), receiver, arguments: Given::Values(values, names) }
    };
    (observer.observe)(call, make)
}

/// The slot `tp_init`, called while something watches.
///
/// # Safety
///
/// The interpreter has called the slot with these arguments, and `plain` takes them.
#[cold]
pub unsafe extern "C" fn initialiser(
    object: Pointer,
    arguments: Pointer,
    keywords: Pointer,
    plain: ffi::initproc,
) -> c_int {
    // SAFETY: the caller promises all of it: an object, a tuple, and a dict or null. `None` is an object whose reference is owned here, and
    // released below.
    unsafe {
        let Some(observer) = observer_of_call() else {
            return plain(object, arguments, keywords);
        };
        let py = Python::assume_attached();
        let given = Borrowed::from_ptr(py, arguments).cast_unchecked::<PyTuple>();
        let named = Borrowed::from_ptr_or_opt(py, keywords).map(|keywords| keywords.cast_unchecked::<PyDict>());
        let receiver = Borrowed::from_ptr(py, object);
        let call = Call { name: c"__init__", receiver, arguments: Given::Tuple(given, named) };
        let result = (observer.observe)(call, &mut || match plain(object, arguments, keywords) {
            0 => py.None().into_ptr(),
            _ => ptr::null_mut(),
        });
        if result.is_null() {
            return -1;
        }
        ffi::Py_DECREF(result);
        0
    }
}

/// Detaches the thread for a call that may wait.
#[inline]
pub fn detach<T: Send>(py: Python<'_>, call: impl FnOnce() -> T + Send) -> T {
    if is_watched() { detach_observed(py, call) } else { py.detach(call) }
}

#[cold]
#[inline(never)]
fn detach_observed<T: Send>(py: Python<'_>, call: impl FnOnce() -> T + Send) -> T {
    let Some(observer) = observer_of_call() else {
        return py.detach(call);
    };
    (observer.detaches)(py);
    let result = py.detach(call);
    (observer.attached)(py);
    result
}
