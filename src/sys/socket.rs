//! The socket calls, on borrowed descriptors. The lender guarantees that the descriptor is open: see `crate::call::descriptor`.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::ptr;

use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, SockRef, Socket, Type};

use super::receive::ReceiveBuffer;
use crate::syscall;

/// `socket(2)`, close-on-exec.
pub fn socket(family: c_int, kind: c_int, proto: c_int) -> io::Result<OwnedFd> {
    let protocol = Some(Protocol::from(proto));
    Socket::new_raw(Domain::from(family), Type::from(kind).cloexec(), protocol).map(OwnedFd::from)
}

/// `socketpair(2)`, close-on-exec.
pub fn socketpair(family: c_int, kind: c_int, proto: c_int) -> io::Result<(OwnedFd, OwnedFd)> {
    let protocol = Some(Protocol::from(proto));
    let (one, other) = Socket::pair_raw(Domain::from(family), Type::from(kind).cloexec(), protocol)?;
    Ok((one.into(), other.into()))
}

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

/// `ioctl(FIOCLEX)` or `ioctl(FIONCLEX)`: sets whether a program that `exec` starts inherits the descriptor. A security policy may forbid
/// every `ioctl`, and a descriptor with `O_PATH` has none: there it takes two calls of `fcntl(2)`.
pub fn set_inheritable(fd: BorrowedFd<'_>, inheritable: bool) -> io::Result<()> {
    let request = if inheritable { libc::FIONCLEX } else { libc::FIOCLEX };
    // SAFETY: these requests take no argument, so that the kernel follows no pointer.
    match unsafe { syscall!(ioctl(fd.as_raw_fd(), request)) } {
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOTTY | libc::EACCES | libc::EBADF)) => {
            set_inheritable_by_flags(fd, inheritable)
        }
        done => done.map(drop),
    }
}

#[cold]
fn set_inheritable_by_flags(fd: BorrowedFd<'_>, inheritable: bool) -> io::Result<()> {
    // SAFETY: both calls take and return plain numbers.
    unsafe {
        let flags = syscall!(fcntl(fd.as_raw_fd(), libc::F_GETFD))?;
        let wanted = if inheritable { flags & !libc::FD_CLOEXEC } else { flags | libc::FD_CLOEXEC };
        if wanted != flags {
            syscall!(fcntl(fd.as_raw_fd(), libc::F_SETFD, wanted))?;
        }
    }
    Ok(())
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

/// `accept4(2)`, close-on-exec.
pub fn accept(fd: BorrowedFd<'_>) -> io::Result<(OwnedFd, SockAddr)> {
    let (connection, address) = SockRef::from(&fd).accept4(libc::SOCK_CLOEXEC)?;
    Ok((connection.into(), address))
}

/// `accept4(2)`, close-on-exec, for families such as `AF_ALG`: their peers have no address, and `accept4` fails when it is asked for one.
pub fn accept_unnamed(fd: BorrowedFd<'_>) -> io::Result<(OwnedFd, SockAddr)> {
    // SAFETY: with null pointers the call writes no address. The new descriptor has no other owner.
    let connection = unsafe {
        let fd = syscall!(accept4(fd.as_raw_fd(), ptr::null_mut(), ptr::null_mut(), libc::SOCK_CLOEXEC))?;
        OwnedFd::from_raw_fd(fd)
    };
    Ok((connection, no_address()))
}

/// An address of length 0, which stands for no address.
pub fn no_address() -> SockAddr {
    // SAFETY: the length of 0 is within the storage, and no byte of it is read.
    unsafe { SockAddr::new(SockAddrStorage::zeroed(), 0) }
}

/// `getsockname(2)`.
pub fn getsockname(fd: BorrowedFd<'_>) -> io::Result<SockAddr> {
    SockRef::from(&fd).local_addr()
}

/// `getpeername(2)`.
pub fn getpeername(fd: BorrowedFd<'_>) -> io::Result<SockAddr> {
    SockRef::from(&fd).peer_addr()
}

/// `getsockopt(SO_PEERNAME)`: like `getpeername(2)`, and also the peer of a connection that has ended. `AF_INET` and `AF_INET6` only.
pub fn former_peer(fd: BorrowedFd<'_>) -> io::Result<SockAddr> {
    let size = match getsockopt_int(fd, libc::SOL_SOCKET, libc::SO_DOMAIN)? {
        libc::AF_INET => size_of::<libc::sockaddr_in>(),
        libc::AF_INET6 => size_of::<libc::sockaddr_in6>(),
        _ => return Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)),
    };
    let mut storage = SockAddrStorage::zeroed();
    let mut length = socklen(size);
    // SAFETY: the kernel writes at most `length` bytes, and a storage has more. A storage is valid for any bytes.
    unsafe {
        let value = (&raw mut storage).cast();
        syscall!(getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERNAME, value, &raw mut length))?;
        Ok(SockAddr::new(storage, length))
    }
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

