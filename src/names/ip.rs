//! IP addresses, and their text.

use std::ffi::{CStr, c_int};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

use pyo3::prelude::*;
use socket2::SockAddr;

use crate::interpreter::{ObjectResult, make};
use crate::sys::presentation;

/// An IP address of either version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ip {
    /// Of version 4.
    V4(Ipv4Addr),
    /// Of version 6.
    V6(Ipv6Addr),
}

impl Ip {
    /// The IP address of a socket address; `None` for one of another family.
    pub fn of(address: &SockAddr) -> Option<Self> {
        let v4 = address.as_socket_ipv4().map(|address| Ip::V4(*address.ip()));
        v4.or_else(|| address.as_socket_ipv6().map(|address| Ip::V6(*address.ip())))
    }

    /// A socket address with this port.
    pub fn with_port(self, port: u16) -> SockAddr {
        match self {
            Ip::V4(ip) => SocketAddrV4::new(ip, port).into(),
            Ip::V6(ip) => SocketAddrV6::new(ip, port, 0, 0).into(),
        }
    }

    /// The address family of its sockets.
    pub fn family(self) -> c_int {
        match self {
            Ip::V4(_) => libc::AF_INET,
            Ip::V6(_) => libc::AF_INET6,
        }
    }

    /// Its text, as `inet_ntop(3)` writes it.
    pub fn text(self, py: Python<'_>) -> ObjectResult<'_> {
        match self {
            Ip::V4(ip) => v4_text(py, ip),
            Ip::V6(ip) => v6_text(py, ip),
        }
    }
}

/// The text of an IPv4 address, as `inet_ntop(3)` writes it.
fn v4_text(py: Python<'_>, ip: Ipv4Addr) -> ObjectResult<'_> {
    let mut text = [0; "255.255.255.255".len()];
    let mut rest = &mut text[..];
    // As long as the longest there is: it cannot fail.
    let _ = write!(rest, "{ip}");
    let left = rest.len();
    make::utf8(py, &text[..text.len() - left])
}

/// The text of an IPv6 address, as `inet_ntop(3)` writes it.
fn v6_text(py: Python<'_>, ip: Ipv6Addr) -> ObjectResult<'_> {
    let mut text = [0; presentation::LONGEST_V6];
    make::utf8(py, presentation::ntop_v6(ip, &mut text).to_bytes())
}

/// The address that is written out in `name`, of this family or of any for `AF_UNSPEC`. One with a scope is not, as its interface has to be
/// looked up.
pub fn numeric(name: &CStr, family: c_int) -> Option<Ip> {
    if [libc::AF_INET, libc::AF_UNSPEC].contains(&family)
        && let Some(ip) = name.to_str().ok().and_then(|name| name.parse().ok())
    {
        return Some(Ip::V4(ip));
    }
    if [libc::AF_INET6, libc::AF_UNSPEC].contains(&family) && !name.to_bytes().contains(&b'%') {
        return match presentation::pton(libc::AF_INET6, name) {
            Ok(Some(IpAddr::V6(ip))) => Some(Ip::V6(ip)),
            _ => None,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no inet_pton")]
    fn numeric_v4_is_what_the_c_library_takes() {
        let parts = ["0", "00", "1", "01", "255", "256", "", "+1", "-1", "0x1", " 1", "1 ", "1000"];
        let endings = ["", ".", ".0", "%lo", "/8"];
        let tails = parts.iter().flat_map(|part| endings.map(|ending| format!("{part}{ending}")));
        let names = tails.flat_map(|tail| parts.map(|part| format!("1.{part}.2.{tail}")));
        for name in names {
            let name = CString::new(name).unwrap();
            let expected = presentation::pton(libc::AF_INET, &name).unwrap();
            let found = numeric(&name, libc::AF_INET).map(|ip| match ip {
                Ip::V4(ip) => IpAddr::V4(ip),
                Ip::V6(ip) => IpAddr::V6(ip),
            });
            assert_eq!(found, expected, "{name:?}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no inet_pton")]
    fn a_scope_is_not_numeric() {
        assert_eq!(numeric(c"::1", libc::AF_UNSPEC), Some(Ip::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(numeric(c"::1%1", libc::AF_UNSPEC), None);
        assert_eq!(numeric(c"::1", libc::AF_INET), None);
        assert_eq!(numeric(c"1.2.3.4", libc::AF_INET6), None);
    }
}
