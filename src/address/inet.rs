//! `AF_INET` and `AF_INET6`: `(host, port)` and `(host, port[, flowinfo[, scope_id]])` (ip(7), ipv6(7)).

use std::ffi::{CString, c_int};
use std::net::{SocketAddrV4, SocketAddrV6};

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyString, PyTuple};
use socket2::SockAddr;

use super::context::{Context, Origin, tuple};
use super::unknown;
use crate::error::{Error, Exception, Result, is_raised};
use crate::interpreter::buffer::Buffer;
use crate::interpreter::format::{Format, Object};
use crate::interpreter::make::IntoObject;
use crate::interpreter::number::plain_long;
use crate::interpreter::text::utf8;
use crate::interpreter::type_name::type_name;
use crate::names::host::host;
use crate::names::idna;
use crate::names::ip::Ip;
use crate::sys::memory;

/// Parses `(host, port)`. A host that is not numeric is looked up, with the thread detached.
pub fn v4_from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    const FORMAT: Format<(Object, c_int)> = Format::new(c"Oi;AF_INET address must be a pair (host, port)");
    let by_format = |address: &Bound<'_, PyTuple>| {
        let (host, port) = FORMAT.tuple(address, (None, 0))?;
        Parts::new(host, port, 0, 0)
    };
    let parts = Parts::parse(context, tuple(context, "AF_INET", address)?, 2, by_format)?;
    let ip = match parts.ip(address.py(), libc::AF_INET)? {
        Ip::V4(ip) => ip,
        Ip::V6(_) => return Err(Error::os("address family mismatched")),
    };
    let port = parts.port(context)?;
    Ok(SocketAddrV4::new(ip, port).into())
}

/// Parses `(host, port[, flowinfo[, scope_id]])`. A host that is not numeric is looked up, with the thread detached.
pub fn v6_from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    const FORMAT: Format<(Object, c_int, u32, u32)> =
        Format::new(c"Oi|II;AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])");
    let by_format = |address: &Bound<'_, PyTuple>| {
        let (host, port, flowinfo, scope_id) = FORMAT.tuple(address, (None, 0, 0, 0))?;
        Parts::new(host, port, flowinfo, scope_id)
    };
    let parts = Parts::parse(context, tuple(context, "AF_INET6", address)?, 4, by_format)?;
    let ip = match parts.ip(address.py(), libc::AF_INET6)? {
        Ip::V6(ip) => ip,
        Ip::V4(_) => return Err(Error::os("address family mismatched")),
    };
    let port = parts.port(context)?;
    if parts.flowinfo > 0xf_ffff {
        let caller = context.caller;
        return Err(Error::overflow(format_args!("{caller}(): flowinfo must be 0-1048575.")));
    }
    // `SocketAddrV6` keeps the flow information in network byte order.
    let flowinfo = parts.flowinfo.to_be();
    Ok(SocketAddrV6::new(ip, port, flowinfo, parts.scope_id).into())
}

/// The host of a Python address.
enum Host {
    /// A numeric address, which needs no look-up.
    Number(Ip),
    /// Any other name.
    Name(CString),
}

/// The items of the tuple of either family.
struct Parts {
    host: Host,
    port: c_int,
    flowinfo: u32,
    scope_id: u32,
}

