//! One error type for everything that can go wrong, and the one place where it becomes a Python exception.

use std::borrow::Cow;
use std::collections::TryReserveError;
use std::convert::Infallible;
use std::ffi::{CStr, c_int};
use std::{fmt, io};

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::{CastError, ffi};

use crate::interpreter::make::{self, IntoObject};
use crate::{memory, resolve, sys};

/// What every fallible function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed.
///
/// What the variants hold is all of one size, that of a pointer: so a `Result` of the small things that calls give back is passed on in two
/// registers, and one that is no error costs nothing on its way.
#[derive(Debug)]
pub enum Error {
    /// A system call failed: its `errno`, from [`Error::errno`].
    Os(isize),
    /// The socket's timeout passed.
    TimedOut,
    /// `getaddrinfo(3)` or `getnameinfo(3)` failed: its `EAI_` code.
    AddrInfo(isize),
    /// `gethostbyname_r(3)` or `gethostbyaddr_r(3)` failed: its `h_errno`.
    Host(isize),
    /// An exception of the given class with the given text.
    Message(Box<(Class, Cow<'static, str>)>),
    /// There is no memory: `MemoryError`.
    NoMemory,
    /// The interpreter already holds the exception.
    Raised,
    /// An exception made by PyO3.
    Python(Box<PyErr>),
}

/// Classes of exceptions: those that this crate raises with a text of its own, or looks for among what was raised.
#[derive(Clone, Copy, Debug)]
pub enum Class {
    /// `OSError` without an errno.
    Os,
    /// `ImportError`.
    Import,
    /// `MemoryError`.
    Memory,
    /// `NameError`.
    Name,
    /// `OverflowError`.
    Overflow,
    /// `RuntimeError`.
    Runtime,
    /// `SystemError`.
    System,
    /// `TypeError`.
    Type,
    /// `ValueError`.
    Value,
    /// `Warning`.
    Warning,
}

/// What the text of an error is made of. Where it has parts, write them as `format_args!`, for which there may be no memory, and not as
/// `format!`, which ends the process then.
pub trait Text {
    /// The text, if there is memory for it.
    fn into_text(self) -> std::result::Result<Cow<'static, str>, TryReserveError>;
}

impl Text for &'static str {
    fn into_text(self) -> std::result::Result<Cow<'static, str>, TryReserveError> {
        Ok(Cow::Borrowed(self))
    }
}

impl Text for Cow<'static, str> {
    fn into_text(self) -> std::result::Result<Cow<'static, str>, TryReserveError> {
        Ok(self)
    }
}

impl Text for String {
    fn into_text(self) -> std::result::Result<Cow<'static, str>, TryReserveError> {
        Ok(Cow::Owned(self))
    }
}

impl Text for fmt::Arguments<'_> {
    fn into_text(self) -> std::result::Result<Cow<'static, str>, TryReserveError> {
        memory::formatted(self).map(Cow::Owned)
    }
}

impl Error {
    /// `OSError(text)`, for what the system did not refuse itself.
    pub fn os(text: impl Text) -> Self {
        Error::message(Class::Os, text)
    }

    /// `ImportError(text)`.
    pub fn import(text: impl Text) -> Self {
        Error::message(Class::Import, text)
    }

    /// `OverflowError(text)`.
    pub fn overflow(text: impl Text) -> Self {
        Error::message(Class::Overflow, text)
    }

    /// `RuntimeError(text)`.
    pub fn runtime(text: impl Text) -> Self {
        Error::message(Class::Runtime, text)
    }

    /// `SystemError(text)`.
    pub fn system(text: impl Text) -> Self {
        Error::message(Class::System, text)
    }

    /// `TypeError(text)`.
    pub fn type_error(text: impl Text) -> Self {
        Error::message(Class::Type, text)
    }

    /// `ValueError(text)`.
    pub fn value(text: impl Text) -> Self {
        Error::message(Class::Value, text)
    }

    /// `class(text)`, where the text is `before`, the object's `repr`, and `after`. The interpreter writes it: a `repr` may be of any
    /// length, and hold what is no text in UTF-8.
    #[cold]
    pub fn about(class: Class, before: &CStr, object: &Bound<'_, PyAny>, after: &CStr) -> Self {
        let format = c"%s%R%s".as_ptr();
        // SAFETY: attached, as the object shows; it stands between two strings, as the format says.
        unsafe { ffi::PyErr_Format(class.object(), format, before.as_ptr(), object.as_ptr(), after.as_ptr()) };
        Error::Raised
    }

    #[cold]
    fn message(class: Class, text: impl Text) -> Self {
        let text = text.into_text().map(|text| memory::boxed((class, text)));
        if let Ok(Ok(message)) = text { Error::Message(message) } else { Error::NoMemory }
    }

    /// `OSError(errno, strerror(errno))`, of the subclass that the errno has.
    pub const fn errno(errno: c_int) -> Self {
        Error::Os(errno as isize)
    }

    /// Whether a system call failed with this `errno`.
    pub fn is_errno(&self, errno: c_int) -> bool {
        matches!(self, Error::Os(found) if *found == errno as isize)
    }

    /// The `OSError(EBADF)` of a closed socket.
    pub fn closed() -> Self {
        Error::errno(libc::EBADF)
    }

    /// Whether it is want of memory: then nothing else may be said in its place.
    pub fn is_no_memory(&self, py: Python<'_>) -> bool {
        match self {
            Error::NoMemory => true,
            Error::Raised => is_raised(py, Class::Memory),
            Error::Python(error) => error.is_instance_of::<PyMemoryError>(py),
            _ => false,
        }
    }

