//! On which sockets a transfer is tried first, with `MSG_DONTWAIT`, before it waits: where that means the same as the transfer itself.

use std::ffi::c_int;
use std::os::fd::BorrowedFd;

use super::Socket;
use crate::sys;
use crate::sys::wait::Direction;

/// In which directions no attempt is made, as a set of bits.
pub type Closed = u8;

/// Receives are not tried.
pub const READ: Closed = 1;
/// Sends are not tried.
pub const WRITE: Closed = 2;

/// What a direction is in the set.
pub const fn bit(direction: Direction) -> Closed {
    match direction {
        Direction::Read => READ,
        Direction::Write => WRITE,
    }
}

/// A socket of this kind: stream and datagram sockets of the families whose `MSG_DONTWAIT` is known. Others may wait all the same
/// (CAN_ISOTP), do long work in the call (netlink, packet), or have a meaning of their own for it.
pub const fn of_kind(family: c_int, kind: c_int, proto: c_int) -> Closed {
    let known = match (family, kind) {
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_STREAM) => proto == 0 || proto == libc::IPPROTO_TCP,
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_DGRAM) => proto == 0 || proto == libc::IPPROTO_UDP,
        (libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_DGRAM) => true,
        _ => false,
    };
    if known { 0 } else { READ | WRITE }
}

/// `IPPROTO_TCP`'s option by which the first send connects; not in `libc`.
const TCP_FASTOPEN_CONNECT: c_int = 30;
/// The options for times of 64 bits, by which 32-bit systems know them; not in `libc`.
const SO_TIMESTAMPING_NEW: c_int = 65;
const SO_SNDTIMEO_NEW: c_int = 67;

/// What an option changes that was set.
pub const fn of_option(level: c_int, option: c_int) -> Closed {
    match (level, option) {
        // An attempt returns fewer bytes than the program wants to wait for.
        (libc::SOL_SOCKET, libc::SO_RCVLOWAT) => READ,
        // A send in two calls waits twice, is stamped twice, or leaves at two times.
        (libc::SOL_SOCKET, libc::SO_SNDTIMEO | SO_SNDTIMEO_NEW) => WRITE,
        (libc::SOL_SOCKET, libc::SO_TIMESTAMPING | SO_TIMESTAMPING_NEW | libc::SO_TXTIME) => WRITE,
        (libc::IPPROTO_TCP, TCP_FASTOPEN_CONNECT) => WRITE,
        // Records instead of bytes.
        (libc::IPPROTO_TCP, libc::TCP_ULP) | (libc::SOL_TLS, _) => READ | WRITE,
        _ => 0,
    }
}

/// What the options of a descriptor change that somebody else has made.
pub fn of_descriptor(fd: BorrowedFd<'_>, family: c_int, kind: c_int) -> Closed {
    let unless = |level, option, usual: &[u8]| {
        let mut value = [0; 16];
        match sys::socket::getsockopt(fd, level, option, &mut value) {
            Ok(length) if value[..length.min(value.len())].strip_prefix(usual).is_none_or(is_set) => {
                of_option(level, option)
            }
            _ => 0,
        }
    };
    let mut closed = unless(libc::SOL_SOCKET, libc::SO_RCVLOWAT, &1i32.to_ne_bytes())
        | unless(libc::SOL_SOCKET, libc::SO_SNDTIMEO, &[])
        | unless(libc::SOL_SOCKET, libc::SO_TIMESTAMPING, &[]);
    if matches!((family, kind), (libc::AF_INET | libc::AF_INET6, libc::SOCK_STREAM)) {
        closed |= unless(libc::IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &[]) | unless(libc::IPPROTO_TCP, libc::TCP_ULP, &[]);
    }
    closed
}

fn is_set(value: &[u8]) -> bool {
    value.iter().any(|&byte| byte != 0)
}

impl Socket {
    /// The directions in which no attempt is made.
    pub fn without_attempts(&self) -> Closed {
        self.without_attempts.load(super::Ordering::Relaxed)
    }

    /// Leaves attempts out in these directions, for good.
    pub fn leave_attempts_out(&self, closed: Closed) {
        let closed = self.without_attempts.fetch_or(closed, super::Ordering::Relaxed) | closed;
        for direction in [Direction::Read, Direction::Write] {
            if closed & bit(direction) != 0 {
                self.readiness(direction).close_to_attempts();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_kinds_are_tried() {
        assert_eq!(of_kind(libc::AF_INET, libc::SOCK_STREAM, 0), 0);
        assert_eq!(of_kind(libc::AF_INET6, libc::SOCK_DGRAM, libc::IPPROTO_UDP), 0);
        assert_eq!(of_kind(libc::AF_UNIX, libc::SOCK_DGRAM, 0), 0);
        assert_eq!(of_kind(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_MPTCP), READ | WRITE);
        assert_eq!(of_kind(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_ICMP), READ | WRITE);
        assert_eq!(of_kind(libc::AF_INET, libc::SOCK_RAW, 0), READ | WRITE);
        assert_eq!(of_kind(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0), READ | WRITE);
        assert_eq!(of_kind(libc::AF_NETLINK, libc::SOCK_RAW, 0), READ | WRITE);
    }
}
