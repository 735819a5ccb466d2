//! Bytes objects for received data: time and memory are for the bytes that arrived, not for the buffer size asked for.

use std::cell::Cell;
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Error, Result};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::{ObjectResult, owned};
use crate::sys::per_thread::PerThread;
use crate::sys::receive::ReceiveBuffer;

unsafe extern "C" {
    /// Public in CPython's C API, but private in `pyo3-ffi`.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> c_int;
}

/// A receive of at most this many bytes goes to the stack, and then into an object of the right size.
const STACK_SIZE: usize = 8 * 1024;

/// The size of a thread's scratch buffer: a larger receive does not use it.
const SCRATCH_SIZE: usize = 256 * 1024;

/// Each thread's scratch buffer, allocated at first use. Only pages that were written to take memory.
static SCRATCH: PerThread<Cell<Vec<u8>>> = PerThread::new();

/// Whether a receive of `size` bytes uses the stack: see [`small`]. With `MSG_TRUNC` it does not: the kernel then counts
/// bytes that it does not write, so the memory must be initialised.
#[inline(always)]
pub fn is_small(size: usize, flags: c_int) -> bool {
    size <= STACK_SIZE && flags & libc::MSG_TRUNC == 0
}

/// A buffer on the stack, for a receive that [`is_small`].
#[inline(always)]
pub fn small() -> [MaybeUninit<u8>; STACK_SIZE] {
    [MaybeUninit::uninit(); STACK_SIZE]
}

/// Calls `receive` with a buffer of `size` bytes. Returns the received bytes as a bytes object, and the result of `receive`.
///
/// `bulk` remembers whether the last large receive filled more than a quarter of its buffer. If so, the next one allocates an object of the
/// whole size, receives into it and shrinks it. If not, it receives into the thread's scratch buffer and copies, which costs less than
/// allocating an object of the whole size and giving most of it back.
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
    receive_large(py, size, flags, bulk, receive)
}

#[inline(never)]
fn receive_large<'py, T>(
    py: Python<'py>,
    size: usize,
    flags: c_int,
    bulk: &AtomicBool,
    receive: impl FnOnce(&mut ReceiveBuffer<'_>) -> Result<T>,
) -> Result<(Bound<'py, PyAny>, T)> {
    if flags & libc::MSG_TRUNC != 0 {
        return UnsharedBytes::zeros(py, size)?.receive(receive).map(|(bytes, _filled, answer)| (bytes, answer));
    }
    // Without memory for the scratch buffer there may still be memory for an object of the whole size, which is smaller.
    let (bytes, filled, answer) = match scratch(size, bulk) {
        Some(scratch) => in_scratch(py, scratch, size, receive)?,
        None => UnsharedBytes::uninit(py, size)?.receive(receive)?,
    };
    bulk.store(filled > size / 4, Ordering::Relaxed);
    Ok((bytes, answer))
}

/// Takes the thread's scratch buffer, with room for `size` bytes; `None` if the receive must not use it, or there is no memory for it.
fn scratch(size: usize, bulk: &AtomicBool) -> Option<Vec<u8>> {
    if size > SCRATCH_SIZE || bulk.load(Ordering::Relaxed) {
        return None;
    }
    // Taken out during the receive: a signal handler can receive in the same thread meanwhile, and then allocates another buffer.
    let mut scratch = SCRATCH.with(Cell::take)?;
    scratch.try_reserve_exact(SCRATCH_SIZE).ok()?;
    Some(scratch)
}

/// A bytes object of what `receive` fills of `size` bytes, and the answer of `receive`: also if that is an error, which the interpreter must
/// not hold then. The object is allocated once, and filled in place.
pub fn receive_in_place<'py, T>(
    py: Python<'py>,
    size: usize,
    receive: impl FnOnce(&mut ReceiveBuffer<'_>) -> T,
) -> Result<(ObjectResult<'py>, T)> {
    let mut bytes = UnsharedBytes::uninit(py, size)?;
    let mut buffer = bytes.buffer();
    let answer = receive(&mut buffer);
    let filled = buffer.filled().len();
    Ok((bytes.shrink(filled), answer))
}

/// Receives into the thread's scratch buffer, and puts it back.
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
    SCRATCH.with(|place| place.set(scratch));
    received
}

/// A bytes object that no other code has a reference to yet, so that its bytes may be written and it may be resized.
struct UnsharedBytes<'py> {
    bytes: Bound<'py, PyAny>,
    size: usize,
    initialised: bool,
}

impl<'py> UnsharedBytes<'py> {
    /// An object whose bytes are not initialised.
    fn uninit(py: Python<'py>, size: usize) -> Result<Self> {
        // SAFETY: the thread is attached, because `py` exists. Null means that no bytes are copied. The size came from Python, so that it
        // fits a `Py_ssize_t`.
        let bytes = unsafe { owned(py, ffi::PyBytes_FromStringAndSize(std::ptr::null(), size.cast_signed()))? };
        Ok(UnsharedBytes { bytes, size, initialised: false })
    }

    /// An object of zeros. Python allocates it with `calloc`, which costs nothing for pages that are not touched.
    fn zeros(py: Python<'py>, size: usize) -> Result<Self> {
        let bytes = py.get_type::<PyBytes>().call1((size.into_object(py)?,))?;
        Ok(UnsharedBytes { bytes, size, initialised: true })
    }

    /// Receives into the object, and shrinks it to the received bytes. Returns the object, its length, and the result of `receive`.
    fn receive<T>(
        mut self,
        receive: impl FnOnce(&mut ReceiveBuffer<'_>) -> Result<T>,
    ) -> Result<(Bound<'py, PyAny>, usize, T)> {
        let mut buffer = self.buffer();
        let answer = receive(&mut buffer)?;
        let filled = buffer.filled().len();
        Ok((self.shrink(filled)?, filled, answer))
    }

    /// Its memory, to receive into.
    fn buffer(&mut self) -> ReceiveBuffer<'_> {
        // SAFETY: this is the only reference to the object, which has `size` bytes. They are initialised if `initialised` says so.
        unsafe {
            let start = ffi::PyBytes_AS_STRING(self.bytes.as_ptr()).cast_mut();
            if self.initialised {
                ReceiveBuffer::from_raw(start.cast(), self.size)
            } else {
                ReceiveBuffer::uninit(std::slice::from_raw_parts_mut(start.cast(), self.size))
            }
        }
    }

    /// The object, with only the first `filled` bytes, which must be initialised.
    fn shrink(self, filled: usize) -> ObjectResult<'py> {
        let py = self.bytes.py();
        let mut resized = self.bytes.into_ptr();
        // SAFETY: this is the only reference. `_PyBytes_Resize` takes it over, and releases it on failure.
        unsafe {
            if filled < self.size && _PyBytes_Resize(&raw mut resized, filled.cast_signed()) < 0 {
                return Err(Error::Raised);
            }
            Ok(Bound::from_owned_ptr(py, resized))
        }
    }
}
