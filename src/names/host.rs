//! The look-up of one host, for an address that is given to `connect` or `bind` (CPython's `setipaddr`).

use std::ffi::{CStr, c_int};
use std::net::{Ipv4Addr, Ipv6Addr};

use pyo3::prelude::*;

use super::ip::{Ip, numeric};
use super::lookup::getaddrinfo;
use crate::error::{Error, Result};
use crate::sys::resolver::Hints;

/// The first address of a host, of this family, or of any family for `AF_UNSPEC`. Detaches the thread if the name is not numeric.
///
/// The empty name is the wildcard address, and `<broadcast>` the IPv4 broadcast address.
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
    let answers = getaddrinfo(py, Some(name), None, Hints { family, ..Hints::default() }, None)?;
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
    match getaddrinfo(py, None, Some(c"0"), hints, None)?.as_slice() {
        [only] => Ip::of(&only.address).ok_or_else(|| Error::os("unsupported address family")),
        _ => Err(Error::os("wildcard resolved to multiple address")),
    }
}
