//! Bytes objects for received data that neither cost nor keep more than what arrived.

use std::mem::MaybeUninit;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::{Error, Result};

unsafe extern "C" {
    /// Private in `pyo3-ffi`, public in CPython's C API.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> std::ffi::c_int;
}

/// Up to this many bytes are received on the stack and copied into an object of the right size.
const ON_THE_STACK: usize = 8 * 1024;

/// A bytes object of what `receive` puts into a buffer of `size` bytes, and what else it answers.
///
/// `receive` answers how many bytes it filled, from the front.
#[inline]
pub fn receive<'py, T>(
    py: Python<'py>,
    size: usize,
    receive: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<(usize, T)>,
) -> Result<(Bound<'py, PyAny>, T)> {
    if size <= ON_THE_STACK {
        let mut buffer = [MaybeUninit::<u8>::uninit(); ON_THE_STACK];
        let (filled, rest) = receive(&mut buffer[..size])?;
        let filled = filled.min(size);
        // SAFETY: the first `filled` bytes of the buffer are initialised.
        let bytes = unsafe {
            let bytes = ffi::PyBytes_FromStringAndSize(buffer.as_ptr().cast(), filled.cast_signed());
            Bound::from_owned_ptr_or_err(py, bytes)?
        };
        return Ok((bytes, rest));
    }
    receive_large(py, size, receive)
}

fn receive_large<'py, T>(
    py: Python<'py>,
    size: usize,
    receive: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<(usize, T)>,
) -> Result<(Bound<'py, PyAny>, T)> {
    let room = isize::try_from(size).map_err(|_| Error::overflow("buffer size does not fit"))?;
    // SAFETY: a new bytes object of `size` bytes that nobody else has seen yet: its bytes, uninitialised, are ours to write, and it
    // may be resized. `_PyBytes_Resize` owns the object: on failure it frees it.
    unsafe {
        let bytes = Bound::from_owned_ptr_or_err(py, ffi::PyBytes_FromStringAndSize(std::ptr::null(), room))?;
        let start = ffi::PyBytes_AS_STRING(bytes.as_ptr()).cast_mut().cast();
        let (filled, rest) = receive(std::slice::from_raw_parts_mut(start, size))?;
        let mut resized = bytes.into_ptr();
        if filled < size && _PyBytes_Resize(&raw mut resized, filled.cast_signed()) < 0 {
            return Err(Error::Raised);
        }
        Ok((Bound::from_owned_ptr(py, resized), rest))
    }
}
