//! The socket calls. A descriptor that is -1 is refused with EBADF by the kernel, or here where `socket2` would panic.

use std::ffi::c_int;
use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::ptr;

use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, SockRef, Socket, Type};

use crate::syscall;

/// Borrows a descriptor for one call.
fn borrow<R>(fd: RawFd, call: impl FnOnce(SockRef<'_>) -> io::Result<R>) -> io::Result<R> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: not -1, and borrowed for this one call. That the number still belongs to the socket it was read from is not
    // guaranteed here: the caller holds a lease, or the GIL, for that.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    call(SockRef::from(&fd))
}

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
pub fn dup(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: takes and returns plain numbers; a new descriptor is ours.
    unsafe { syscall!(fcntl(fd, libc::F_DUPFD_CLOEXEC, 0)).map(|fd| OwnedFd::from_raw_fd(fd)) }
}

/// `dup3(2)`: makes `target` another name of what `source` names, closing what it named before.
pub fn dup_onto(source: RawFd, target: RawFd) -> io::Result<()> {
    // SAFETY: takes and returns plain numbers; the caller owns `target`.
    unsafe { syscall!(dup3(source, target, libc::O_CLOEXEC)).map(drop) }
}

/// `close(2)`, once and without a second try (the number is free even after EINTR); ECONNRESET is no failure.
pub fn close(fd: RawFd) -> io::Result<()> {
    // SAFETY: takes a plain number; the caller owns it, or says that it does by calling `socket.close(fd)`.
    match unsafe { syscall!(close(fd)) } {
        Err(error) if error.raw_os_error() != Some(libc::ECONNRESET) => Err(error),
        _ => Ok(()),
    }
}

/// `ioctl(FIONBIO)`: sets or clears `O_NONBLOCK` in one call.
pub fn set_nonblocking(fd: RawFd, nonblocking: bool) -> io::Result<()> {
    let mut flag = c_int::from(nonblocking);
    // SAFETY: FIONBIO reads one int.
    unsafe { syscall!(ioctl(fd, libc::FIONBIO, &raw mut flag)).map(drop) }
}

/// Whether the descriptor is inherited by a program that `exec` starts.
pub fn inheritable(fd: RawFd) -> io::Result<bool> {
    // SAFETY: takes and returns plain numbers.
    let flags = unsafe { syscall!(fcntl(fd, libc::F_GETFD)) }?;
    Ok(flags & libc::FD_CLOEXEC == 0)
}

/// Sets whether the descriptor is inherited by a program that `exec` starts.
pub fn set_inheritable(fd: RawFd, inheritable: bool) -> io::Result<()> {
    let request = if inheritable { libc::FIONCLEX } else { libc::FIOCLEX };
    // SAFETY: these requests take no argument.
    unsafe { syscall!(ioctl(fd, request)).map(drop) }
}

/// `bind(2)`.
pub fn bind(fd: RawFd, address: &SockAddr) -> io::Result<()> {
    borrow(fd, |socket| socket.bind(address))
}

/// `connect(2)`.
pub fn connect(fd: RawFd, address: &SockAddr) -> io::Result<()> {
    borrow(fd, |socket| socket.connect(address))
}

/// `listen(2)`.
pub fn listen(fd: RawFd, backlog: c_int) -> io::Result<()> {
    borrow(fd, |socket| socket.listen(backlog))
}

/// `accept4(2)`, close-on-exec.
pub fn accept(fd: RawFd) -> io::Result<(OwnedFd, SockAddr)> {
    borrow(fd, |socket| {
        let (connection, address) = socket.accept4(libc::SOCK_CLOEXEC)?;
        Ok((connection.into(), address))
    })
}

/// `accept4(2)`, close-on-exec, for families such as AF_ALG whose peers have no address and that refuse to be asked for one.
pub fn accept_unnamed(fd: RawFd) -> io::Result<(OwnedFd, SockAddr)> {
    // SAFETY: null pointers mean that no address is wanted; a new descriptor is ours.
    let connection = unsafe {
        let fd = syscall!(accept4(fd, ptr::null_mut(), ptr::null_mut(), libc::SOCK_CLOEXEC))?;
        OwnedFd::from_raw_fd(fd)
    };
    Ok((connection, no_address()))
}

/// The address of length 0 that stands for none.
pub fn no_address() -> SockAddr {
    // SAFETY: of a length of 0 nothing is read.
    unsafe { SockAddr::new(SockAddrStorage::zeroed(), 0) }
}

/// `getsockname(2)`.
pub fn getsockname(fd: RawFd) -> io::Result<SockAddr> {
    borrow(fd, |socket| socket.local_addr())
}

/// `getpeername(2)`.
pub fn getpeername(fd: RawFd) -> io::Result<SockAddr> {
    borrow(fd, |socket| socket.peer_addr())
}

/// `shutdown(2)`; `how` is passed on as it is.
pub fn shutdown(fd: RawFd, how: c_int) -> io::Result<()> {
    // SAFETY: takes plain numbers.
    unsafe { syscall!(shutdown(fd, how)).map(drop) }
}

/// `recv(2)`.
#[inline]
pub fn recv(fd: RawFd, buffer: &mut [MaybeUninit<u8>], flags: c_int) -> io::Result<usize> {
    borrow(fd, |socket| socket.recv_with_flags(buffer, flags))
}

/// `recvfrom(2)`.
#[inline]
pub fn recvfrom(fd: RawFd, buffer: &mut [MaybeUninit<u8>], flags: c_int) -> io::Result<(usize, SockAddr)> {
    borrow(fd, |socket| socket.recv_from_with_flags(buffer, flags))
}

/// `send(2)`. A broken pipe is an error, not a signal: Python ignores SIGPIPE, and `flags` are the caller's.
#[inline]
pub fn send(fd: RawFd, data: &[u8], flags: c_int) -> io::Result<usize> {
    borrow(fd, |socket| socket.send_with_flags(data, flags))
}

/// `sendto(2)`.
#[inline]
pub fn sendto(fd: RawFd, data: &[u8], address: &SockAddr, flags: c_int) -> io::Result<usize> {
    borrow(fd, |socket| socket.send_to_with_flags(data, address, flags))
}

/// `sendfile(2)` from a file's `offset`, which the file's own position does not follow.
pub fn sendfile(out: RawFd, file: RawFd, offset: i64, count: usize) -> io::Result<usize> {
    let mut offset = offset;
    // SAFETY: `offset` is read and written during the call only.
    let sent = unsafe { syscall!(sendfile(out, file, &raw mut offset, count)) }?;
    Ok(sent.cast_unsigned())
}

/// `getsockopt(2)` of an int.
pub fn getsockopt_int(fd: RawFd, level: c_int, name: c_int) -> io::Result<c_int> {
    getsockopt_value(fd, level, name)
}

/// `getsockopt(2)` of a 64-bit number, as AF_VSOCK has them.
pub fn getsockopt_u64(fd: RawFd, level: c_int, name: c_int) -> io::Result<u64> {
    getsockopt_value(fd, level, name)
}

fn getsockopt_value<T: Default>(fd: RawFd, level: c_int, name: c_int) -> io::Result<T> {
    let mut value = T::default();
    let mut length = socklen(mem::size_of::<T>());
    // SAFETY: the kernel writes at most `length` bytes, the size of `value`, which is a plain number.
    unsafe { syscall!(getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut length)) }?;
    Ok(value)
}

