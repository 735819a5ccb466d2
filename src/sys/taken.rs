//! Whether a bound socket is what keeps another one from being bound (EADDRINUSE), by the kernel's own rules.
//!
//! The rules for ports are the system's `binding`; for names of `AF_UNIX` see unix(7).

use std::ffi::c_int;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::BorrowedFd;
use std::path::Path;

use socket2::SockAddr;

use super::socket::getsockname;
use super::system::binding;

/// Whether the socket `taken` alone keeps `new` from being bound to `address`. If something cannot be found out, the answer is no.
pub fn keeps_from_binding(taken: BorrowedFd<'_>, new: BorrowedFd<'_>, address: &SockAddr) -> bool {
    let conflict = match c_int::from(address.family()) {
        libc::AF_INET | libc::AF_INET6 => port_conflict(taken, new, address),
        libc::AF_UNIX => same_abstract_name(taken, address),
        _ => Ok(false),
    };
    conflict.unwrap_or(false) && binding::same_network(taken, new)
}

/// Whether both sockets would have the same port of overlapping addresses, and may not share it.
fn port_conflict(taken: BorrowedFd<'_>, new: BorrowedFd<'_>, address: &SockAddr) -> io::Result<bool> {
    let taken_address = getsockname(taken)?;
    if port(&taken_address).is_none() || port(&taken_address) != port(address) {
        return Ok(false);
    }
    if !binding::exclude_each_other(taken, new)? {
        return Ok(false);
    }
    let reach = |fd, address: &SockAddr| Ok::<_, io::Error>(Reach::of(address, binding::is_v6_only(fd)?));
    Ok(Reach::overlap(reach(taken, &taken_address)?, reach(new, address)?))
}

fn port(address: &SockAddr) -> Option<u16> {
    address.as_socket().map(|address| address.port()).filter(|&port| port != 0)
}

/// The addresses at which a bound socket is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// An address, with its scope if it belongs to one link.
    One(IpAddr, u32),
    AnyV4,
    AnyV6,
    Any,
}

impl Reach {
    fn of(address: &SockAddr, is_v6_only: bool) -> Option<Self> {
        let scope = address.as_socket_ipv6().map_or(0, |address| address.scope_id());
        Some(match address.as_socket()?.ip().to_canonical() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Reach::AnyV4,
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) if is_v6_only => Reach::AnyV6,
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Reach::Any,
            ip => Reach::One(ip, scope),
        })
    }

    fn overlap(one: Option<Self>, other: Option<Self>) -> bool {
        match (one, other) {
            (Some(Reach::One(..)), Some(Reach::One(..))) => one == other,
            (Some(Reach::Any), Some(_)) | (Some(_), Some(Reach::Any)) => true,
            (Some(one), Some(other)) => one.is_v4() == other.is_v4(),
            _ => false,
        }
    }

    fn is_v4(self) -> bool {
        matches!(self, Reach::AnyV4 | Reach::One(IpAddr::V4(_), _))
    }
}

/// Whether the socket is bound to this name of the abstract namespace. (For a path see [`file_of`].)
fn same_abstract_name(taken: BorrowedFd<'_>, address: &SockAddr) -> io::Result<bool> {
    let taken = getsockname(taken)?;
    let name = address.as_abstract_namespace();
    Ok(name.is_some() && name == taken.as_abstract_namespace())
}

/// Identifies the file of a UNIX socket: its device and inode. While the socket is bound, no other file has the same.
pub fn file_of(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let status = path.symlink_metadata().ok()?;
    Some((status.dev(), status.ino()))
}

#[cfg(test)]
#[cfg(not(miri))] // Miri has no sockets
mod tests {
    use std::net::SocketAddr;
    use std::os::fd::AsFd;

    use socket2::{Domain, Socket, Type};

    use super::*;

    struct Case {
        kind: Type,
        reuse_address: [bool; 2],
        reuse_port: [bool; 2],
        taken_listens: bool,
        at: [&'static str; 2],
    }

    /// Whether we say that the first socket keeps the second from being bound, and whether the kernel refuses it.
    fn outcome(case: &Case) -> Option<(bool, bool)> {
        let at = case.at.map(|address| address.parse::<SocketAddr>().unwrap());
        let new = |index: usize| {
            let socket = Socket::new(Domain::for_address(at[index]), case.kind, None).ok()?;
            socket.set_reuse_address(case.reuse_address[index]).unwrap();
            socket.set_reuse_port(case.reuse_port[index]).unwrap();
            Some(socket)
        };
        let (taken, other) = (new(0)?, new(1)?);
        taken.bind(&at[0].into()).ok()?;
        if case.taken_listens {
            taken.listen(1).unwrap();
        }
        let mut address = at[1];
        address.set_port(taken.local_addr().unwrap().as_socket().unwrap().port());
        let address = SockAddr::from(address);
        let said = keeps_from_binding(taken.as_fd(), other.as_fd(), &address);
        Some((said, other.bind(&address).is_err()))
    }

    #[test]
    fn what_we_say_keeps_a_socket_from_being_bound_does() {
        let mut found = false;
        for kind in [Type::STREAM, Type::DGRAM] {
            for at in [
                ["127.0.0.1:0", "127.0.0.1:0"],
                ["127.0.0.1:0", "0.0.0.0:0"],
                ["0.0.0.0:0", "127.0.0.1:0"],
                ["127.0.0.1:0", "127.0.0.2:0"],
                ["[::1]:0", "[::1]:0"],
                ["[::]:0", "127.0.0.1:0"],
                ["[::]:0", "[::1]:0"],
                ["127.0.0.1:0", "[::]:0"],
                ["127.0.0.1:0", "[::1]:0"],
                ["[::ffff:127.0.0.1]:0", "127.0.0.1:0"],
            ] {
                for bits in 0..16 {
                    let bit = |number: u8| bits & (1 << number) != 0;
                    for taken_listens in [false, kind == Type::STREAM] {
                        let case = Case {
                            kind,
                            reuse_address: [bit(0), bit(1)],
                            reuse_port: [bit(2), bit(3)],
                            taken_listens,
                            at,
                        };
                        if let Some((said, refused)) = outcome(&case) {
                            assert!(!said || refused, "{kind:?} {at:?} {bits:04b} {taken_listens}");
                            found |= said;
                        }
                    }
                }
            }
        }
        assert!(found);
    }

    #[test]
    fn sockets_of_different_kinds_have_ports_of_their_own() {
        let [udp, tcp] = [Type::DGRAM, Type::STREAM].map(|kind| Socket::new(Domain::IPV4, kind, None).unwrap());
        udp.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        assert!(!keeps_from_binding(udp.as_fd(), tcp.as_fd(), &udp.local_addr().unwrap()));
    }

    #[test]
    fn an_abstract_name_is_taken_by_the_socket_that_has_it() {
        let [one, other] = [(); 2].map(|()| Socket::new(Domain::UNIX, Type::STREAM, None).unwrap());
        let name = format!("\0oxisocket-{}", std::process::id());
        let address = SockAddr::unix(name).unwrap();
        assert!(!keeps_from_binding(one.as_fd(), other.as_fd(), &address));
        one.bind(&address).unwrap();
        assert!(keeps_from_binding(one.as_fd(), other.as_fd(), &address));
    }
}
