//! `TCP_INFO` (tcp(7)).

use std::io;
use std::os::fd::BorrowedFd;

use crate::sys::socket::getsockopt;
use crate::sys::traffic::Traffic;

/// The offsets in `struct tcp_info` (`linux/tcp.h`), which `libc` has only in part.
const ROUND_TRIP_TIME: usize = 68;
const BYTES_RECEIVED: usize = 128;
const BYTES_SENT: usize = 200;
const BYTES_RETRANSMITTED: usize = 208;

const STATE_CLOSE: u8 = 7;

/// `getsockopt(TCP_INFO)`: how many bytes the kernel's answer has, which may be more than there is room for.
pub fn tcp_info(fd: BorrowedFd<'_>, room: &mut [u8]) -> io::Result<usize> {
    getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, room)
}

/// How much a connection has carried.
pub fn traffic(fd: BorrowedFd<'_>) -> io::Result<Traffic> {
    let mut info = [0; 216];
    let length = tcp_info(fd, &mut info)?;
    Ok(parse(&info[..length.min(info.len())]))
}

fn parse(info: &[u8]) -> Traffic {
    let number = |offset: usize| Some(u64::from_ne_bytes(info.get(offset..offset + 8)?.try_into().ok()?));
    let sent = number(BYTES_SENT).zip(number(BYTES_RETRANSMITTED)).and_then(|(all, again)| all.checked_sub(again));
    let was_connected = info.get(ROUND_TRIP_TIME..ROUND_TRIP_TIME + 4).is_some_and(|time| time != [0; 4]);
    Traffic { is_over: info.first() == Some(&STATE_CLOSE), was_connected, received: number(BYTES_RECEIVED), sent }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no sockets")]
    fn the_bytes_of_a_connection_are_counted() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut other, _) = listener.accept().unwrap();
        one.write_all(&[1; 5]).unwrap();
        other.read_exact(&mut [0; 5]).unwrap();
        other.write_all(&[2; 7]).unwrap();
        one.read_exact(&mut [0; 7]).unwrap();
        let traffic = traffic(one.as_fd()).unwrap();
        assert!(!traffic.is_over && traffic.was_connected);
        // Older kernels do not count.
        assert!(matches!(traffic.received, Some(7) | None) && matches!(traffic.sent, Some(5) | None));
    }

    #[test]
    fn what_an_older_kernel_does_not_count_is_unknown() {
        let mut info = [0; 216];
        info[0] = STATE_CLOSE;
        info[ROUND_TRIP_TIME] = 1;
        for (offset, bytes) in [(BYTES_RECEIVED, 3_u64), (BYTES_SENT, 9), (BYTES_RETRANSMITTED, 4)] {
            info[offset..offset + 8].copy_from_slice(&bytes.to_ne_bytes());
        }
        assert_eq!(parse(&info), Traffic { is_over: true, was_connected: true, received: Some(3), sent: Some(5) });
        assert_eq!(parse(&info[..200]), Traffic { is_over: true, was_connected: true, received: Some(3), sent: None });
        assert_eq!(parse(&info[..1]), Traffic { is_over: true, was_connected: false, received: None, sent: None });
        assert_eq!(parse(&[]), Traffic { is_over: false, was_connected: false, received: None, sent: None });
    }
}
