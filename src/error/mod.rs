//! The crate's one error type, and its one conversion to a Python exception.
//!
//! | file | what |
//! | --- | --- |
//! | [`exception`] | the classes of exceptions |
//! | [`raise`] | how an error becomes the interpreter's current exception |
//! | [`resolver`] | `gaierror` and `herror` |
//! | [`text`] | the text of an error |

pub mod exception;
pub mod raise;
pub mod resolver;
pub mod text;

use std::borrow::Cow;
use std::collections::TryReserveError;
use std::convert::Infallible;
use std::ffi::{CStr, c_int};
use std::io;

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::{CastError, ffi};

pub use self::exception::Exception;
pub use self::raise::{clear, is_raised};
use self::text::Text;
use crate::sys::ancillary::TooLong;
use crate::sys::memory;
use crate::sys::resolver::Failure;

/// The result of a fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed.
///
/// The data of every variant has the size of a pointer. So a `Result` with a small value is returned in two registers, and a success costs
/// nothing on its way up.
#[derive(Debug)]
pub enum Error {
    /// A system call failed with this `errno`. Made by [`Error::errno`].
    Os(isize),
    /// The socket's timeout passed.
    TimedOut,
    /// `getaddrinfo(3)` or `getnameinfo(3)` failed with this `EAI_` code.
    AddrInfo(isize),
    /// `gethostbyname_r(3)` or `gethostbyaddr_r(3)` failed with this `h_errno`.
    Host(isize),
    /// An exception of this class with this text.
    Message(Box<(Exception, Cow<'static, str>)>),
    /// There is no memory: `MemoryError`.
    NoMemory,
    /// The exception is already the interpreter's current exception.
    Raised,
    /// An exception made by PyO3.
    Python(Box<PyErr>),
}

impl Error {
    /// `OSError(text)`, for an error that has no errno.
    pub fn os(text: impl Text) -> Self {
        Error::message(Exception::Os, text)
    }

    /// `ImportError(text)`.
    pub fn import(text: impl Text) -> Self {
        Error::message(Exception::Import, text)
    }

    /// `OverflowError(text)`.
    pub fn overflow(text: impl Text) -> Self {
        Error::message(Exception::Overflow, text)
    }

    /// `RuntimeError(text)`.
    pub fn runtime(text: impl Text) -> Self {
        Error::message(Exception::Runtime, text)
    }

    /// `SystemError(text)`.
    pub fn system(text: impl Text) -> Self {
        Error::message(Exception::System, text)
    }

    /// `TypeError(text)`.
    pub fn type_error(text: impl Text) -> Self {
        Error::message(Exception::Type, text)
    }

    /// `ValueError(text)`.
    pub fn value(text: impl Text) -> Self {
        Error::message(Exception::Value, text)
    }

    /// `class(text)`, where the text is `before`, the object's `repr`, and `after`. The interpreter formats it, because a `repr` may have
    /// any length, and may contain surrogates, which UTF-8 cannot encode.
    #[cold]
    pub fn about(class: Exception, before: &CStr, object: &Bound<'_, PyAny>, after: &CStr) -> Self {
        let format = c"%s%R%s".as_ptr();
        // SAFETY: the thread is attached, because `object` is `Bound`. The format names a string, an object and a string, which follow;
        // both strings end with NUL.
        unsafe { ffi::PyErr_Format(class.object(), format, before.as_ptr(), object.as_ptr(), after.as_ptr()) };
        Error::Raised
    }

    #[cold]
    fn message(class: Exception, text: impl Text) -> Self {
        let text = text.into_text().map(|text| memory::try_box((class, text)));
        if let Ok(Ok(message)) = text { Error::Message(message) } else { Error::NoMemory }
    }

    /// `OSError(errno, strerror(errno))`, or the subclass for this errno.
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

    /// Whether there was no memory. Such an error must not be replaced by another one.
    pub fn is_no_memory(&self, py: Python<'_>) -> bool {
        match self {
            Error::NoMemory => true,
            Error::Raised => is_raised(py, Exception::Memory),
            Error::Python(error) => error.is_instance_of::<PyMemoryError>(py),
            _ => false,
        }
    }

    /// Makes this error the interpreter's current exception; or `MemoryError`, if there is no memory for that.
    #[cold]
    pub fn raise(self, py: Python<'_>) {
        match self {
            Error::Os(errno) => raise::errno(py, errno as c_int),
            Error::TimedOut => raise::text(py, Exception::Timeout, "timed out"),
            Error::AddrInfo(code) => resolver::raise_gaierror(py, code as c_int),
            Error::Host(code) => resolver::raise_herror(py, code as c_int),
            Error::Message(message) => {
                let (class, text) = *message;
                raise::text(py, class, &text);
                raise::release_deferred();
            }
            Error::NoMemory => raise::no_memory(py),
            Error::Raised => debug_assert!(PyErr::occurred(py), "Error::Raised without an exception"),
            Error::Python(error) => {
                error.restore(py);
                raise::release_deferred();
            }
        }
    }

    /// This error, without a current exception of the interpreter: [`Error::Raised`] is fetched into it. So Python code can run before the
    /// error is raised.
    pub fn put_aside(self, py: Python<'_>) -> Self {
        match self {
            Error::Raised => PyErr::fetch(py).into(),
            error => error,
        }
    }

    /// This error as a `PyErr`, for callers inside PyO3.
    pub fn into_pyerr(self, py: Python<'_>) -> PyErr {
        self.raise(py);
        PyErr::fetch(py)
    }

    /// Drops this error, and clears the interpreter's current exception if that is the error.
    pub fn discard(self, py: Python<'_>) {
        match self {
            Error::Raised => clear(py),
            Error::Python(error) => {
                error.restore(py);
                clear(py);
                raise::release_deferred();
            }
            _ => {}
        }
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

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::AddrInfo(code) => Error::AddrInfo(code as isize),
            Failure::System(errno) => Error::errno(errno),
            Failure::Host(code) => Error::Host(code as isize),
            Failure::NoMemory => Error::NoMemory,
        }
    }
}

impl From<TooLong> for Error {
    fn from(too_long: TooLong) -> Self {
        match too_long {
            TooLong::Item => Error::os("ancillary data item too large"),
            TooLong::All => Error::os("too much ancillary data"),
            TooLong::Memory(error) => error.into(),
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
        match memory::try_box(error) {
            Ok(error) => Error::Python(error),
            Err(error) => {
                // The interpreter holds the exception without a box.
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
