//! `sendmsg(2)` and `recvmsg(2)`.

use std::ffi::c_int;
use std::io::{self, IoSlice};
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd};

use socket2::{SockAddr, SockAddrStorage};

use super::receive::ReceiveBuffer;
pub use super::system::message::{ADVICE, CLOEXEC, ERROR_QUEUE, SENDS_KEEP_DONTWAIT};
use super::system::message::{close_on_exec, control_length};
use crate::syscall;

/// The message that `sendmsg` sends.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The destination; `None` for a connected socket.
    pub address: Option<&'a SockAddr>,
    /// The data, in one or more buffers.
    pub data: &'a [IoSlice<'a>],
    /// The control messages, encoded.
    pub control: &'a [u8],
}

/// `sendmsg(2)`: the number of bytes of data sent.
pub fn sendmsg(fd: BorrowedFd<'_>, message: Outgoing<'_>, flags: c_int) -> io::Result<usize> {
    let mut header = empty_header();
    if let Some(address) = message.address {
        header.msg_name = address.as_ptr().cast_mut().cast();
        header.msg_namelen = address.len();
    }
    // On Unix the documentation of `IoSlice` guarantees that it has the layout of an iovec.
    header.msg_iov = message.data.as_ptr().cast_mut().cast();
    header.msg_iovlen = message.data.len() as _;
    if !message.control.is_empty() {
        header.msg_control = message.control.as_ptr().cast_mut().cast();
        header.msg_controllen = message.control.len() as _;
    }
    // SAFETY: each pointer is valid for the length that is passed with it, and outlives the call, which writes to none of them.
    let sent = unsafe { syscall!(sendmsg(fd.as_raw_fd(), &raw const header, flags)) }?;
    Ok(sent.cast_unsigned())
}

/// The results of `recvmsg`, besides the data.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The number of bytes of data received.
    pub count: usize,
    /// The number of bytes of control messages received.
    pub control: usize,
    /// `msg_flags`.
    pub flags: c_int,
    /// The sender.
    pub address: SockAddr,
}

/// A buffer of a vectored receive. It is not a slice, because pieces may overlap, as a Python program's buffers may.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    iovec: libc::iovec,
    _memory: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

// SAFETY: only the kernel follows the pointer, and the memory is valid for `'a` in every thread.
unsafe impl Send for Piece<'_> {}

impl<'a> Piece<'a> {
    /// A piece over a slice.
    fn new(memory: &'a mut [MaybeUninit<u8>]) -> Self {
        // SAFETY: the slice is borrowed mutably for `'a`, so its memory can be written, and no other code relies on its contents.
        unsafe { Self::from_raw(memory.as_mut_ptr().cast(), memory.len()) }
    }

    /// A piece over `length` bytes from `start` on.
    ///
    /// # Safety
    ///
    /// The bytes can be written for `'a`, and no code relies on their contents meanwhile.
    pub unsafe fn from_raw(start: *mut u8, length: usize) -> Self {
        Piece { iovec: libc::iovec { iov_base: start.cast(), iov_len: length }, _memory: PhantomData }
    }

    /// The size in bytes.
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
    // SAFETY: the call got all of `memory_for(flags)`, and returned `incoming.count`.
    unsafe { buffer.set_filled(incoming.count) };
    Ok(incoming)
}

/// `recvmsg(2)`. The kernel does not write the padding after the last control message, but counts it in [`Incoming::control`].
pub fn recvmsg(fd: BorrowedFd<'_>, data: &mut [Piece<'_>], control: &mut [u8], flags: c_int) -> io::Result<Incoming> {
    let mut storage = SockAddrStorage::zeroed();
    let mut header = empty_header();
    header.msg_name = (&raw mut storage).cast();
    header.msg_namelen = storage.size_of();
    // `Piece` is a transparent wrapper of an iovec.
    header.msg_iov = data.as_mut_ptr().cast();
    header.msg_iovlen = data.len() as _;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = control.len() as _;
    // SAFETY: each pointer is valid for the length that is passed with it, and outlives the call, which writes at most that length.
    let count = unsafe { syscall!(recvmsg(fd.as_raw_fd(), &raw mut header, flags)) }?;
    let length = header.msg_namelen.min(storage.size_of());
    let received = control_length(&header).min(control.len());
    close_on_exec(&control[..received]);
    Ok(Incoming {
        count: count.cast_unsigned(),
        control: received,
        flags: header.msg_flags,
        // SAFETY: the kernel wrote an address of this length, or none; the rest of the storage is zeros.
        address: unsafe { SockAddr::new(storage, length) },
    })
}

fn empty_header() -> libc::msghdr {
    // SAFETY: a `msghdr` is plain data, for which all zeros are a valid value.
    unsafe { mem::zeroed() }
}
