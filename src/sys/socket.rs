//! The socket calls, on borrowed descriptors. The lender guarantees that the descriptor is open: see `crate::call::descriptor`.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};

use socket2::{SockAddr, SockRef};

pub use super::address::no_address;
pub use super::inheritance::set_inheritable;
pub use super::option::{getsockopt, getsockopt_int, getsockopt_u64, option_unit, setsockopt, setsockopt_null};
use super::receive::ReceiveBuffer;
use super::system;
pub use super::system::open::{
    CONNECTIONS_INHERIT_NONBLOCK, KIND_FLAGS, accept, accept_unnamed, asks_for_nonblocking, peers_have_addresses,
    socket, socketpair,
};
pub use super::system::options::{cookie, former_peer, has_64_bit_options, protocol};
use crate::syscall;

/// `dup(2)`, close-on-exec.
pub fn dup(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: the call takes and returns plain numbers. The new descriptor has no other owner.
    unsafe { syscall!(fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 0)).map(|fd| OwnedFd::from_raw_fd(fd)) }
}

/// `close(2)`, made once: even after EINTR the number is free, so it must not be repeated. ECONNRESET is not reported as a failure.
pub fn close(fd: OwnedFd) -> io::Result<()> {
    // SAFETY: `fd` is owned, and its ownership ends here.
    match unsafe { syscall!(close(fd.into_raw_fd())) } {
        Err(error) if error.raw_os_error() != Some(libc::ECONNRESET) => Err(error),
        _ => Ok(()),
    }
}

/// `ioctl(FIONBIO)`: sets or clears `O_NONBLOCK` in one call.
pub fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> io::Result<()> {
    let mut flag = c_int::from(nonblocking);
    // SAFETY: FIONBIO reads one int, and `flag` is one.
    unsafe { syscall!(ioctl(fd.as_raw_fd(), libc::FIONBIO, &raw mut flag)).map(drop) }
}

/// `fcntl(F_GETFL)`: whether `O_NONBLOCK` is set.
pub fn is_nonblocking(fd: BorrowedFd<'_>) -> io::Result<bool> {
    // SAFETY: the call takes and returns plain numbers.
    let flags = unsafe { syscall!(fcntl(fd.as_raw_fd(), libc::F_GETFL)) }?;
    Ok(flags & libc::O_NONBLOCK != 0)
}

/// `fcntl(F_GETFD)`: whether a program that `exec` starts inherits the descriptor.
pub fn inheritable(fd: BorrowedFd<'_>) -> io::Result<bool> {
    // SAFETY: the call takes and returns plain numbers.
    let flags = unsafe { syscall!(fcntl(fd.as_raw_fd(), libc::F_GETFD)) }?;
    Ok(flags & libc::FD_CLOEXEC == 0)
}

/// `bind(2)`.
pub fn bind(fd: BorrowedFd<'_>, address: &SockAddr) -> io::Result<()> {
    SockRef::from(&fd).bind(address)
}

/// `connect(2)`.
pub fn connect(fd: BorrowedFd<'_>, address: &SockAddr) -> io::Result<()> {
    SockRef::from(&fd).connect(address)
}

/// `listen(2)`.
pub fn listen(fd: BorrowedFd<'_>, backlog: c_int) -> io::Result<()> {
    SockRef::from(&fd).listen(backlog)
}

/// `getsockname(2)`.
pub fn getsockname(fd: BorrowedFd<'_>) -> io::Result<SockAddr> {
    SockRef::from(&fd).local_addr()
}

/// `getpeername(2)`.
pub fn getpeername(fd: BorrowedFd<'_>) -> io::Result<SockAddr> {
    SockRef::from(&fd).peer_addr()
}

/// `shutdown(2)`; `how` is passed on unchecked.
pub fn shutdown(fd: BorrowedFd<'_>, how: c_int) -> io::Result<()> {
    // SAFETY: the call takes plain numbers.
    unsafe { syscall!(shutdown(fd.as_raw_fd(), how)).map(drop) }
}

/// `recv(2)`: the number of bytes received. With `MSG_TRUNC` it may be larger than the buffer.
#[inline]
pub fn recv(fd: BorrowedFd<'_>, buffer: &mut ReceiveBuffer<'_>, flags: c_int) -> io::Result<usize> {
    let count = SockRef::from(&fd).recv_with_flags(buffer.memory_for(flags), flags)?;
    // SAFETY: the call got all of `memory_for(flags)`, and returned `count`.
    unsafe { buffer.set_filled(count) };
    Ok(count)
}

/// `recvfrom(2)`: as [`recv`], with the sender's address.
#[inline]
pub fn recvfrom(fd: BorrowedFd<'_>, buffer: &mut ReceiveBuffer<'_>, flags: c_int) -> io::Result<(usize, SockAddr)> {
    let (count, address) = SockRef::from(&fd).recv_from_with_flags(buffer.memory_for(flags), flags)?;
    // SAFETY: the call got all of `memory_for(flags)`, and returned `count`.
    unsafe { buffer.set_filled(count) };
    Ok((count, address))
}

/// `send(2)`. It does not add `MSG_NOSIGNAL`: Python ignores SIGPIPE, so that a broken pipe is the error EPIPE.
#[inline]
pub fn send(fd: BorrowedFd<'_>, data: &[u8], flags: c_int) -> io::Result<usize> {
    SockRef::from(&fd).send_with_flags(data, flags)
}

/// `sendto(2)`.
#[inline]
pub fn sendto(fd: BorrowedFd<'_>, data: &[u8], address: &SockAddr, flags: c_int) -> io::Result<usize> {
    SockRef::from(&fd).send_to_with_flags(data, address, flags)
}

/// `ioctl(SIOCINQ)`: how many bytes can be read; of datagrams, those of the next one. See tcp(7), udp(7), unix(7).
pub fn siocinq(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    let mut answer: c_int = 0;
    // SAFETY: the request writes one int.
    unsafe { syscall!(ioctl(fd.as_raw_fd(), libc::FIONREAD, &raw mut answer)) }?;
    Ok(answer)
}

/// How many bytes the send queue has, if the system tells.
pub fn siocoutq(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    system::options::unsent(fd)
}
