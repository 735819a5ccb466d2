//! Guards over `Py_buffer`: the memory of Python objects for I/O.
//!
//! As in CPython, the requests are `PyBUF_SIMPLE` and `PyBUF_WRITABLE`: contiguous memory of any item type. While a guard lives, the
//! exporter must not resize or free the memory. Not guaranteed: that no other thread *writes* to it. C has the same limit, because Python
//! shares the memory.

use std::marker::PhantomData;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::sys::message::Piece;
use crate::sys::receive::ReceiveBuffer;

/// The memory of a Python object (an exporter), held until this is dropped: to read from, or [`Writable`].
pub struct Buffer<'py, Access = Readable> {
    view: ffi::Py_buffer,
    /// A view must be released with the thread attached.
    _attached: Python<'py>,
    _access: PhantomData<Access>,
}

/// Memory to read from, which may be that of an immutable object.
pub struct Readable;
/// Memory to write to.
pub struct Writable;

impl<'py> Buffer<'py> {
    /// The memory of `object`, to read from; the errors are those of `PyObject_GetBuffer`.
    pub fn readable(object: &Bound<'py, PyAny>) -> Result<Self> {
        let mut buffer = Self::unfilled(object.py());
        buffer.fill(object, ffi::PyBUF_SIMPLE)?;
        Ok(buffer)
    }
}

impl<'py, Access> Buffer<'py, Access> {
    #[inline]
    fn fill(&mut self, object: &Bound<'py, PyAny>, flags: std::ffi::c_int) -> Result<()> {
        debug_assert!(self.view.obj.is_null(), "a buffer is filled once");
        // SAFETY: the call fills `view`, which was empty, or sets its `obj` to null and raises.
        let refused = unsafe { ffi::PyObject_GetBuffer(object.as_ptr(), &raw mut self.view, flags) };
        if refused < 0 { Err(Error::Raised) } else { Ok(()) }
    }

    /// A buffer without memory yet.
    #[inline]
    pub fn unfilled(py: Python<'py>) -> Self {
        Buffer { view: ffi::Py_buffer::new(), _attached: py, _access: PhantomData }
    }

    /// The `Py_buffer` for a parser to fill: for the unit `y*`, or for `w*` if it is [`Writable`].
    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::Py_buffer {
        &raw mut self.view
    }

    /// The length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.view.len.max(0).cast_unsigned()
    }

    /// Whether the buffer was not filled, as opposed to filled with empty memory.
    pub fn is_absent(&self) -> bool {
        self.view.buf.is_null()
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        if self.view.buf.is_null() {
            return &[];
        }
        // SAFETY: the exporter keeps `len` contiguous bytes at `buf` until the view is released. Not guaranteed: that no other thread
        // writes to them meanwhile (see the module's comment); callers only pass them to the kernel or copy them.
        unsafe { std::slice::from_raw_parts(self.view.buf.cast(), self.len()) }
    }
}

impl<'py> Buffer<'py, Writable> {
    /// Fills the buffer, which must be empty, with the memory of `object`. The errors are those of `PyObject_GetBuffer`.
    #[inline]
    pub fn fill_writable(&mut self, object: &Bound<'py, PyAny>) -> Result<()> {
        self.fill(object, ffi::PyBUF_WRITABLE)
    }

    /// The memory, as a buffer to receive into.
    #[inline]
    pub fn receive_buffer(&mut self) -> ReceiveBuffer<'_> {
        if self.view.buf.is_null() {
            return ReceiveBuffer::uninit(&mut []);
        }
        // SAFETY: as in `bytes`. The view is writable, because `fill_writable` or a parser's `w*` requested it so.
        unsafe { ReceiveBuffer::from_raw(self.view.buf.cast(), self.len()) }
    }

    /// The memory for the kernel to write to. It is no slice, because two buffers of one call may be the same memory.
    pub fn piece(&mut self) -> Piece<'_> {
        // SAFETY: as in `receive_buffer`; the length is 0 if there is no memory.
        unsafe { Piece::from_raw(self.view.buf.cast(), if self.is_absent() { 0 } else { self.len() }) }
    }
}

impl<Access> Drop for Buffer<'_, Access> {
    #[inline]
    fn drop(&mut self) {
        if !self.view.obj.is_null() {
            // SAFETY: the view was filled, and is released once. The thread is attached, because `_attached` exists.
            unsafe { ffi::PyBuffer_Release(&raw mut self.view) };
        }
    }
}
