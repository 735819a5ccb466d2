//! `sendmsg(2)` and `recvmsg(2)`.

use std::ffi::c_int;
use std::io::{self, IoSlice};
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd};

use socket2::{SockAddr, SockAddrStorage};

use super::receive::ReceiveBuffer;
use crate::syscall;

/// What a message is sent with.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Where to; `None` for a connected socket.
    pub address: Option<&'a SockAddr>,
    /// The data, in pieces.
    pub data: &'a [IoSlice<'a>],
    /// The control messages, laid out.
    pub control: &'a [u8],
}

/// `sendmsg(2)`.
pub fn sendmsg(fd: BorrowedFd<'_>, message: Outgoing<'_>, flags: c_int) -> io::Result<usize> {
    let mut header = header();
    if let Some(address) = message.address {
        header.msg_name = address.as_ptr().cast_mut().cast();
        header.msg_namelen = address.len();
    }
    // `IoSlice` is an iovec on Unix, as its documentation guarantees.
    header.msg_iov = message.data.as_ptr().cast_mut().cast();
    header.msg_iovlen = message.data.len() as _;
    if !message.control.is_empty() {
        header.msg_control = message.control.as_ptr().cast_mut().cast();
        header.msg_controllen = message.control.len() as _;
    }
    // SAFETY: each pointer has its length beside it and lives through the call, which writes to none of them.
    let sent = unsafe { syscall!(sendmsg(fd.as_raw_fd(), &raw const header, flags)) }?;
    Ok(sent.cast_unsigned())
}

/// What `recvmsg` told beside the data.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// How many bytes of data came.
    pub count: usize,
    /// How many bytes of control messages came.
    pub control: usize,
    /// `msg_flags`.
    pub flags: c_int,
    /// The sender.
    pub address: SockAddr,
}

/// A piece of memory to receive into. Pieces may overlap, as the buffers of a Python program can: so it is no slice.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    iovec: libc::iovec,
    _memory: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

// SAFETY: only the kernel follows the pointer, and that the memory lives for `'a` does not depend on a thread.
unsafe impl Send for Piece<'_> {}

impl<'a> Piece<'a> {
    /// The memory of a slice.
    fn new(memory: &'a mut [MaybeUninit<u8>]) -> Self {
        // SAFETY: a slice is memory to write to, for as long as it is borrowed.
        unsafe { Self::from_raw(memory.as_mut_ptr().cast(), memory.len()) }
    }

    /// `length` bytes from `start` on.
    ///
    /// # Safety
    ///
    /// They can be written for `'a`, and nobody relies on what they are meanwhile.
    pub unsafe fn from_raw(start: *mut u8, length: usize) -> Self {
        Piece { iovec: libc::iovec { iov_base: start.cast(), iov_len: length }, _memory: PhantomData }
    }

    /// How many bytes it takes.
    pub fn len(&self) -> usize {
        self.iovec.iov_len
    }
}

/// `recvmsg(2)` into one buffer. See [`recvmsg`].
pub fn recvmsg_one(
    fd: BorrowedFd<'_>,
    buffer: &mut ReceiveBuffer<'_>,
    control: &mut [u8],
    flags: c_int,
) -> io::Result<Incoming> {
    let incoming = recvmsg(fd, &mut [Piece::new(buffer.memory_for(flags))], control, flags)?;
    // SAFETY: what the call has answered.
    unsafe { buffer.set_filled(incoming.count) };
    Ok(incoming)
}

/// `recvmsg(2)`. Of the control buffer the kernel leaves the padding behind the last message as it was, though it counts it.
pub fn recvmsg(fd: BorrowedFd<'_>, data: &mut [Piece<'_>], control: &mut [u8], flags: c_int) -> io::Result<Incoming> {
    let mut storage = SockAddrStorage::zeroed();
    let mut header = header();
    header.msg_name = (&raw mut storage).cast();
    header.msg_namelen = storage.size_of();
    // A `Piece` is an iovec.
    header.msg_iov = data.as_mut_ptr().cast();
    header.msg_iovlen = data.len() as _;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = control.len() as _;
    // SAFETY: each pointer has its length beside it and lives through the call, which writes no more than that.
    let count = unsafe { syscall!(recvmsg(fd.as_raw_fd(), &raw mut header, flags)) }?;
    let length = header.msg_namelen.min(storage.size_of());
    Ok(Incoming {
        count: count.cast_unsigned(),
        control: header.msg_controllen.min(control.len()),
        flags: header.msg_flags,
        // SAFETY: the kernel wrote an address of that length, or none, and the rest is zeros.
        address: unsafe { SockAddr::new(storage, length) },
    })
}

fn header() -> libc::msghdr {
    // SAFETY: plain data, for which all zeros are a value.
    unsafe { mem::zeroed() }
}
