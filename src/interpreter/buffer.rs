//! Guards over `Py_buffer`: what is sent from, and received into, Python's objects.
//!
//! As CPython: `PyBUF_SIMPLE` and `PyBUF_WRITABLE`, contiguous memory of whatever item type. While a guard lives the exporter cannot
//! resize; that another thread does not *write* to the memory is not guaranteed, and no more than with C, since Python shares it.

use std::marker::PhantomData;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::sys::message::Piece;
use crate::sys::receive::ReceiveBuffer;

/// Memory of a Python object, held till this is dropped: to read from, or [`Writable`].
pub struct Buffer<'py, Access = Readable> {
    view: ffi::Py_buffer,
    py: Python<'py>,
    _access: PhantomData<Access>,
}

/// Memory that is read from, which may be that of an object that nobody may change.
pub struct Readable;
/// Memory that is written to.
pub struct Writable;

impl<'py> Buffer<'py> {
    /// Memory to read from; an object without any is refused as `PyObject_GetBuffer` refuses it.
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
        // SAFETY: `view` is filled when the call succeeds, and left without an object when it fails.
        let refused = unsafe { ffi::PyObject_GetBuffer(object.as_ptr(), &raw mut self.view, flags) };
        if refused < 0 { Err(Error::Raised) } else { Ok(()) }
    }

    /// No memory yet.
    #[inline]
    pub fn unfilled(py: Python<'py>) -> Self {
        Buffer { view: ffi::Py_buffer::new(), py, _access: PhantomData }
    }

    /// Where a parser puts the memory: for a `y*`, or, if it is [`Writable`], for a `w*`.
    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::Py_buffer {
        &raw mut self.view
    }

    /// How many bytes it holds.
    #[inline]
    pub fn len(&self) -> usize {
        self.view.len.max(0).cast_unsigned()
    }

    /// Whether no object was given at all, as opposed to an empty one.
    pub fn is_absent(&self) -> bool {
        self.view.buf.is_null()
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        if self.view.buf.is_null() {
            return &[];
        }
        // SAFETY: the exporter holds `len` contiguous bytes there till the view is released. That nobody writes to them meanwhile is
        // not guaranteed, see above; they are only handed to the kernel, which copies whatever it finds.
        unsafe { std::slice::from_raw_parts(self.view.buf.cast(), self.len()) }
    }
}

impl<'py> Buffer<'py, Writable> {
    /// Holds the memory of `object`; nothing was held before.
    #[inline]
    pub fn fill_writable(&mut self, object: &Bound<'py, PyAny>) -> Result<()> {
        self.fill(object, ffi::PyBUF_WRITABLE)
    }

    /// The memory, to receive into.
    #[inline]
    pub fn receive_buffer(&mut self) -> ReceiveBuffer<'_> {
        if self.view.buf.is_null() {
            return ReceiveBuffer::uninit(&mut []);
        }
        // SAFETY: as in `bytes`; the view was asked for as a writable one, by `fill_writable` or a parser's `w*`.
        unsafe { ReceiveBuffer::from_raw(self.view.buf.cast(), self.len()) }
    }

    /// The bytes, for the kernel to write to: two buffers may be the same memory.
    pub fn piece(&mut self) -> Piece<'_> {
        // SAFETY: as in `receive_buffer`; of no length where there is no memory.
        unsafe { Piece::from_raw(self.view.buf.cast(), if self.is_absent() { 0 } else { self.len() }) }
    }
}

impl<Access> Drop for Buffer<'_, Access> {
    #[inline]
    fn drop(&mut self) {
        let _attached = self.py;
        if !self.view.obj.is_null() {
            // SAFETY: a view that was filled, released once, attached.
            unsafe { ffi::PyBuffer_Release(&raw mut self.view) };
        }
    }
}
