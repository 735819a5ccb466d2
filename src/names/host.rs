//! Looking up one host: what an address given to `connect` or `bind` names.

use std::ffi::{CStr, c_int};
use std::net::{Ipv4Addr, Ipv6Addr};

use pyo3::prelude::*;

use super::ip::{Ip, numeric};
use crate::error::{Error, Result};
use crate::sys::resolver::{self, AddrInfo, Hints};

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

/// Asks the C library, detached.
pub fn ask(py: Python<'_>, host: Option<&CStr>, service: Option<&CStr>, hints: Hints) -> Result<Vec<AddrInfo>> {
    Ok(py.detach(|| resolver::getaddrinfo(host, service, hints))?)
}