    /// Makes this error the interpreter's current exception; or `MemoryError`, where there is no memory for that.
    #[cold]
    pub fn raise(self, py: Python<'_>) {
        match self {
            Error::Os(errno) => raise_errno(py, errno as c_int),
            // SAFETY: the class is a static of the interpreter.
            Error::TimedOut => raise_text(py, unsafe { ffi::PyExc_TimeoutError }, "timed out"),
            Error::AddrInfo(code) => resolve::errors::raise_gaierror(py, code as c_int),
            Error::Host(code) => resolve::errors::raise_herror(py, code as c_int),
            Error::Message(message) => {
                let (class, text) = *message;
                raise_text(py, class.object(), &text);
                settle();
            }
            Error::NoMemory => raise_no_memory(py),
            Error::Raised => debug_assert!(PyErr::occurred(py), "Error::Raised without an exception"),
            Error::Python(error) => {
                error.restore(py);
                settle();
            }
        }
    }

    /// This error, taken out of the interpreter where that holds it: for as long as Python code runs before it is raised.
    pub fn put_aside(self, py: Python<'_>) -> Self {
        match self {
            Error::Raised => PyErr::fetch(py).into(),
            error => error,
        }
    }

    /// This error as PyO3 has it, where PyO3 is who must be told.
    pub fn into_pyerr(self, py: Python<'_>) -> PyErr {
        self.raise(py);
        PyErr::fetch(py)
    }

    /// Forgets this error, and the exception where the interpreter holds one.
    pub fn discard(self, py: Python<'_>) {
        match self {
            Error::Raised => clear(py),
            Error::Python(error) => {
                error.restore(py);
                clear(py);
                settle();
            }
            _ => {}
        }
    }
}

impl Class {
    fn object(self) -> *mut ffi::PyObject {
        // SAFETY: statics of the interpreter, which runs.
        unsafe {
            match self {
                Class::Os => ffi::PyExc_OSError,
                Class::Import => ffi::PyExc_ImportError,
                Class::Memory => ffi::PyExc_MemoryError,
                Class::Name => ffi::PyExc_NameError,
                Class::Overflow => ffi::PyExc_OverflowError,
                Class::Runtime => ffi::PyExc_RuntimeError,
                Class::System => ffi::PyExc_SystemError,
                Class::Type => ffi::PyExc_TypeError,
                Class::Value => ffi::PyExc_ValueError,
                Class::Warning => ffi::PyExc_Warning,
            }
        }
    }
}

/// Forgets the interpreter's current exception.
pub fn clear(_py: Python<'_>) {
    // SAFETY: the thread is attached, as `_py` shows.
    unsafe { ffi::PyErr_Clear() }
}

/// Whether the interpreter's current exception is of this class. It stays current.
pub fn is_raised(_py: Python<'_>, class: Class) -> bool {
    // SAFETY: the thread is attached, as `_py` shows; the class is a class.
    unsafe { !ffi::PyErr_Occurred().is_null() && ffi::PyErr_ExceptionMatches(class.object()) != 0 }
}

/// Raises `class(text)`.
fn raise_text(py: Python<'_>, class: *mut ffi::PyObject, text: &str) {
    match make::text(py, text) {
        // SAFETY: attached, as `py` shows; both are objects, and the interpreter keeps references of its own.
        Ok(text) => unsafe { ffi::PyErr_SetObject(class, text.as_ptr()) },
        Err(error) => error.raise(py),
    }
}

/// Raises `MemoryError`, for which the interpreter has memory set aside.
pub fn raise_no_memory(_py: Python<'_>) {
    // SAFETY: the thread is attached, as `_py` shows.
    unsafe { ffi::PyErr_NoMemory() };
}

/// Gives back the references that PyO3 has put aside.
///
/// It only knows of threads that it attached itself. A `Py` that is dropped in a call from the interpreter, such as that in every
/// `PyErr`, waits for the next time it attaches one, and in a program that only fails, or whose sockets never wait, that is never.
#[cold]
pub fn settle() {
    let _ = Python::try_attach(|_| ());
}

/// Raises `OSError(errno, strerror)`: CPython picks the subclass, and keeps both arguments.
fn raise_errno(_py: Python<'_>, errno: c_int) {
    sys::set_errno(errno);
    // SAFETY: the thread is attached; the class is a static of the interpreter.
    unsafe { ffi::PyErr_SetFromErrno(ffi::PyExc_OSError) };
}

/// Raises `class((code, text))`, the form of `gaierror` and `herror`.
pub fn raise_coded(py: Python<'_>, class: &Bound<'_, PyAny>, code: c_int, text: &CStr) {
    match (code, &*text.to_string_lossy()).into_object(py) {
        // SAFETY: attached, as `py` shows; a class and a tuple of its arguments, of which the interpreter keeps references of its own.
        Ok(arguments) => unsafe { ffi::PyErr_SetObject(class.as_ptr(), arguments.as_ptr()) },
        Err(error) => error.raise(py),
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(errno) => Error::errno(errno),
            None if error.kind() == io::ErrorKind::OutOfMemory => Error::NoMemory,
            None => Error::os(format_args!("{error}")),
        }
    }
}

impl From<TryReserveError> for Error {
    fn from(_: TryReserveError) -> Self {
        Error::NoMemory
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<PyErr> for Error {
    #[cold]
    fn from(error: PyErr) -> Self {
        match memory::boxed(error) {
            Ok(error) => Error::Python(error),
            Err(error) => {
                // The interpreter holds it without a box.
                match Python::try_attach(|py| error.restore(py)) {
                    Some(()) => Error::Raised,
                    None => Error::NoMemory,
                }
            }
        }
    }
}

impl From<CastError<'_, '_>> for Error {
    fn from(error: CastError<'_, '_>) -> Self {
        PyErr::from(error).into()
    }
}
