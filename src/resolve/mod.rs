//! Names and addresses: `getaddrinfo(3)`, `getnameinfo(3)` and the older `gethostby…(3)`.
//!
//! A numeric address needs no resolver, and no other thread gets the GIL for it. Whatever else is asked goes to the C library, detached.
//!
//! | file | what |
//! | --- | --- |
//! | [`addrinfo`] | `getaddrinfo` |
//! | [`nameinfo`] | `getnameinfo` |
//! | [`hosts`] | `gethostbyname`, `gethostbyname_ex`, `gethostbyaddr` |
//! | [`idna`] | names as they go over the wire |
//! | [`errors`] | `gaierror` and `herror` |

pub mod addrinfo;
pub mod errors;
pub mod hosts;
pub mod idna;
pub mod nameinfo;

use std::ffi::{CStr, c_int};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyModule;
use socket2::SockAddr;

use crate::address::inet;
use crate::error::{Error, Result};
use crate::interpreter::function::{Returned, Table};
use crate::interpreter::{make, owned};
use crate::sys::resolver::{self, AddrInfo, Failure, Hints};
use crate::{functions, sys};

/// `getaddrinfo` as the public package has it.
static PUBLIC: Table = functions![
    keywords c"getaddrinfo" => addrinfo::getaddrinfo_of_members, c"getaddrinfo($module, /, host, port, family=0, type=0, proto=0, flags=0)\n--\n\n\
        What to make sockets of for a host and a port: a list of (family, type, proto, canonname, address).\n\n\
        host is a name, an IP address or None; port is a number, the name of a service or None. The others narrow the list; 0 takes\n\
        all, and flags are AI_ constants. Raises gaierror when there is no answer. See getaddrinfo(3) and RFC 3493.";
];

/// The function `getaddrinfo` of the public package.
pub fn public_getaddrinfo<'py>(module: &Bound<'py, PyModule>) -> Returned<'py> {
    let py = module.py();
    let name = make::text(py, "socket")?;
    // SAFETY: a static entry of a table made for a module, that module, and a name.
    unsafe {
        let function = ffi::PyCFunction_NewEx(PUBLIC.as_ptr(), module.as_ptr(), name.as_ptr());
        owned(py, function)
    }
}

/// Functions of the module that resolve.
pub static FUNCTIONS: Table = functions![
    keywords c"getaddrinfo" => addrinfo::getaddrinfo, c"getaddrinfo($module, host, port, family=0, type=0, proto=0, flags=0)\n--\n\n\
        The addresses that a host and a port stand for, as a list of (family, type, proto, canonname, address).\n\n\
        The host is a name or a numeric address, or None for this machine; the port is a number, the name of a service or None. The\n\
        others narrow the answer down; 0 takes all. Raises gaierror when there is no answer. See getaddrinfo(3) and RFC 3493.";
    function c"gethostbyaddr" => hosts::gethostbyaddr, c"gethostbyaddr($module, host, /)\n--\n\n\
        The name of a host, its other names and its addresses, as (name, [alias], [address]).\n\n\
        The host is a numeric address, IPv4 or IPv6, or a name. Raises herror or gaierror when it is not known. See gethostbyaddr(3).";
    function c"gethostbyname" => hosts::gethostbyname, c"gethostbyname($module, host, /)\n--\n\n\
        The first IPv4 address of a host, as text such as '127.0.0.1'.\n\n\
        Raises gaierror when it has none; getaddrinfo() knows IPv6 as well. See gethostbyname(3).";
    function c"gethostbyname_ex" => hosts::gethostbyname_ex, c"gethostbyname_ex($module, host, /)\n--\n\n\
        The name of a host, its other names and its IPv4 addresses, as (name, [alias], [address]).\n\n\
        Raises herror or gaierror when it is not known. See gethostbyname(3).";
    function c"getnameinfo" => nameinfo::getnameinfo, c"getnameinfo($module, sockaddr, flags, /)\n--\n\n\
        The names of the host and the service at an address, as (host, service).\n\n\
        The address is (host, port[, flowinfo[, scope_id]]) with a numeric host; the flags are NI_ constants. Raises gaierror when\n\
        there is no answer. See getnameinfo(3) and RFC 3493.";
];

/// An IP address of either version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ip {
    /// Of version 4.
    V4(Ipv4Addr),
    /// Of version 6.
    V6(Ipv6Addr),
}

impl Ip {
    fn of(address: &SockAddr) -> Option<Self> {
        let v4 = address.as_socket_ipv4().map(|address| Ip::V4(*address.ip()));
        v4.or_else(|| address.as_socket_ipv6().map(|address| Ip::V6(*address.ip())))
    }

    fn with_port(self, port: u16) -> SockAddr {
        match self {
            Ip::V4(ip) => SocketAddrV4::new(ip, port).into(),
            Ip::V6(ip) => SocketAddrV6::new(ip, port, 0, 0).into(),
        }
    }