/// `getsockopt(2)` of an int option.
pub fn getsockopt_int(fd: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<c_int> {
    Ok(c_int::from_ne_bytes(getsockopt_value(fd, level, name)?))
}

/// `getsockopt(2)` of a 64-bit option, as those of `AF_VSOCK`.
pub fn getsockopt_u64(fd: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<u64> {
    Ok(u64::from_ne_bytes(getsockopt_value(fd, level, name)?))
}

/// The first `N` bytes of an option's value; a shorter value is followed by zeros.
fn getsockopt_value<const N: usize>(fd: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<[u8; N]> {
    let mut value = [0; N];
    getsockopt(fd, level, name, &mut value)?;
    Ok(value)
}

/// `getsockopt(2)` into `buffer`; how many bytes the option has, which may be more than the buffer takes.
pub fn getsockopt(fd: BorrowedFd<'_>, level: c_int, name: c_int, buffer: &mut [u8]) -> io::Result<usize> {
    let unit = option_unit(level, name);
    let mut length = socklen(buffer.len() / unit);
    // SAFETY: the kernel writes at most `length` units, for which `buffer` has room. Not guaranteed by the kernel's interface, but true of
    // its options: none but the one that `option_unit` knows counts in anything but bytes.
    unsafe { syscall!(getsockopt(fd.as_raw_fd(), level, name, buffer.as_mut_ptr().cast(), &raw mut length)) }?;
    Ok(length as usize * unit)
}

/// How many bytes one of an option's length stands for. `SO_GET_FILTER` counts the instructions of a filter: given the size of a buffer in
/// bytes, the kernel would write eight times as much.
pub fn option_unit(level: c_int, name: c_int) -> usize {
    match (level, name) {
        (libc::SOL_SOCKET, libc::SO_GET_FILTER) => size_of::<libc::sock_filter>(),
        _ => 1,
    }
}

/// `setsockopt(2)` to the bytes of `value`.
pub fn setsockopt(fd: BorrowedFd<'_>, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads at most `length` bytes, and `value` has that size.
    unsafe {
        let length = socklen(value.len());
        syscall!(setsockopt(fd.as_raw_fd(), level, name, value.as_ptr().cast(), length)).map(drop)
    }
}

/// `setsockopt(2)` with a length and no value, which some options require (`socket.setsockopt(level, name, None, length)`).
pub fn setsockopt_null(fd: BorrowedFd<'_>, level: c_int, name: c_int, length: u32) -> io::Result<()> {
    // SAFETY: for a null pointer the kernel reads nothing, or fails with EFAULT.
    unsafe { syscall!(setsockopt(fd.as_raw_fd(), level, name, ptr::null(), length)).map(drop) }
}

/// `ioctl(SIOCINQ)`: how many bytes can be read; of datagrams, those of the next one. See tcp(7), udp(7), unix(7).
pub fn siocinq(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    ioctl_int(fd, libc::FIONREAD)
}

/// `ioctl(SIOCOUTQ)`: how many bytes the send queue has; over TCP those that the peer has not acknowledged. See tcp(7).
pub fn siocoutq(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    ioctl_int(fd, libc::TIOCOUTQ)
}

/// A request of `ioctl(2)` that answers with an int.
fn ioctl_int(fd: BorrowedFd<'_>, request: libc::Ioctl) -> io::Result<c_int> {
    let mut answer: c_int = 0;
    // SAFETY: the callers' requests write one int.
    unsafe { syscall!(ioctl(fd.as_raw_fd(), request, &raw mut answer)) }?;
    Ok(answer)
}

fn socklen(length: usize) -> libc::socklen_t {
    libc::socklen_t::try_from(length).unwrap_or(libc::socklen_t::MAX)
}