impl Parts {
    /// Parses a tuple of at most `most` items: directly if it is plain, or else with a format.
    fn parse(
        context: Context<'_>,
        address: &Bound<'_, PyTuple>,
        most: usize,
        by_format: impl FnOnce(&Bound<'_, PyTuple>) -> Result<Self>,
    ) -> Result<Self> {
        if let Some(parts) = Self::plain(context.family, address)? {
            return Ok(parts);
        }
        // As in CPython, an error of the host, which comes first in the tuple, comes before an error of a later item.
        if (2..=most).contains(&address.len()) {
            let host = host_from_python(&*address.get_borrowed_item(0)?);
            host.map_err(|error| port_out_of_range(context, address.py(), error))?;
        }
        by_format(address).map_err(|error| port_out_of_range(context, address.py(), error))
    }

    fn new(host: Option<Bound<'_, PyAny>>, port: c_int, flowinfo: u32, scope_id: u32) -> Result<Self> {
        let host = host.ok_or_else(|| Error::type_error("a host is required"))?;
        Ok(Parts { host: Host::Name(host_from_python(&host)?), port, flowinfo, scope_id })
    }

    /// The parts of a plain `(str, int)`, as most addresses are; `None` for any other tuple.
    fn plain(family: c_int, address: &Bound<'_, PyTuple>) -> Result<Option<Self>> {
        if address.len() != 2 {
            return Ok(None);
        }
        let host = address.get_borrowed_item(0)?;
        let port = address.get_borrowed_item(1)?;
        let Some(port) = plain_long(&port).and_then(|port| c_int::try_from(port).ok()) else {
            return Ok(None);
        };
        let host = plain_host(family, &host)?;
        Ok(host.map(|host| Parts { host, port, flowinfo: 0, scope_id: 0 }))
    }

    fn ip(&self, py: Python<'_>, family: c_int) -> Result<Ip> {
        match &self.host {
            Host::Number(ip) => Ok(*ip),
            Host::Name(name) => host(py, name, family),
        }
    }

    fn port(&self, context: Context<'_>) -> Result<u16> {
        u16::try_from(self.port).map_err(|_| bad_port(context))
    }
}

fn bad_port(context: Context<'_>) -> Error {
    Error::overflow(format_args!("{}(): port must be 0-65535.", context.caller))
}

/// Turns the `OverflowError` for a number that does not fit a C `int` into the one for a number that is no port, as CPython does.
fn port_out_of_range(context: Context<'_>, py: Python<'_>, error: Error) -> Error {
    match error {
        Error::Raised if is_raised(py, Exception::Overflow) => {
            error.discard(py);
            bad_port(context)
        }
        error => error,
    }
}

/// A host as an ASCII `str`, which needs no IDNA; `None` for any other object.
fn plain_host(family: c_int, host: &Bound<'_, PyAny>) -> Result<Option<Host>> {
    let Some(text) = host.cast::<PyString>().ok().and_then(utf8) else {
        return Ok(None);
    };
    if !text.is_ascii() {
        return Ok(None);
    }
    let number = match family {
        libc::AF_INET6 => text.parse().ok().map(Ip::V6),
        _ => text.parse().ok().map(Ip::V4),
    };
    match number {
        Some(ip) => Ok(Some(Host::Number(ip))),
        None if text.contains('\0') => Ok(None),
        None => Ok(Some(Host::Name(memory::until_nul(text.as_bytes())?))),
    }
}

/// A host as a `str` (encoded in IDNA unless it is ASCII), bytes or bytearray. `TypeError` for any other object, and for a NUL.
pub fn host_from_python(host: &Bound<'_, PyAny>) -> Result<CString> {
    if let Ok(bytes) = host.cast::<PyBytes>() {
        name(bytes.as_bytes())
    } else if host.is_instance_of::<PyByteArray>() {
        name(Buffer::readable(host)?.bytes())
    } else if let Ok(text) = host.cast::<PyString>() {
        match utf8(text) {
            Some(ascii) if ascii.is_ascii() => name(ascii.as_bytes()),
            _ => name(&idna(text)?),
        }
    } else {
        let class = type_name(host);
        Err(Error::type_error(format_args!("str, bytes or bytearray expected, not {class}")))
    }
}

/// A name for the C library. A NUL is refused, because the C library would stop there and look up another name.
fn name(bytes: &[u8]) -> Result<CString> {
    if bytes.contains(&0) {
        return Err(Error::type_error("host name must not contain null character"));
    }
    Ok(memory::until_nul(bytes)?)
}

fn idna(host: &Bound<'_, PyString>) -> Result<Vec<u8>> {
    idna::idna(host).map_err(|error| {
        if error.is_no_memory(host.py()) {
            return error;
        }
        error.discard(host.py());
        Error::type_error("encoding of hostname failed")
    })
}

/// An address as `(host, port)`.
pub fn v4_to_python<'py>(py: Python<'py>, address: &SockAddr, _origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let Some(address) = address.as_socket_ipv4() else {
        return unknown::to_python(py, address);
    };
    (Ip::V4(*address.ip()).text(py)?, address.port()).into_object(py)
}

/// An address as `(host, port, flowinfo, scope_id)`.
pub fn v6_to_python<'py>(py: Python<'py>, address: &SockAddr, _origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let Some(address) = address.as_socket_ipv6() else {
        return unknown::to_python(py, address);
    };
    let flowinfo = u32::from_be(address.flowinfo());
    (Ip::V6(*address.ip()).text(py)?, address.port(), flowinfo, address.scope_id()).into_object(py)
}