    fn family(self) -> c_int {
        match self {
            Ip::V4(_) => libc::AF_INET,
            Ip::V6(_) => libc::AF_INET6,
        }
    }

    fn text(self, py: Python<'_>) -> Returned<'_> {
        match self {
            Ip::V4(ip) => inet::v4_text(py, ip),
            Ip::V6(ip) => inet::v6_text(py, ip),
        }
    }
}

/// The address of a host for a socket of this family, or of any for `AF_UNSPEC`.
///
/// The empty name is the wildcard, and `<broadcast>` the address that all machines on the network listen to.
pub fn host(py: Python<'_>, name: &CStr, family: c_int) -> Result<Ip> {
    match name.to_bytes() {
        b"" => return wildcard(py, family),
        b"<broadcast>" if [libc::AF_INET, libc::AF_UNSPEC].contains(&family) => return Ok(Ip::V4(Ipv4Addr::BROADCAST)),
        b"<broadcast>" | b"255.255.255.255" if family != libc::AF_INET && family != libc::AF_UNSPEC => {
            return Err(Error::os("address family mismatched"));
        }
        _ => {}
    }
    if let Some(ip) = numeric(name, family) {
        return Ok(ip);
    }
    let answers = ask(py, Some(name), None, Hints { family, ..Hints::default() })?;
    let first = answers.first().and_then(|first| Ip::of(&first.address));
    first.ok_or_else(|| Error::os("unknown address family"))
}

fn wildcard(py: Python<'_>, family: c_int) -> Result<Ip> {
    match family {
        libc::AF_INET => return Ok(Ip::V4(Ipv4Addr::UNSPECIFIED)),
        libc::AF_INET6 => return Ok(Ip::V6(Ipv6Addr::UNSPECIFIED)),
        _ => {}
    }
    let hints = Hints { family, kind: libc::SOCK_DGRAM, flags: libc::AI_PASSIVE, ..Hints::default() };
    match ask(py, None, Some(c"0"), hints)?.as_slice() {
        [only] => Ip::of(&only.address).ok_or_else(|| Error::os("unsupported address family")),
        _ => Err(Error::os("wildcard resolved to multiple address")),
    }
}

/// The address that is written out in `name`, of this family or of any for `AF_UNSPEC`. One with a scope is not, as its interface has to be
/// looked up.
fn numeric(name: &CStr, family: c_int) -> Option<Ip> {
    if [libc::AF_INET, libc::AF_UNSPEC].contains(&family)
        && let Some(ip) = name.to_str().ok().and_then(|name| name.parse().ok())
    {
        return Some(Ip::V4(ip));
    }
    if [libc::AF_INET6, libc::AF_UNSPEC].contains(&family) && !name.to_bytes().contains(&b'%') {
        return match sys::presentation::pton(libc::AF_INET6, name) {
            Ok(Some(IpAddr::V6(ip))) => Some(Ip::V6(ip)),
            _ => None,
        };
    }
    None
}

/// Asks the C library, detached.
fn ask(py: Python<'_>, host: Option<&CStr>, service: Option<&CStr>, hints: Hints) -> Result<Vec<AddrInfo>> {
    Ok(py.detach(|| resolver::getaddrinfo(host, service, hints))?)
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::AddrInfo(code) => Error::AddrInfo(code as isize),
            Failure::System(errno) => Error::errno(errno),
            Failure::Host(code) => Error::Host(code as isize),
            Failure::NoMemory => Error::NoMemory,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    #[test]
    fn numeric_v4_is_what_the_c_library_takes() {
        let parts = ["0", "00", "1", "01", "255", "256", "", "+1", "-1", "0x1", " 1", "1 ", "1000"];
        let endings = ["", ".", ".0", "%lo", "/8"];
        let tails = parts.iter().flat_map(|part| endings.map(|ending| format!("{part}{ending}")));
        let names = tails.flat_map(|tail| parts.map(|part| format!("1.{part}.2.{tail}")));
        for name in names {
            let name = CString::new(name).unwrap();
            let expected = sys::presentation::pton(libc::AF_INET, &name).unwrap();
            let found = numeric(&name, libc::AF_INET).map(|ip| match ip {
                Ip::V4(ip) => IpAddr::V4(ip),
                Ip::V6(ip) => IpAddr::V6(ip),
            });
            assert_eq!(found, expected, "{name:?}");
        }
    }

    #[test]
    fn a_scope_is_not_numeric() {
        assert_eq!(numeric(c"::1", libc::AF_UNSPEC), Some(Ip::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(numeric(c"::1%1", libc::AF_UNSPEC), None);
        assert_eq!(numeric(c"::1", libc::AF_INET), None);
        assert_eq!(numeric(c"1.2.3.4", libc::AF_INET6), None);
    }
}
