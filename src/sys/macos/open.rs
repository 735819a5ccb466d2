//! The calls that make descriptors. They are made close-on-exec afterwards, as CPython does: a program that another thread starts in between
//! inherits them.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use crate::sys::address::no_address;
use crate::sys::inheritance::set_inheritable;
use crate::syscall;

/// The flags that the type of a new socket may carry, with their names: none.
pub const KIND_FLAGS: &[(c_int, &str)] = &[];

/// Whether the type of a new socket carries the flag that makes it non-blocking: there is no such flag.
pub const fn asks_for_nonblocking(_kind: c_int) -> bool {
    false
}

/// Whether a connection inherits `O_NONBLOCK` from its listener.
pub const CONNECTIONS_INHERIT_NONBLOCK: bool = true;

/// Whether the peers of this family's sockets have addresses.
pub fn peers_have_addresses(_family: c_int) -> bool {
    true
}

/// `socket(2)`, close-on-exec.
pub fn socket(family: c_int, kind: c_int, proto: c_int) -> io::Result<OwnedFd> {
    let protocol = Some(Protocol::from(proto));
    close_on_exec(Socket::new_raw(Domain::from(family), Type::from(kind), protocol)?.into())
}

/// `socketpair(2)`, close-on-exec.
pub fn socketpair(family: c_int, kind: c_int, proto: c_int) -> io::Result<(OwnedFd, OwnedFd)> {
    let protocol = Some(Protocol::from(proto));
    let (one, other) = Socket::pair_raw(Domain::from(family), Type::from(kind), protocol)?;
    Ok((close_on_exec(one.into())?, close_on_exec(other.into())?))
}

/// `accept(2)`, close-on-exec.
pub fn accept(fd: BorrowedFd<'_>) -> io::Result<(OwnedFd, SockAddr)> {
    let (connection, address) = SockRef::from(&fd).accept_raw()?;
    Ok((close_on_exec(connection.into())?, address))
}

/// `accept(2)`, close-on-exec, for families whose peers have no address.
pub fn accept_unnamed(fd: BorrowedFd<'_>) -> io::Result<(OwnedFd, SockAddr)> {
    // SAFETY: with null pointers the call writes no address. The new descriptor has no other owner.
    let connection = unsafe {
        let fd = syscall!(accept(fd.as_raw_fd(), ptr::null_mut(), ptr::null_mut()))?;
        OwnedFd::from_raw_fd(fd)
    };
    Ok((close_on_exec(connection)?, no_address()))
}

fn close_on_exec(fd: OwnedFd) -> io::Result<OwnedFd> {
    set_inheritable(fd.as_fd(), false)?;
    Ok(fd)
}