/// `getsockopt(2)` into `buffer`; how much of it the option took.
pub fn getsockopt(fd: RawFd, level: c_int, name: c_int, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = socklen(buffer.len());
    // SAFETY: the kernel writes at most `length` bytes, the size of `buffer`.
    unsafe { syscall!(getsockopt(fd, level, name, buffer.as_mut_ptr().cast(), &raw mut length)) }?;
    Ok(length as usize)
}

/// `setsockopt(2)` to the bytes of `value`.
pub fn setsockopt(fd: RawFd, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads the bytes of `value` only.
    unsafe {
        let length = socklen(value.len());
        syscall!(setsockopt(fd, level, name, value.as_ptr().cast(), length)).map(drop)
    }
}

/// `setsockopt(2)` with a length and no value, as some options want it (`socket.setsockopt(level, name, None, length)`).
pub fn setsockopt_null(fd: RawFd, level: c_int, name: c_int, length: u32) -> io::Result<()> {
    // SAFETY: from a null pointer the kernel reads nothing, or refuses with EFAULT.
    unsafe { syscall!(setsockopt(fd, level, name, ptr::null(), length)).map(drop) }
}

fn socklen(length: usize) -> libc::socklen_t {
    libc::socklen_t::try_from(length).unwrap_or(libc::socklen_t::MAX)
}

/// The size of a file, where its descriptor is one of a regular file.
pub fn file_size(fd: RawFd) -> io::Result<i64> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: when the call succeeds it has filled `status`.
    let status = unsafe {
        syscall!(fstat(fd, status.as_mut_ptr()))?;
        status.assume_init()
    };
    Ok(status.st_size)
}

/// Takes over a descriptor that is known by its number.
pub fn own(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: not -1. That nobody else owns it is for the caller to know.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The number of a descriptor.
pub fn number(fd: &OwnedFd) -> RawFd {
    fd.as_raw_fd()
}

/// Gives an owned descriptor up to be kept as a number.
pub fn release(fd: OwnedFd) -> RawFd {
    fd.into_raw_fd()
}
