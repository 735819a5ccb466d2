//! Socket options that tell what a socket is, or change what a transfer means.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{IPPROTO_TCP, SOL_SOCKET};
use socket2::{SockAddr, SockAddrStorage};

use crate::sys::option::{getsockopt_int, getsockopt_u64};
use crate::syscall;

/// `SO_PROTOCOL`: the protocol of a socket.
pub fn protocol(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    getsockopt_int(fd, SOL_SOCKET, libc::SO_PROTOCOL)
}

/// `SO_DOMAIN`: the family of a socket.
pub fn family(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    getsockopt_int(fd, SOL_SOCKET, libc::SO_DOMAIN)
}

/// `SO_COOKIE`: the kernel's number for a socket, which no other socket gets.
pub fn cookie(fd: BorrowedFd<'_>) -> io::Result<u64> {
    getsockopt_u64(fd, SOL_SOCKET, libc::SO_COOKIE)
}

/// `getsockopt(SO_PEERNAME)`: like `getpeername(2)`, and also the peer of a connection that has ended. `AF_INET` and `AF_INET6` only.
pub fn former_peer(fd: BorrowedFd<'_>) -> io::Result<SockAddr> {
    let size = match family(fd)? {
        libc::AF_INET => size_of::<libc::sockaddr_in>(),
        libc::AF_INET6 => size_of::<libc::sockaddr_in6>(),
        _ => return Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)),
    };
    let mut storage = SockAddrStorage::zeroed();
    let mut length = size as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, and a storage has more. A storage is valid for any bytes.
    unsafe {
        let value = (&raw mut storage).cast();
        syscall!(getsockopt(fd.as_raw_fd(), SOL_SOCKET, libc::SO_PEERNAME, value, &raw mut length))?;
        Ok(SockAddr::new(storage, length))
    }
}

/// `ioctl(SIOCOUTQ)`: how many bytes the send queue has; over TCP those that the peer has not acknowledged. See tcp(7).
pub fn unsent(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    let mut answer: c_int = 0;
    // SAFETY: the request writes one int.
    unsafe { syscall!(ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut answer)) }?;
    Ok(answer)
}

/// The option of `IPPROTO_TCP` that lets the first send connect; not in `libc`.
const TCP_FASTOPEN_CONNECT: c_int = 30;
/// The options with 64-bit times, as 32-bit systems number them; not in `libc`.
const SO_TIMESTAMPING_NEW: c_int = 65;
const SO_SNDTIMEO_NEW: c_int = 67;

/// Whether the options of this family have 64 bits.
pub const fn has_64_bit_options(family: c_int) -> bool {
    family == libc::AF_VSOCK
}

/// Whether, with this option, a send that is split into two calls would wait twice, get two time stamps or two completions, or leave at two
/// times. Where time stamps and completions lie in the error queue, `poll` also reports an error between the two, and there is none.
pub const fn forbids_split_sends(level: c_int, option: c_int) -> bool {
    matches!(
        (level, option),
        (
            SOL_SOCKET,
            libc::SO_SNDTIMEO
                | SO_SNDTIMEO_NEW
                | libc::SO_TIMESTAMPING
                | SO_TIMESTAMPING_NEW
                | libc::SO_TXTIME
                | libc::SO_ZEROCOPY
        ) | (IPPROTO_TCP, TCP_FASTOPEN_CONNECT)
    )
}

/// Whether, with this option, the socket carries records instead of bytes.
pub const fn makes_records(level: c_int, option: c_int) -> bool {
    matches!((level, option), (IPPROTO_TCP, libc::TCP_ULP) | (libc::SOL_TLS, _))
}

/// Those of these options that a descriptor is asked for: of any socket, and of a TCP socket.
pub const ASKED: &[(c_int, c_int)] = &[
    (SOL_SOCKET, libc::SO_SNDTIMEO),
    (SOL_SOCKET, libc::SO_TIMESTAMPING),
    (SOL_SOCKET, libc::SO_TXTIME),
    (SOL_SOCKET, libc::SO_ZEROCOPY),
];
/// See [`ASKED`].
pub const ASKED_OF_TCP: &[(c_int, c_int)] = &[(IPPROTO_TCP, TCP_FASTOPEN_CONNECT), (IPPROTO_TCP, libc::TCP_ULP)];
