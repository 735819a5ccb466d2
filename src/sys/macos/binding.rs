//! When two sockets may be bound to the same port, by the kernel's own rules (`in_pcbbind`), as far as they are simple: only of sockets
//! without `SO_REUSEADDR` and `SO_REUSEPORT` it is said that they may not share one.

use std::io;
use std::os::fd::BorrowedFd;

use super::options;
use crate::sys::option::getsockopt_int;

/// Whether both sockets need a port of their own, where their addresses overlap.
pub fn exclude_each_other(taken: BorrowedFd<'_>, new: BorrowedFd<'_>) -> io::Result<bool> {
    let option = |fd, name| getsockopt_int(fd, libc::SOL_SOCKET, name);
    let kind = option(new, libc::SO_TYPE)?;
    if kind != option(taken, libc::SO_TYPE)? || !matches!(kind, libc::SOCK_STREAM | libc::SOCK_DGRAM) {
        return Ok(false);
    }
    for fd in [taken, new] {
        if option(fd, libc::SO_REUSEADDR)? != 0 || option(fd, libc::SO_REUSEPORT)? != 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a socket that has an IPv6 address is reached by no IPv4 address.
pub fn is_v6_only(fd: BorrowedFd<'_>) -> io::Result<bool> {
    match options::family(fd)? {
        libc::AF_INET6 => Ok(getsockopt_int(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)? != 0),
        _ => Ok(false),
    }
}

/// Whether both are in one network namespace. There is only one.
pub fn same_network(_taken: BorrowedFd<'_>, _new: BorrowedFd<'_>) -> bool {
    true
}
