//! Memory to receive into: what a call has filled of it comes back as the initialised part, and not as a number to be trusted.

use std::ffi::c_int;
use std::mem::MaybeUninit;

/// Memory to receive into.
#[derive(Debug)]
pub struct ReceiveBuffer<'a> {
    memory: &'a mut [MaybeUninit<u8>],
    /// Whether all of the memory was initialised from the beginning.
    initialised: bool,
    /// How many bytes, from the front, the last call has filled.
    filled: usize,
}

impl<'a> ReceiveBuffer<'a> {
    /// Memory that need not be initialised.
    #[inline]
    pub fn uninit(memory: &'a mut [MaybeUninit<u8>]) -> Self {
        ReceiveBuffer { memory, initialised: false, filled: 0 }
    }

    /// Memory that is initialised, and stays so.
    ///
    /// # Safety
    ///
    /// `length` bytes from `start` on are initialised, and can be written for `'a`. That nobody else writes to them meanwhile is not
    /// asked for: the kernel writes to them, and what is there is only read after a call that filled it.
    #[inline]
    pub unsafe fn from_raw(start: *mut u8, length: usize) -> Self {
        // SAFETY: as the caller promises.
        let memory = unsafe { std::slice::from_raw_parts_mut(start.cast(), length) };
        ReceiveBuffer { memory, initialised: true, filled: 0 }
    }

    /// The first `size` bytes of it; `None` where it has fewer.
    #[inline]
    pub fn first(self, size: usize) -> Option<Self> {
        Some(ReceiveBuffer { memory: self.memory.get_mut(..size)?, ..self })
    }

    /// How many bytes it takes.
    #[inline]
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// What the last call has received.
    #[inline]
    pub fn filled(&self) -> &[u8] {
        // SAFETY: the first `filled` bytes are initialised, see `set_filled`.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), self.filled) }
    }

    /// The memory, for a call with these flags.
    ///
    /// With `MSG_TRUNC` the kernel counts bytes of a TCP connection that it throws away: they are zeros then, and not what was in memory.
    #[inline]
    pub(super) fn memory_for(&mut self, flags: c_int) -> &mut [MaybeUninit<u8>] {
        if flags & libc::MSG_TRUNC != 0 && !self.initialised {
            self.memory.fill(MaybeUninit::new(0));
            self.initialised = true;
        }
        self.memory
    }

    /// Notes what a call has answered. It may be more than there is room for: with `MSG_TRUNC` the kernel counts what it had to cut.
    ///
    /// # Safety
    ///
    /// The call got all of [`memory_for`](Self::memory_for) its flags, and answered that it received `count` bytes.
    #[inline]
    pub(super) unsafe fn set_filled(&mut self, count: usize) {
        self.filled = count.min(self.memory.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_call_answers_is_the_initialised_part() {
        let mut memory = [MaybeUninit::uninit(); 4];
        let mut buffer = ReceiveBuffer::uninit(&mut memory);
        assert_eq!(buffer.filled(), b"");
        buffer.memory_for(0)[..2].copy_from_slice(&b"ab".map(MaybeUninit::new));
        // SAFETY: two bytes were written.
        unsafe { buffer.set_filled(2) };
        assert_eq!(buffer.filled(), b"ab");
    }

    #[test]
    fn more_than_there_is_room_for_is_cut() {
        let mut memory = [MaybeUninit::uninit(); 2];
        let mut buffer = ReceiveBuffer::uninit(&mut memory);
        buffer.memory_for(0).copy_from_slice(&b"ab".map(MaybeUninit::new));
        // SAFETY: all of it was written.
        unsafe { buffer.set_filled(7) };
        assert_eq!(buffer.filled(), b"ab");
    }

    #[test]
    fn bytes_that_are_counted_and_thrown_away_are_zeros() {
        let mut memory = [MaybeUninit::uninit(); 3];
        let mut buffer = ReceiveBuffer::uninit(&mut memory);
        buffer.memory_for(libc::MSG_TRUNC);
        // SAFETY: as a call with MSG_TRUNC answers.
        unsafe { buffer.set_filled(3) };
        assert_eq!(buffer.filled(), [0; 3]);
    }

    #[test]
    fn the_first_bytes_and_no_more() {
        let mut memory = [MaybeUninit::uninit(); 4];
        assert_eq!(ReceiveBuffer::uninit(&mut memory).first(3).map(|buffer| buffer.len()), Some(3));
        assert!(ReceiveBuffer::uninit(&mut memory).first(5).is_none());
    }
}
