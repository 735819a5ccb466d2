//! The buffer of a `Reader`: bytes that were received and that no read has taken yet.
//!
//! Its memory is that of a bytes object that no other code has a reference to. So a large read receives into the very object that it
//! returns, and a read that fails leaves what it has received where the next one finds it: neither copies.

use std::mem::MaybeUninit;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::error::Result;
use crate::interpreter::{ObjectResult, make, owned};
use crate::sys::receive::ReceiveBuffer;

/// The size of the memory that a reader begins with, and the most that it receives ahead at once.
pub const READ_AHEAD: usize = 64 * 1024;

/// With less room than this at its end, the memory is tidied up or grows before the next receive.
const LITTLE_ROOM: usize = 8 * 1024;

/// A buffer. All zeros are an empty one.
#[repr(C)]
pub struct ReadAhead {
    /// The bytes object, to which this is the only reference; null if there is no memory yet.
    memory: *mut ffi::PyObject,
    /// The size of the memory.
    capacity: usize,
    /// The bytes from `start` to `end` are initialised: they are the content.
    start: usize,
    end: usize,
}

impl ReadAhead {
    /// The content.
    #[inline]
    pub fn content(&self) -> &[u8] {
        if self.memory.is_null() {
            return &[];
        }
        // SAFETY: the memory has `capacity` bytes, of which these are initialised. They are only written to through `&mut self`.
        unsafe {
            let first = ffi::PyBytes_AS_STRING(self.memory).cast::<u8>();
            std::slice::from_raw_parts(first.add(self.start), self.end - self.start)
        }
    }

    /// Makes room for a receive that is to find a separator, or just to read ahead.
    pub fn make_some_room(&mut self, py: Python<'_>) -> Result<()> {
        let content = self.content().len();
        match self.capacity - self.end {
            LITTLE_ROOM.. => Ok(()),
            _ if self.capacity - content >= LITTLE_ROOM.max(self.capacity / 4) => {
                self.move_to_front();
                Ok(())
            }
            _ => self.reallocate(py, (2 * self.capacity).max(READ_AHEAD)),
        }
    }

    /// Makes room for this many bytes in addition to the content.
    pub fn make_room(&mut self, py: Python<'_>, count: usize) -> Result<()> {
        if self.capacity - self.end >= count {
            return Ok(());
        }
        let needed = self.content().len().saturating_add(count);
        if needed <= self.capacity {
            self.move_to_front();
            return Ok(());
        }
        self.reallocate(py, needed.max(READ_AHEAD))
    }

    /// Receives at most so many bytes behind the content, where there must be room for them.
    pub fn receive<T>(&mut self, most: usize, receive: impl FnOnce(&mut ReceiveBuffer<'_>) -> T) -> T {
        let mut buffer = ReceiveBuffer::uninit(&mut self.room()[..most]);
        let answer = receive(&mut buffer);
        let count = buffer.filled().len();
        self.end += count;
        answer
    }

    /// Takes the first `count` bytes of the content, or all of it if there are fewer. If there is no memory for them, they stay.
    #[inline]
    pub fn take<'py>(&mut self, py: Python<'py>, count: usize) -> ObjectResult<'py> {
        let content = self.content();
        let count = count.min(content.len());
        if count == self.capacity && count > 0 {
            return Ok(self.take_memory(py));
        }
        let bytes = make::bytes(py, &content[..count])?;
        self.skip(count);
        Ok(bytes)
    }

    /// Drops the first bytes of the content, of which there are so many.
    #[inline]
    fn skip(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Gives large memory back to the system, if it has no content.
    #[inline]
    pub fn release_if_large(&mut self, py: Python<'_>) {
        if self.end == 0 && self.capacity > 2 * READ_AHEAD {
            self.release(py);
        }
    }

    /// Drops the content and the memory.
    pub fn release(&mut self, py: Python<'_>) {
        if !self.memory.is_null() {
            drop(self.take_memory(py));
        }
    }

    /// The memory, whose bytes must all be content if anybody is to read them. There is none left.
    fn take_memory<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyAny> {
        let memory = std::mem::replace(&mut self.memory, ptr::null_mut());
        (self.capacity, self.start, self.end) = (0, 0, 0);
        // SAFETY: the caller has found memory. The reference was this buffer's, and is now the caller's.
        unsafe { Bound::from_owned_ptr(py, memory) }
    }

    /// The memory behind the content.
    pub fn room(&mut self) -> &mut [MaybeUninit<u8>] {
        if self.memory.is_null() {
            return &mut [];
        }
        // SAFETY: the memory has `capacity` bytes, and this is the only reference to it.
        unsafe {
            let first = ffi::PyBytes_AS_STRING(self.memory).cast_mut().cast::<MaybeUninit<u8>>();
            std::slice::from_raw_parts_mut(first.add(self.end), self.capacity - self.end)
        }
    }

    /// Moves the content to the front of the memory.
    fn move_to_front(&mut self) {
        if self.memory.is_null() {
            return;
        }
        let count = self.content().len();
        // SAFETY: the content lies in the memory, which has room for it at its front. The two may overlap.
        unsafe {
            let first = ffi::PyBytes_AS_STRING(self.memory).cast_mut();
            ptr::copy(first.add(self.start), first, count);
        }
        (self.start, self.end) = (0, count);
    }

    /// Moves the content to new memory.
    fn reallocate(&mut self, py: Python<'_>, capacity: usize) -> Result<()> {
        // SAFETY: the thread is attached, because `py` exists. Null means that no bytes are copied. The interpreter refuses a size that fits no
        // object.
        let memory = unsafe { owned(py, ffi::PyBytes_FromStringAndSize(ptr::null(), capacity.cast_signed()))? };
        let content = self.content();
        let count = content.len();
        // SAFETY: the new memory has `capacity` bytes, which the callers have made at least `count`, and no other code has seen it.
        unsafe {
            let first = ffi::PyBytes_AS_STRING(memory.as_ptr()).cast_mut().cast::<u8>();
            ptr::copy_nonoverlapping(content.as_ptr(), first, count);
        }
        self.release(py);
        self.memory = memory.into_ptr();
        (self.capacity, self.end) = (capacity, count);
        Ok(())
    }
}
