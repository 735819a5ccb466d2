//! The memory that a call receives into. The received bytes come back as a slice of initialised memory, not as a count to be trusted.

use std::ffi::c_int;
use std::mem::MaybeUninit;

/// Memory to receive into.
#[derive(Debug)]
pub struct ReceiveBuffer<'a> {
    memory: &'a mut [MaybeUninit<u8>],
    /// Whether all of the memory is known to be initialised.
    initialised: bool,
    /// The number of bytes, from the start, that the last call has filled.
    filled: usize,
}

impl<'a> ReceiveBuffer<'a> {
    /// A buffer over memory that need not be initialised.
    #[inline]
    pub fn uninit(memory: &'a mut [MaybeUninit<u8>]) -> Self {
        ReceiveBuffer { memory, initialised: false, filled: 0 }
    }

    /// A buffer over initialised memory.
    ///
    /// # Safety
    ///
    /// `length` bytes from `start` on are initialised, and can be written for `'a`.
    ///
    /// Not guaranteed, where they are Python's: that no other thread of the program writes to them meanwhile, as two receives into one
    /// bytearray do. Only the kernel writes here, and the bytes are read after a call has filled them; what they hold then is the
    /// program's matter, as it is with the standard library. `socket2` takes a slice, so that a pointer could not say this better.
    #[inline]
    pub unsafe fn from_raw(start: *mut u8, length: usize) -> Self {
        // SAFETY: as the caller promises.
        let memory = unsafe { std::slice::from_raw_parts_mut(start.cast(), length) };
        ReceiveBuffer { memory, initialised: true, filled: 0 }
    }

    /// The first `size` bytes of the buffer; `None` if it has fewer.
    #[inline]
    pub fn first(self, size: usize) -> Option<Self> {
        Some(ReceiveBuffer { memory: self.memory.get_mut(..size)?, ..self })
    }

    /// The size in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// The bytes that the last call has received.
    #[inline]
    pub fn filled(&self) -> &[u8] {
        // SAFETY: the caller of `set_filled` guarantees that the first `filled` bytes are initialised.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), self.filled) }
    }

    /// The number of bytes that are not filled.
    #[inline]
    pub fn left(&self) -> usize {
        self.memory.len() - self.filled
    }

    /// Adds a copy of these bytes to the filled part. What there is no room for is left out.
    pub fn append(&mut self, bytes: &[u8]) {
        let (_, rest) = self.memory.split_at_mut(self.filled);
        for (place, byte) in rest.iter_mut().zip(bytes) {
            place.write(*byte);
        }
        self.filled += bytes.len().min(rest.len());
    }

    /// Receives into the part that is not filled, and adds what `receive` fills of it to the filled part.
    #[inline]
    pub fn extend<T>(&mut self, receive: impl FnOnce(&mut ReceiveBuffer<'_>) -> T) -> T {
        let (_, rest) = self.memory.split_at_mut(self.filled);
        let mut rest = ReceiveBuffer { memory: rest, initialised: self.initialised, filled: 0 };
        let answer = receive(&mut rest);
        self.filled += rest.filled;
        answer
    }

    /// The memory, for a call with these flags.
    ///
    /// With `MSG_TRUNC` a TCP connection discards the bytes, but counts them. So the memory is set to zeros first, and `filled` never shows
    /// uninitialised memory.
    #[inline]
    pub(super) fn memory_for(&mut self, flags: c_int) -> &mut [MaybeUninit<u8>] {
        if flags & libc::MSG_TRUNC != 0 && !self.initialised {
            self.memory.fill(MaybeUninit::new(0));
            self.initialised = true;
        }
        self.memory
    }

    /// Records the number of bytes that a call has received. It may be larger than the buffer: with `MSG_TRUNC` the kernel also counts the
    /// bytes that it cut off.
    ///
    /// # Safety
    ///
    /// The call got all of [`memory_for`](Self::memory_for) its flags, and returned `count`.
    #[inline]
    pub(super) unsafe fn set_filled(&mut self, count: usize) {
        self.filled = count.min(self.memory.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_received_bytes_are_the_initialised_part() {
        let mut memory = [MaybeUninit::uninit(); 4];
        let mut buffer = ReceiveBuffer::uninit(&mut memory);
        assert_eq!(buffer.filled(), b"");
        buffer.memory_for(0)[..2].copy_from_slice(&b"ab".map(MaybeUninit::new));
        // SAFETY: two bytes were written.
        unsafe { buffer.set_filled(2) };
        assert_eq!(buffer.filled(), b"ab");
    }

    #[test]
    fn a_count_beyond_the_buffer_is_limited_to_it() {
        let mut memory = [MaybeUninit::uninit(); 2];
        let mut buffer = ReceiveBuffer::uninit(&mut memory);
        buffer.memory_for(0).copy_from_slice(&b"ab".map(MaybeUninit::new));
        // SAFETY: all of it was written.
        unsafe { buffer.set_filled(7) };
        assert_eq!(buffer.filled(), b"ab");
    }

    #[test]
    fn bytes_that_are_counted_but_discarded_are_zeros() {
        let mut memory = [MaybeUninit::uninit(); 3];
        let mut buffer = ReceiveBuffer::uninit(&mut memory);
        buffer.memory_for(libc::MSG_TRUNC);
        // SAFETY: the memory was set to zeros, because of MSG_TRUNC.
        unsafe { buffer.set_filled(3) };
        assert_eq!(buffer.filled(), [0; 3]);
    }

    #[test]
    fn parts_are_received_one_after_the_other() {
        let mut memory = [MaybeUninit::uninit(); 4];
        let mut buffer = ReceiveBuffer::uninit(&mut memory);
        for (part, left) in [(&b"ab"[..], 2), (b"", 2), (b"c", 1), (b"d", 0)] {
            buffer.extend(|rest| {
                for (place, byte) in rest.memory_for(0).iter_mut().zip(part) {
                    place.write(*byte);
                }
                // SAFETY: so many bytes were written.
                unsafe { rest.set_filled(part.len()) };
            });
            assert_eq!(buffer.left(), left);
        }
        assert_eq!(buffer.filled(), b"abcd");
    }

    #[test]
    fn copies_are_appended_as_far_as_there_is_room() {
        let mut memory = [MaybeUninit::uninit(); 4];
        let mut buffer = ReceiveBuffer::uninit(&mut memory);
        for part in [&b"a"[..], b"", b"bc", b"def"] {
            buffer.append(part);
        }
        assert_eq!((buffer.filled(), buffer.left()), (&b"abcd"[..], 0));
    }

    #[test]
    fn first_shortens_the_buffer_and_never_extends_it() {
        let mut memory = [MaybeUninit::uninit(); 4];
        assert_eq!(ReceiveBuffer::uninit(&mut memory).first(3).map(|buffer| buffer.len()), Some(3));
        assert!(ReceiveBuffer::uninit(&mut memory).first(5).is_none());
    }
}
