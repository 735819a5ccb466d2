//! Conversions of IP addresses: packed and as text.

use std::ffi::{CStr, c_int};
use std::net::{IpAddr, Ipv4Addr};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::Error;
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::buffer::{Buffer, Readable};
use crate::interpreter::clinic::{Only, clinic_doc, parsable, parse_only};
use crate::interpreter::format::{Format, Text};
use crate::interpreter::function::Table;
use crate::interpreter::make;
use crate::interpreter::text::c_string;
use crate::names::ip::Ip;
use crate::sys::presentation;

/// Functions of the module that convert IP addresses.
pub static FUNCTIONS: Table = functions![
    only c"inet_aton" => inet_aton, clinic_doc!("inet_aton($self, ip_addr, /)\n--\n\n", "inet_aton($module, ip_addr, /)\n--\n\n",
        "The 4 bytes of an IPv4 address, in network byte order.\n\nAlso accepts the old forms, such as '127.1' and '0x7f.0.0.1'. \
        Raises OSError for text that is not an address. See inet_aton(3);\ninet_pton() is stricter and knows IPv6.");
    only c"inet_ntoa" => inet_ntoa, clinic_doc!("inet_ntoa($self, packed_ip, /)\n--\n\n", "inet_ntoa($module, packed_ip, /)\n--\n\n",
        "The text of an IPv4 address, given as its 4 bytes in network byte order.\n\nRaises OSError for any other length. See inet_ntoa(3).");
    function c"inet_ntop" => inet_ntop, c"inet_ntop($module, af, packed_ip, /)\n--\n\n\
        The text of an address, given as its 4 bytes (AF_INET) or 16 bytes (AF_INET6) in network byte order.\n\n\
        Raises ValueError for another family or length. See inet_ntop(3).";
    function c"inet_pton" => inet_pton, c"inet_pton($module, af, ip, /)\n--\n\n\
        The 4 bytes (AF_INET) or 16 bytes (AF_INET6) of an address, in network byte order, given as text.\n\n\
        Raises OSError for text that is not an address of the family, and for another family. See inet_pton(3).";
];

fn inet_aton<'py>(py: Python<'py>, address: Only<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(Text,)> = Format::new(c"s:inet_aton");
    let address = parsable(address)?;
    let text = parse_only(FORMAT, &address, None)?;
    match presentation::aton(text.unwrap_or_default()) {
        Some(packed) => make::bytes(py, &packed),
        None => Err(Error::os("illegal IP address string passed to inet_aton")),
    }
}

fn inet_ntoa<'py>(py: Python<'py>, packed: Only<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(Readable,)> = Format::new(c"y*:inet_ntoa");
    let packed = parse_only(FORMAT, &parsable(packed)?, None)?;
    match <[u8; 4]>::try_from(packed.as_ref().map_or(&[][..], Buffer::bytes)) {
        Ok(packed) => Ip::V4(Ipv4Addr::from(packed)).text(py),
        Err(_) => Err(Error::os("packed IP wrong length for inet_ntoa")),
    }
}

fn inet_pton<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(c_int, Text)> = Format::new(c"is:inet_pton");
    if arguments.len() == 2
        && let (Some(family), Some(address)) = (arguments.plain_int(0, 0), arguments.get(1))
        && let Some(address) = c_string(&address)
    {
        return pton(py, family, address);
    }
    let tuple = arguments.tuple()?;
    let (family, address) = FORMAT.tuple(&tuple, (0, None))?;
    pton(py, family, address.unwrap_or_default())
}

fn pton<'py>(py: Python<'py>, family: c_int, address: &CStr) -> ObjectResult<'py> {
    match presentation::pton(family, address)? {
        Some(IpAddr::V4(ip)) => make::bytes(py, &ip.octets()),
        Some(IpAddr::V6(ip)) => make::bytes(py, &ip.octets()),
        None => Err(Error::os("illegal IP address string passed to inet_pton")),
    }
}

fn inet_ntop<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(c_int, Readable)> = Format::new(c"iy*:inet_ntop");
    if arguments.len() == 2
        && let (Some(family), Some(packed)) = (arguments.plain_int(0, 0), arguments.get(1))
        && let Ok(packed) = packed.cast::<PyBytes>()
    {
        return ntop(py, family, packed.as_bytes());
    }
    let (family, packed) = FORMAT.tuple(&arguments.tuple()?, (0, None))?;
    ntop(py, family, packed.as_ref().map_or(&[], Buffer::bytes))
}

fn ntop<'py>(py: Python<'py>, family: c_int, packed: &[u8]) -> ObjectResult<'py> {
    let ip = match family {
        libc::AF_INET => <[u8; 4]>::try_from(packed).map(|ip| Ip::V4(ip.into())),
        libc::AF_INET6 => <[u8; 16]>::try_from(packed).map(|ip| Ip::V6(ip.into())),
        _ => return Err(Error::value(format_args!("unknown address family {family}"))),
    };
    match ip {
        Ok(ip) => ip.text(py),
        Err(_) => Err(Error::value("invalid length of packed IP address string")),
    }
}
