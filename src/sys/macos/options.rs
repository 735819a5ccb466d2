//! Socket options that tell what a socket is, or change what a transfer means.

use std::ffi::c_int;
use std::io;
use std::os::fd::BorrowedFd;

use libc::SOL_SOCKET;
use socket2::{SockAddr, SockRef};

use crate::sys::option::getsockopt_int;

/// The protocol of a socket. The kernel does not tell it; 0, as CPython has it then.
pub fn protocol(_fd: BorrowedFd<'_>) -> io::Result<c_int> {
    Ok(0)
}

/// The family of a socket, which is that of its own address.
pub fn family(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    Ok(SockRef::from(&fd).local_addr()?.family().into())
}

/// The kernel's number for a socket. There is none that a process is told.
pub fn cookie(_fd: BorrowedFd<'_>) -> io::Result<u64> {
    Err(io::Error::from_raw_os_error(libc::ENOPROTOOPT))
}

/// The peer of a connection that has ended, which the kernel has forgotten.
pub fn former_peer(_fd: BorrowedFd<'_>) -> io::Result<SockAddr> {
    Err(io::Error::from_raw_os_error(libc::ENOPROTOOPT))
}

/// `SO_NWRITE`: how many bytes the send queue has; over TCP those that the peer has not acknowledged.
pub fn unsent(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    getsockopt_int(fd, SOL_SOCKET, libc::SO_NWRITE)
}

/// Whether the options of this family have 64 bits. No family of CPython on macOS is like that.
pub const fn has_64_bit_options(_family: c_int) -> bool {
    false
}

/// Whether, with this option, a send that is split into two calls would wait twice.
pub const fn forbids_split_sends(level: c_int, option: c_int) -> bool {
    matches!((level, option), (SOL_SOCKET, libc::SO_SNDTIMEO))
}

/// Whether, with this option, the socket carries records instead of bytes.
pub const fn makes_records(_level: c_int, _option: c_int) -> bool {
    false
}

/// Those of these options that a descriptor is asked for: of any socket, and of a TCP socket.
pub const ASKED: &[(c_int, c_int)] = &[(SOL_SOCKET, libc::SO_SNDTIMEO)];
/// See [`ASKED`].
pub const ASKED_OF_TCP: &[(c_int, c_int)] = &[];
