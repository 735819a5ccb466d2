//! When two sockets may be bound to the same port, by the kernel's own rules: `inet_csk_bind_conflict` for TCP, `udp_lib_lport_inuse` for
//! UDP.

use std::io;
use std::os::fd::BorrowedFd;

use super::options::{self, protocol};
use crate::sys::option::{getsockopt_int, getsockopt_u64};

/// Whether both sockets need a port of their own, where their addresses overlap.
pub fn exclude_each_other(taken: BorrowedFd<'_>, new: BorrowedFd<'_>) -> io::Result<bool> {
    let option = |fd, name| getsockopt_int(fd, libc::SOL_SOCKET, name);
    let both = |name| Ok::<_, io::Error>(option(taken, name)? != 0 && option(new, name)? != 0);
    let kind = option(new, libc::SO_TYPE)?;
    let common = protocol(new)?;
    if kind != option(taken, libc::SO_TYPE)? || common != protocol(taken)? {
        return Ok(false);
    }
    let reusable = match common {
        libc::IPPROTO_TCP => option(taken, libc::SO_ACCEPTCONN)? == 0,
        libc::IPPROTO_UDP => true,
        _ => return Ok(false),
    };
    let shared = (reusable && both(libc::SO_REUSEADDR)?) || both(libc::SO_REUSEPORT)?;
    Ok(!shared && same_interface(taken, new)?)
}

/// Whether the two are not bound to two different network interfaces.
fn same_interface(taken: BorrowedFd<'_>, new: BorrowedFd<'_>) -> io::Result<bool> {
    let interface = |fd| getsockopt_int(fd, libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX);
    let (taken, new) = (interface(taken)?, interface(new)?);
    Ok(taken == 0 || new == 0 || taken == new)
}

/// Whether a socket that has an IPv6 address is reached by no IPv4 address.
pub fn is_v6_only(fd: BorrowedFd<'_>) -> io::Result<bool> {
    match options::family(fd)? {
        libc::AF_INET6 => Ok(getsockopt_int(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)? != 0),
        _ => Ok(false),
    }
}

/// Whether both are in one network namespace. Linux before 5.14 does not tell; few programs have sockets in several.
pub fn same_network(taken: BorrowedFd<'_>, new: BorrowedFd<'_>) -> bool {
    let network = |fd| getsockopt_u64(fd, libc::SOL_SOCKET, libc::SO_NETNS_COOKIE).ok();
    network(taken) == network(new)
}
