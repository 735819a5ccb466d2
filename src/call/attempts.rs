//! The sockets on which a transfer may begin with a first attempt.
//!
//! A first attempt is the system call of the transfer with `MSG_DONTWAIT`, made attached, before the thread detaches and waits. It is
//! made only where it means the same as the call without that flag.

use std::ffi::c_int;
use std::os::fd::BorrowedFd;

use crate::sys;
use crate::sys::options;
use crate::sys::wait::Direction;

/// A set of directions, one bit for each.
pub type Directions = u8;

/// Receives.
pub const READ: Directions = 1;
/// Sends.
pub const WRITE: Directions = 2;

/// The bit of a direction in the set.
pub const fn bit(direction: Direction) -> Directions {
    match direction {
        Direction::Read => READ,
        Direction::Write => WRITE,
    }
}

/// The directions in which a socket of this kind allows no first attempt. None are excluded for the kinds whose behaviour with `MSG_DONTWAIT`
/// is known: streams and datagrams of IP, and all kinds of UNIX sockets. Both are excluded for every other socket. Other sockets may block
/// in spite of the flag (`CAN_ISOTP`), may run for a long time in the call (netlink, packet), or may give the flag a meaning of their own.
pub const fn excluded_by_kind(family: c_int, kind: c_int, proto: c_int) -> Directions {
    let known = match (family, kind) {
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_STREAM) => proto == 0 || proto == libc::IPPROTO_TCP,
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_DGRAM) => proto == 0 || proto == libc::IPPROTO_UDP,
        (libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_DGRAM | libc::SOCK_SEQPACKET) => true,
        _ => false,
    };
    match (known, keeps_dontwait(Direction::Write)) {
        (true, true) => 0,
        (true, false) => WRITE,
        (false, _) => READ | WRITE,
    }
}

/// Whether a call with `MSG_DONTWAIT` never waits. Where it may, a send is made only after `poll`, detached, and is interrupted at its deadline.
pub const fn keeps_dontwait(direction: Direction) -> bool {
    match direction {
        Direction::Read => true,
        Direction::Write => sys::message::SENDS_KEEP_DONTWAIT,
    }
}

/// The directions in which a socket with this option allows no first attempt.
pub const fn excluded_by_option(level: c_int, option: c_int) -> Directions {
    match (level, option) {
        // `MSG_DONTWAIT` ignores the option: an attempt would return fewer bytes than the program wants to wait for.
        (libc::SOL_SOCKET, libc::SO_RCVLOWAT) => READ,
        _ if options::forbids_split_sends(level, option) => WRITE,
        _ if options::makes_records(level, option) => READ | WRITE,
        _ => 0,
    }
}

/// The directions in which a descriptor made by other code allows no first attempt, because of options that are set on it.
///
/// Not guaranteed: that an option set later, through a duplicate of the descriptor, is noticed.
pub fn excluded_by_descriptor(fd: BorrowedFd<'_>, family: c_int, kind: c_int) -> Directions {
    let excluded_unless = |level, option, default: &[u8]| {
        let mut value = [0; 16];
        match sys::socket::getsockopt(fd, level, option, &mut value) {
            Ok(length) if value[..length.min(value.len())].strip_prefix(default).is_none_or(is_set) => {
                excluded_by_option(level, option)
            }
            _ => 0,
        }
    };
    let is_tcp = matches!((family, kind), (libc::AF_INET | libc::AF_INET6, libc::SOCK_STREAM));
    let asked = options::ASKED.iter().chain(options::ASKED_OF_TCP.iter().filter(|_| is_tcp));
    asked.fold(
        excluded_unless(libc::SOL_SOCKET, libc::SO_RCVLOWAT, &1i32.to_ne_bytes()),
        |excluded, &(level, option)| excluded | excluded_unless(level, option, &[]),
    )
}

fn is_set(value: &[u8]) -> bool {
    value.iter().any(|&byte| byte != 0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn first_attempts_are_allowed_on_known_kinds_only() {
        assert_eq!(excluded_by_kind(libc::AF_INET, libc::SOCK_STREAM, 0), 0);
        assert_eq!(excluded_by_kind(libc::AF_INET6, libc::SOCK_DGRAM, libc::IPPROTO_UDP), 0);
        assert_eq!(excluded_by_kind(libc::AF_UNIX, libc::SOCK_DGRAM, 0), 0);
        assert_eq!(excluded_by_kind(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_MPTCP), READ | WRITE);
        assert_eq!(excluded_by_kind(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_ICMP), READ | WRITE);
        assert_eq!(excluded_by_kind(libc::AF_INET, libc::SOCK_RAW, 0), READ | WRITE);
        assert_eq!(excluded_by_kind(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0), 0);
        assert_eq!(excluded_by_kind(libc::AF_NETLINK, libc::SOCK_RAW, 0), READ | WRITE);
    }
}
