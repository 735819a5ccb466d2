//! `getnameinfo(3)`.

use std::ffi::{CStr, c_int};
use std::net::SocketAddrV6;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use socket2::SockAddr;

use crate::error::{Error, Result};
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::audit::audit;
use crate::interpreter::format::{Format, Object, Text};
use crate::interpreter::function::Table;
use crate::interpreter::make::{self, IntoObject};
use crate::names::ip::numeric;
use crate::names::lookup;
use crate::sys::memory;
use crate::sys::resolver::Hints;

/// `getnameinfo`.
pub static FUNCTIONS: Table = functions![
    function c"getnameinfo" => getnameinfo, c"getnameinfo($module, sockaddr, flags, /)\n--\n\n\
        The names of an address's host and service, as (host, service).\n\n\
        The address is (host, port[, flowinfo[, scope_id]]) with a numeric host; the flags are NI_ constants. Raises gaierror when\n\
        there is no result. See getnameinfo(3) and RFC 3493.";
];

/// `getnameinfo(sockaddr, flags)`.
fn getnameinfo<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let (address, flags) = name_query(arguments)?;
    let Endpoint { host, port, flowinfo, scope_id } = Endpoint::parse(&address)?;
    audit(py, c"socket.getnameinfo", (address.as_any(),))?;
    let given = match (numeric(host, libc::AF_UNSPEC), u16::try_from(port)) {
        (Some(ip), Ok(port)) => ip.with_port(port),
        _ => parsed(py, host, port)?,
    };
    let found = match given.as_socket_ipv6() {
        // `SocketAddrV6` keeps the flow information in network byte order.
        Some(found) => SocketAddrV6::new(*found.ip(), found.port(), flowinfo.to_be(), scope_id).into(),
        None if address.len() != 2 => return Err(Error::os("IPv4 sockaddr must be 2 tuple")),
        None => given,
    };
    let (host, service) = lookup::getnameinfo(py, found, flags, None)?;
    (make::utf8(py, host.to_bytes())?, make::utf8(py, service.to_bytes())?).into_object(py)
}

/// The address that `getaddrinfo(3)` reads from a numeric host in any of its forms, such as `127.1`, and from any port.
fn parsed(py: Python<'_>, host: &CStr, port: c_int) -> Result<SockAddr> {
    let service = memory::until_nul(memory::try_format(format_args!("{port}"))?.as_bytes())?;
    let hints = Hints { kind: libc::SOCK_DGRAM, flags: libc::AI_NUMERICHOST, ..Hints::default() };
    match lookup::getaddrinfo(py, Some(host), Some(&service), hints, None)?.as_slice() {
        [answer] => Ok(answer.address.clone()),
        _ => Err(Error::os("sockaddr resolved to multiple addresses")),
    }
}

fn name_query<'py>(arguments: Arguments<'_, 'py>) -> Result<(Bound<'py, PyTuple>, c_int)> {
    const FORMAT: Format<(Object, c_int)> = Format::new(c"Oi:getnameinfo");
    let (address, flags) = FORMAT.tuple(&arguments.tuple()?, (None, 0))?;
    match address.map(Bound::cast_into) {
        Some(Ok(address)) => Ok((address, flags)),
        _ => Err(Error::type_error("getnameinfo() argument 1 must be a tuple")),
    }
}

/// The items of the address tuple.
struct Endpoint<'a> {
    host: &'a CStr,
    port: c_int,
    flowinfo: u32,
    scope_id: u32,
}

impl<'a> Endpoint<'a> {
    fn parse(address: &'a Bound<'_, PyTuple>) -> Result<Self> {
        const FORMAT: Format<(Text, c_int, u32, u32)> = Format::new(c"si|II;getnameinfo(): illegal sockaddr argument");
        let (host, port, flowinfo, scope_id) = FORMAT.tuple(address, (None, 0, 0, 0))?;
        if flowinfo > 0xf_ffff {
            return Err(Error::overflow("getnameinfo(): flowinfo must be 0-1048575."));
        }
        Ok(Endpoint { host: host.unwrap_or_default(), port, flowinfo, scope_id })
    }
}
