//! The calls that make descriptors. One call makes a descriptor close-on-exec from the start.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use crate::sys::address::no_address;
use crate::syscall;

/// The flags that the type of a new socket may carry, with their names: close-on-exec, non-blocking.
pub const KIND_FLAGS: &[(c_int, &str)] =
    &[(libc::SOCK_CLOEXEC, "SOCK_CLOEXEC"), (libc::SOCK_NONBLOCK, "SOCK_NONBLOCK")];

/// Whether the type of a new socket carries the flag that makes it non-blocking.
pub const fn asks_for_nonblocking(kind: c_int) -> bool {
    kind & libc::SOCK_NONBLOCK != 0
}

/// Whether a connection inherits `O_NONBLOCK` from its listener.
pub const CONNECTIONS_INHERIT_NONBLOCK: bool = false;

/// Whether the peers of this family's sockets have addresses. `accept4` fails when it is asked for one that there cannot be.
pub fn peers_have_addresses(family: c_int) -> bool {
    family != libc::AF_ALG
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

/// `accept4(2)`, close-on-exec; where there is no such call, `accept(2)`, and close-on-exec afterwards.
pub fn accept(fd: BorrowedFd<'_>) -> io::Result<(OwnedFd, SockAddr)> {
    let listener = SockRef::from(&fd);
    match listener.accept4(libc::SOCK_CLOEXEC) {
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
            let (connection, address) = listener.accept_raw()?;
            connection.set_cloexec(true)?;
            Ok((connection.into(), address))
        }
        accepted => accepted.map(|(connection, address)| (connection.into(), address)),
    }
}

/// `accept4(2)`, close-on-exec, for families whose peers have no address, such as `AF_ALG`.
pub fn accept_unnamed(fd: BorrowedFd<'_>) -> io::Result<(OwnedFd, SockAddr)> {
    // SAFETY: with null pointers the calls write no address. The new descriptor has no other owner.
    let connection = unsafe {
        match syscall!(accept4(fd.as_raw_fd(), ptr::null_mut(), ptr::null_mut(), libc::SOCK_CLOEXEC)) {
            Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
                let fd = syscall!(accept(fd.as_raw_fd(), ptr::null_mut(), ptr::null_mut()))?;
                let connection = Socket::from_raw_fd(fd);
                connection.set_cloexec(true)?;
                connection.into()
            }
            accepted => OwnedFd::from_raw_fd(accepted?),
        }
    };
    Ok((connection, no_address()))
}
