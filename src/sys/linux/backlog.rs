//! The backlog of a TCP listener, by `sock_diag(7)`.

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

use crate::sys::listener::Backlog;
use crate::sys::receive::ReceiveBuffer;
use crate::sys::socket;

/// Not in `libc`: `linux/netlink.h`, `linux/sock_diag.h` and `net/tcp_states.h`.
const NETLINK_SOCK_DIAG: c_int = 4;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const STATE_LISTEN: u8 = 10;

const HEADER: usize = size_of::<libc::nlmsghdr>();
/// `struct inet_diag_req_v2`: 8 bytes, and a `struct inet_diag_sockid`.
const REQUEST: usize = HEADER + 8 + 48;
/// `struct inet_diag_msg`: 4 bytes, a `struct inet_diag_sockid`, and five numbers.
const ANSWER: usize = HEADER + 4 + 48 + 20;

/// The backlog of the listener of this machine that would get a connection from `client` to `server`; `None` if there is no such listener.
///
/// The kernel answers in the call that sends the request, so this does not wait.
pub fn backlog(server: SocketAddr, client: SocketAddr) -> io::Result<Option<Backlog>> {
    let diag = socket::socket(libc::AF_NETLINK, libc::SOCK_DGRAM, NETLINK_SOCK_DIAG)?;
    socket::send(diag.as_fd(), &request(server, client), 0)?;
    let mut memory = [MaybeUninit::uninit(); 512];
    let mut answer = ReceiveBuffer::uninit(&mut memory);
    socket::recv(diag.as_fd(), &mut answer, libc::MSG_DONTWAIT)?;
    Ok(parse(answer.filled()))
}

/// The request for one socket. It looks a socket up as the kernel does for a packet from `client` to `server`.
fn request(server: SocketAddr, client: SocketAddr) -> [u8; REQUEST] {
    let family = if server.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let mut request = [0; REQUEST];
    request[0..4].copy_from_slice(&(REQUEST as u32).to_ne_bytes());
    request[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request[6..8].copy_from_slice(&(libc::NLM_F_REQUEST as u16).to_ne_bytes());
    let body = &mut request[HEADER..];
    body[0] = family as u8;
    body[1] = libc::IPPROTO_TCP as u8;
    // The states that are wanted: all.
    body[4..8].fill(0xff);
    let id = &mut body[8..];
    id[0..2].copy_from_slice(&server.port().to_be_bytes());
    id[2..4].copy_from_slice(&client.port().to_be_bytes());
    id[4..20].copy_from_slice(&octets(server.ip()));
    id[20..36].copy_from_slice(&octets(client.ip()));
    // Any interface, which is 0, and any cookie.
    id[40..48].fill(0xff);
    request
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&ip.octets());
            octets
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// The backlog in an answer; `None` for an error, and for a socket that does not listen.
fn parse(answer: &[u8]) -> Option<Backlog> {
    let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
    let number = |offset: usize| Some(u32::from_ne_bytes(answer.get(offset..offset + 4)?.try_into().ok()?));
    if kind != SOCK_DIAG_BY_FAMILY || answer.len() < ANSWER || answer[HEADER + 1] != STATE_LISTEN {
        return None;
    }
    let numbers = HEADER + 4 + 48;
    Some(Backlog { waiting: number(numbers + 4)?, limit: number(numbers + 8)? })
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no sockets")]
    fn connections_that_wait_are_counted() {
        for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
            let Ok(listener) = TcpListener::bind((ip, 0)) else {
                continue; // no IPv6
            };
            let server = listener.local_addr().unwrap();
            let client = SocketAddr::new(ip, 1);
            let before = backlog(server, client).unwrap();
            let Some(before) = before else {
                return; // this kernel does not answer
            };
            assert!(before.waiting == 0 && before.limit > 0 && !before.is_full());
            let _connection = TcpStream::connect(server).unwrap();
            assert_eq!(backlog(server, client).unwrap(), Some(Backlog { waiting: 1, ..before }));
            drop(listener);
            assert_eq!(backlog(server, client).unwrap(), None);
        }
    }

    #[test]
    fn an_answer_that_is_cut_or_an_error_has_no_backlog() {
        let mut answer = [0; ANSWER];
        answer[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        answer[HEADER + 1] = STATE_LISTEN;
        answer[ANSWER - 16..ANSWER - 12].copy_from_slice(&3u32.to_ne_bytes());
        answer[ANSWER - 12..ANSWER - 8].copy_from_slice(&7u32.to_ne_bytes());
        assert_eq!(parse(&answer), Some(Backlog { waiting: 3, limit: 7 }));
        assert_eq!(parse(&answer[..ANSWER - 1]), None);
        answer[4..6].copy_from_slice(&(libc::NLMSG_ERROR as u16).to_ne_bytes());
        assert_eq!(parse(&answer), None);
        assert_eq!(parse(&[]), None);
    }
}
