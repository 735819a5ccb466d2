//! Bytes objects for received data that neither cost nor keep more than what arrived.

use std::cell::Cell;
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Error, Result};
use crate::interpreter::make::IntoObject;
use crate::interpreter::owned;

unsafe extern "C" {
    /// Private in `pyo3-ffi`, public in CPython's C API.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> c_int;
}

/// Up to this many bytes are received on the stack and copied into an object of the right size.
const ON_THE_STACK: usize = 8 * 1024;

/// Up to this many bytes may be received in memory that the thread keeps for it.
const KEPT: usize = 256 * 1024;

thread_local! {
    /// Memory to receive in. Only the pages that something was received in take space.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Whether so much is received on the stack: [`small`].
#[inline(always)]
pub fn is_small(size: usize, flags: c_int) -> bool {
    size <= ON_THE_STACK && flags & libc::MSG_TRUNC == 0
}

/// A buffer on the stack, for what [`is_small`].
#[inline(always)]
pub fn small() -> [MaybeUninit<u8>; ON_THE_STACK] {
    [MaybeUninit::uninit(); ON_THE_STACK]
}

/// A bytes object of what `receive` puts into a buffer of `size` bytes, and what else it answers.
///
/// `receive` answers how many bytes it filled, from the front. `abundant` remembers whether much came where much was asked for: then an
/// object of the whole size is made and shrunk; otherwise what comes is copied from memory that is there already, which costs less than
/// to make an object of the whole size and to give most of it back.
///
/// With `MSG_TRUNC` among the `flags`, TCP counts bytes that it throws away: they are zeros then, not what was in memory.
#[inline(always)]
pub fn receive<'py, T>(
    py: Python<'py>,
    size: usize,
    flags: c_int,
    abundant: &AtomicBool,
    receive: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<(usize, T)>,
) -> Result<(Bound<'py, PyAny>, T)> {
    if is_small(size, flags) {
        let mut buffer = small();
        let (filled, rest) = receive(&mut buffer[..size])?;
        return Ok((copied(py, &buffer[..size], filled)?, rest));
    }
    receive_much(py, size, flags, abundant, receive)
}

#[inline(never)]
fn receive_much<'py, T>(
    py: Python<'py>,
    size: usize,
    flags: c_int,
    abundant: &AtomicBool,
    receive: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<(usize, T)>,
) -> Result<(Bound<'py, PyAny>, T)> {
    if flags & libc::MSG_TRUNC != 0 {
        return shrunk(zeros(py, size)?, size, receive).map(|(bytes, _, rest)| (bytes, rest));
    }
    // Without memory to keep an object of the whole size may still be had: it is smaller.
    let (bytes, filled, rest) = match scratch(size, abundant) {
        Some(scratch) => in_scratch(py, scratch, size, receive)?,
        None => shrunk(uninitialised(py, size)?, size, receive)?,
    };
    abundant.store(filled > size / 4, Ordering::Relaxed);
    Ok((bytes, rest))
}

/// The thread's memory, with room for `size` bytes, where that is what to receive in.
fn scratch(size: usize, abundant: &AtomicBool) -> Option<Vec<u8>> {
    if size > KEPT || abundant.load(Ordering::Relaxed) {
        return None;
    }
    // Taken out while it is used: a signal handler may receive in the same thread meanwhile, and gets memory of its own.
    let mut scratch = SCRATCH.take();
    scratch.try_reserve_exact(KEPT).ok()?;
    Some(scratch)
}

/// Receives into the thread's memory.
fn in_scratch<'py, T>(
    py: Python<'py>,
    mut scratch: Vec<u8>,
    size: usize,
    receive: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<(usize, T)>,
) -> Result<(Bound<'py, PyAny>, usize, T)> {
    let buffer = &mut scratch.spare_capacity_mut()[..size];
    let received = receive(buffer).and_then(|(filled, rest)| Ok((copied(py, buffer, filled)?, filled, rest)));
    SCRATCH.set(scratch);
    received
}

/// A bytes object of the first `filled` bytes of a buffer, which were received into it.
#[inline(always)]
pub fn copied<'py>(py: Python<'py>, buffer: &[MaybeUninit<u8>], filled: usize) -> Result<Bound<'py, PyAny>> {
    // More than there is room for: the kernel told of the whole length of a message it had to cut (MSG_TRUNC).
    let filled = filled.min(buffer.len());
    // SAFETY: the first `filled` bytes of the buffer are initialised, as the kernel says that it filled so many.
    unsafe { owned(py, ffi::PyBytes_FromStringAndSize(buffer.as_ptr().cast(), filled.cast_signed())) }
}

/// A new bytes object, to be written.
fn uninitialised(py: Python<'_>, size: usize) -> Result<Bound<'_, PyAny>> {
    // SAFETY: no bytes are given to be copied. What is not guaranteed: that the object's are initialised. A size came from Python, and fits.
    unsafe {
        let bytes = ffi::PyBytes_FromStringAndSize(std::ptr::null(), size.cast_signed());
        owned(py, bytes)
    }
}

/// The same, of zeros. Python has the system make them, which costs nothing for pages that nobody touches.
fn zeros(py: Python<'_>, size: usize) -> Result<Bound<'_, PyAny>> {
    Ok(py.get_type::<PyBytes>().call1((size.into_object(py)?,))?)
}

/// Receives into a new bytes object of `size` bytes, and shrinks it to what came.
fn shrunk<'py, T>(
    bytes: Bound<'py, PyAny>,
    size: usize,
    receive: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<(usize, T)>,
) -> Result<(Bound<'py, PyAny>, usize, T)> {
    let py = bytes.py();
    // SAFETY: nobody else has seen the object yet: its bytes are ours to write, and it may be resized. `_PyBytes_Resize` owns the
    // object: on failure it frees it.
    unsafe {
        let start = ffi::PyBytes_AS_STRING(bytes.as_ptr()).cast_mut().cast();
        let (filled, rest) = receive(std::slice::from_raw_parts_mut(start, size))?;
        let filled = filled.min(size);
        let mut resized = bytes.into_ptr();
        if filled < size && _PyBytes_Resize(&raw mut resized, filled.cast_signed()) < 0 {
            return Err(Error::Raised);
        }
        Ok((Bound::from_owned_ptr(py, resized), filled, rest))
    }
}
