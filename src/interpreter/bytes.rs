//! Bytes objects for received data that neither cost nor keep more than what arrived.

use std::cell::Cell;
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Error, Result};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::owned;
use crate::sys::receive::ReceiveBuffer;

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

/// Memory on the stack, for what [`is_small`].
#[inline(always)]
pub fn small() -> [MaybeUninit<u8>; ON_THE_STACK] {
    [MaybeUninit::uninit(); ON_THE_STACK]
}

/// A bytes object of what `receive` puts into a buffer of `size` bytes, and what else it answers.
///
/// `bulk` tells, and is told, whether much came where much was asked for: then an object of the whole size is made and shrunk. Otherwise what
/// comes is copied from memory that the thread keeps, which costs less than to make an object of the whole size and to give most of it back.
#[inline(always)]
pub fn receive<'py, T>(
    py: Python<'py>,
    size: usize,
    flags: c_int,
    bulk: &AtomicBool,
    receive: impl FnOnce(&mut ReceiveBuffer<'_>) -> Result<T>,
) -> Result<(Bound<'py, PyAny>, T)> {
    if is_small(size, flags) {
        let mut memory = small();
        let mut buffer = ReceiveBuffer::uninit(&mut memory[..size]);
        let answer = receive(&mut buffer)?;
        return Ok((make::bytes(py, buffer.filled())?, answer));
    }
    receive_much(py, size, flags, bulk, receive)
}

#[inline(never)]
fn receive_much<'py, T>(
    py: Python<'py>,
    size: usize,
    flags: c_int,
    bulk: &AtomicBool,
    receive: impl FnOnce(&mut ReceiveBuffer<'_>) -> Result<T>,
) -> Result<(Bound<'py, PyAny>, T)> {
    if flags & libc::MSG_TRUNC != 0 {
        return Unfinished::zeros(py, size)?.receive(receive).map(|(bytes, _filled, answer)| (bytes, answer));
    }
    // Where there is no memory to keep, there may still be some for an object of the whole size, which is smaller.
    let (bytes, filled, answer) = match scratch(size, bulk) {
        Some(scratch) => in_scratch(py, scratch, size, receive)?,
        None => Unfinished::uninit(py, size)?.receive(receive)?,
    };
    bulk.store(filled > size / 4, Ordering::Relaxed);
    Ok((bytes, answer))
}

/// The thread's memory, with room for `size` bytes, where that is what to receive in.
fn scratch(size: usize, bulk: &AtomicBool) -> Option<Vec<u8>> {
    if size > KEPT || bulk.load(Ordering::Relaxed) {
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
    receive: impl FnOnce(&mut ReceiveBuffer<'_>) -> Result<T>,
) -> Result<(Bound<'py, PyAny>, usize, T)> {
    let mut buffer = ReceiveBuffer::uninit(&mut scratch.spare_capacity_mut()[..size]);
    let received = receive(&mut buffer).and_then(|answer| {
        let filled = buffer.filled();
        Ok((make::bytes(py, filled)?, filled.len(), answer))
    });
    SCRATCH.set(scratch);
    received
}

/// A bytes object that nobody has seen yet: its bytes can be written, and it can be resized.
struct Unfinished<'py> {
    bytes: Bound<'py, PyAny>,
    size: usize,
    initialised: bool,
}

impl<'py> Unfinished<'py> {
    /// One whose bytes are not initialised.
    fn uninit(py: Python<'py>, size: usize) -> Result<Self> {
        // SAFETY: null stands for no bytes to be copied. A size came from Python, and fits.
        let bytes = unsafe { owned(py, ffi::PyBytes_FromStringAndSize(std::ptr::null(), size.cast_signed()))? };
        Ok(Unfinished { bytes, size, initialised: false })
    }

    /// One of zeros. Python has the system make them, which costs nothing for pages that nobody touches.
    fn zeros(py: Python<'py>, size: usize) -> Result<Self> {
        let bytes = py.get_type::<PyBytes>().call1((size.into_object(py)?,))?;
        Ok(Unfinished { bytes, size, initialised: true })
    }

    /// Receives into it, and shrinks it to what came: the object, how many bytes it has, and the answer.
    fn receive<T>(
        self,
        receive: impl FnOnce(&mut ReceiveBuffer<'_>) -> Result<T>,
    ) -> Result<(Bound<'py, PyAny>, usize, T)> {
        let py = self.bytes.py();
        // SAFETY: nobody else has seen the object, whose bytes are at least `size`.
        let mut buffer = unsafe {
            let start = ffi::PyBytes_AS_STRING(self.bytes.as_ptr()).cast_mut();
            if self.initialised {
                ReceiveBuffer::from_raw(start.cast(), self.size)
            } else {
                ReceiveBuffer::uninit(std::slice::from_raw_parts_mut(start.cast(), self.size))
            }
        };
        let answer = receive(&mut buffer)?;
        let filled = buffer.filled().len();
        let mut resized = self.bytes.into_ptr();
        // SAFETY: nobody else has a reference. The function owns the object: on failure it frees it.
        unsafe {
            if filled < self.size && _PyBytes_Resize(&raw mut resized, filled.cast_signed()) < 0 {
                return Err(Error::Raised);
            }
            Ok((Bound::from_owned_ptr(py, resized), filled, answer))
        }
    }
}
