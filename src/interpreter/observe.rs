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

use super::make::IntoObject;
use super::owned;
use super::watch::is_watched;
use crate::error::Result;
use crate::sys::receive::ReceiveBuffer;

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
    /// No object, but so much memory of this library's own.
    Memory(usize),
}

/// What a call has to say of itself while it runs: what neither its arguments nor its result tell.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// It is made of other calls, which are observed themselves.
    InParts,
    /// It has sent so many bytes in all, and is going to fail.
    Sent(u64),
    /// It has received these bytes in all.
    Received(&'a [u8]),
    /// The same, and then met the end of the stream.
    ReceivedAll(&'a [u8]),
}

/// Who observes.
#[derive(Clone, Copy)]
pub struct Observer {
    /// Makes a call, by the function that it is passed, and returns the result: an owned reference, or null with an exception set.
    pub observe: fn(Call<'_, '_>, &mut dyn FnMut() -> *mut ffi::PyObject) -> *mut ffi::PyObject,
    /// A call on this object, which runs, says something of itself.
    pub progresses: fn(Borrowed<'_, '_, PyAny>, Progress<'_>),
    /// The thread is about to detach, because its call may wait. Python code may run: no descriptor may be in use.
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
#[inline(never)]
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
#[inline(never)]
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
#[inline(never)]
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
#[inline(never)]
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
#[inline(never)]
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

/// Says something of the call on this object that runs.
#[inline]
pub fn progress(receiver: Borrowed<'_, '_, PyAny>, progress: Progress<'_>) {
    if is_watched() {
        tell_progress(receiver, progress);
    }
}

#[cold]
#[inline(never)]
fn tell_progress(receiver: Borrowed<'_, '_, PyAny>, progress: Progress<'_>) {
    if let Some(observer) = observer_of_call() {
        (observer.progresses)(receiver, progress);
    }
}

/// Receives from a socket into memory of this library's own. It is observed as a call of `recv_into`.
#[inline]
pub fn receive<'a>(
    socket: Borrowed<'_, '_, PyAny>,
    buffer: &mut ReceiveBuffer<'a>,
    receive: impl FnOnce(&mut ReceiveBuffer<'a>) -> Result<usize>,
) -> Result<usize> {
    if is_watched() { receive_observed(socket, buffer, receive) } else { receive(buffer) }
}

#[cold]
#[inline(never)]
fn receive_observed<'a>(
    socket: Borrowed<'_, '_, PyAny>,
    buffer: &mut ReceiveBuffer<'a>,
    receive: impl FnOnce(&mut ReceiveBuffer<'a>) -> Result<usize>,
) -> Result<usize> {
    let Some(observer) = observer_of_call() else {
        return receive(buffer);
    };
    let py = socket.py();
    let call = Call { name: c"recv_into", receiver: socket, arguments: Given::Memory(buffer.left()) };
    let mut receive = Some(receive);
    let mut answer = Ok(0);
    let result = (observer.observe)(call, &mut || {
        let Some(receive) = receive.take() else { return ptr::null_mut() };
        let object = receive(buffer).and_then(|count| {
            progress(socket, Progress::Received(buffer.filled()));
            answer = Ok(count);
            count.into_object(py)
        });
        object.map_or_else(
            |error| {
                error.raise(py);
                ptr::null_mut()
            },
            Bound::into_ptr,
        )
    });
    // SAFETY: an owned reference, or null with an exception set.
    match unsafe { owned(py, result) } {
        Ok(_) => answer,
        Err(error) => Err(error),
    }
}

/// Says that the thread is about to detach for a call that may wait, before that takes the descriptor that it uses: who observes may run
/// Python code.
#[inline]
pub fn before_detaching(py: Python<'_>) -> Detaching {
    Detaching(if is_watched() { tell_detaching(py) } else { None })
}

#[cold]
#[inline(never)]
fn tell_detaching(py: Python<'_>) -> Option<&'static Observer> {
    let observer = observer_of_call()?;
    (observer.detaches)(py);
    Some(observer)
}

/// It was said that the thread is about to detach.
#[must_use]
pub struct Detaching(Option<&'static Observer>);

impl Detaching {
    /// Detaches the thread for the call.
    #[inline]
    pub fn detach<T: Send>(self, py: Python<'_>, call: impl FnOnce() -> T + Send) -> T {
        let result = py.detach(call);
        self.attached(py);
        result
    }

    /// Makes the call attached after all; it does not wait for long.
    pub fn stay<T>(self, py: Python<'_>, call: impl FnOnce() -> T) -> T {
        let result = call();
        self.attached(py);
        result
    }

    #[inline]
    fn attached(&self, py: Python<'_>) {
        if let Some(observer) = self.0 {
            (observer.attached)(py);
        }
    }
}
