//! The classes of exceptions that this crate raises with a text of its own, or looks for among what was raised.

use pyo3::ffi;

/// A class of exceptions.
#[derive(Clone, Copy, Debug)]
pub enum Exception {
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
    /// `TimeoutError`.
    Timeout,
    /// `TypeError`.
    Type,
    /// `ValueError`.
    Value,
    /// `Warning`.
    Warning,
}

impl Exception {
    /// The class, borrowed from the interpreter, which keeps it for as long as it runs.
    pub fn object(self) -> *mut ffi::PyObject {
        // SAFETY: statics of the interpreter, which runs.
        unsafe {
            match self {
                Exception::Os => ffi::PyExc_OSError,
                Exception::Import => ffi::PyExc_ImportError,
                Exception::Memory => ffi::PyExc_MemoryError,
                Exception::Name => ffi::PyExc_NameError,
                Exception::Overflow => ffi::PyExc_OverflowError,
                Exception::Runtime => ffi::PyExc_RuntimeError,
                Exception::System => ffi::PyExc_SystemError,
                Exception::Timeout => ffi::PyExc_TimeoutError,
                Exception::Type => ffi::PyExc_TypeError,
                Exception::Value => ffi::PyExc_ValueError,
                Exception::Warning => ffi::PyExc_Warning,
            }
        }
    }
}
