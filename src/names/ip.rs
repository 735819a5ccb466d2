//! IP addresses and their text.

use std::ffi::{CStr, c_int};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

use pyo3::prelude::*;
use socket2::SockAddr;

use crate::interpreter::{ObjectResult, make};
use crate::sys::presentation;

/// An IPv4 or IPv6 address. `Ipv6Addr` has no scope: a socket address adds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ip {
    /// IPv4.
    V4(Ipv4Addr),
    /// IPv6.
    V6(Ipv6Addr),
}

impl Ip {
    /// The IP address of a socket address; `None` for one of another family.
    pub fn of(address: &SockAddr) -> Option<Self> {
        let v4 = address.as_socket_ipv4().map(|address| Ip::V4(*address.ip()));
        v4.or_else(|| address.as_socket_ipv6().map(|address| Ip::V6(*address.ip())))
    }

    /// A socket address with this port, and without flow information or scope.
    pub fn with_port(self, port: u16) -> SockAddr {
        match self {
            Ip::V4(ip) => SocketAddrV4::new(ip, port).into(),
            Ip::V6(ip) => SocketAddrV6::new(ip, port, 0, 0).into(),
        }
    }

    /// `AF_INET` or `AF_INET6`.
    pub fn family(self) -> c_int {
        match self {
            Ip::V4(_) => libc::AF_INET,
            Ip::V6(_) => libc::AF_INET6,
        }
    }

    /// The address as text, in the form of `inet_ntop(3)`.
    pub fn text(self, py: Python<'_>) -> ObjectResult<'_> {
        match self {
            Ip::V4(ip) => v4_text(py, ip),
            Ip::V6(ip) => v6_text(py, ip),
        }
    }
}

impl From<Ip> for IpAddr {
    fn from(ip: Ip) -> Self {
        match ip {
            Ip::V4(ip) => ip.into(),
            Ip::V6(ip) => ip.into(),
        }
    }
}

/// An IPv4 address as text, in the form of `inet_ntop(3)`.
fn v4_text(py: Python<'_>, ip: Ipv4Addr) -> ObjectResult<'_> {
    let mut text = [0; "255.255.255.255".len()];
    let mut rest = &mut text[..];
    // Cannot fail: the buffer has room for the longest address.
    let _ = write!(rest, "{ip}");
    let left = rest.len();
    make::utf8(py, &text[..text.len() - left])
}

/// An IPv6 address as text, in the form of `inet_ntop(3)`.
fn v6_text(py: Python<'_>, ip: Ipv6Addr) -> ObjectResult<'_> {
    let mut text = [0; presentation::LONGEST_V6];
    make::utf8(py, presentation::ntop_v6(ip, &mut text).to_bytes())
}

/// The address in a numeric `name`, of this family, or of either for `AF_UNSPEC`; `None` for any other name. A name with a scope
/// (`fe80::1%eth0`) does not count as numeric, because its interface must be looked up.
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
    fn a_numeric_v4_address_is_what_inet_pton_accepts() {
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
    fn a_name_with_a_scope_is_not_numeric() {
        assert_eq!(numeric(c"::1", libc::AF_UNSPEC), Some(Ip::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(numeric(c"::1%1", libc::AF_UNSPEC), None);
        assert_eq!(numeric(c"::1", libc::AF_INET), None);
        assert_eq!(numeric(c"1.2.3.4", libc::AF_INET6), None);
    }
}
