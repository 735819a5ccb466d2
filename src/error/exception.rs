//! The exception classes that this crate raises with its own texts, or checks the current exception for.

use pyo3::ffi;

/// An exception class.
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
    /// The class, a borrowed reference that is valid while the interpreter runs.
    pub fn object(self) -> *mut ffi::PyObject {
        // SAFETY: these are statics of the interpreter, which is initialised before any code of this crate uses an exception.
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
