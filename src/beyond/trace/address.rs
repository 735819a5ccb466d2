//! Addresses in a trace.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString, PyTuple};
use socket2::SockAddr;

use super::line::Line;
use super::words;
use crate::address::unix;
use crate::interpreter::number::plain_long;
use crate::interpreter::text::utf8;
use crate::sys::memory;

/// Whether an address says more than the family: a port, or a path.
pub fn is_complete(address: &SockAddr) -> bool {
    match address.as_socket() {
        Some(ip) => ip.port() != 0,
        None => true,
    }
}

/// The address as JSON: see `docs/trace-format.md`.
pub fn write_json(line: &mut Line, address: &SockAddr) {
    if let Some(v4) = address.as_socket_ipv4() {
        line.format(format_args!("[\"{}\",{}]", v4.ip(), v4.port()));
    } else if let Some(v6) = address.as_socket_ipv6() {
        line.format(format_args!("[\"{}\",{},{},{}]", v6.ip(), v6.port(), u32::from_be(v6.flowinfo()), v6.scope_id()));
    } else if i32::from(address.family()) == libc::AF_UNIX {
        line.json_bytes(unix::path_of(address));
    } else {
        line.format(format_args!("\"family {}\"", address.family()));
    }
}

/// The address that a program has given or got, as JSON; false if it is none.
pub fn write_python(line: &mut Line, address: &Bound<'_, PyAny>) -> bool {
    if let Ok(path) = address.cast_exact::<PyString>() {
        line.json_text(utf8(path).unwrap_or("?"));
    } else if let Ok(path) = address.cast_exact::<PyBytes>() {
        line.json_text(&memory::try_format(format_args!("{}", path.as_bytes().escape_ascii())).unwrap_or_default());
    } else if let Some((host, port)) = host_and_port(address) {
        line.push("[");
        line.json_text(&host);
        line.format(format_args!(",{port}"));
        if let Ok(tuple) = address.cast_exact::<PyTuple>() {
            for item in tuple.iter().skip(2) {
                line.format(format_args!(",{}", plain_long(&item).unwrap_or(0)));
            }
        }
        line.push("]");
    } else if address.is_exact_instance_of::<PyTuple>() {
        let mut text = Line::default();
        words::object(&mut text, address, 0);
        line.json_text(text.text().unwrap_or("?"));
    } else {
        return false;
    }
    true
}

/// The path of an address of `AF_UNIX`; `None` for any other, or for lack of memory.
pub fn path(address: &Bound<'_, PyAny>) -> Option<String> {
    let path = address.cast_exact::<PyString>().ok()?;
    memory::try_to_string(utf8(path)?).ok()
}

/// The host and the port of an address of `AF_INET` or `AF_INET6`.
pub fn host_and_port(address: &Bound<'_, PyAny>) -> Option<(String, i64)> {
    let tuple = address.cast_exact::<PyTuple>().ok().filter(|tuple| (2..=4).contains(&tuple.len()))?;
    let (host, port) = (tuple.get_item(0).ok()?, tuple.get_item(1).ok()?);
    let port = plain_long(&port).filter(|_| port.is_instance_of::<PyInt>())?;
    let host = match (host.cast_exact::<PyString>(), host.cast_exact::<PyBytes>()) {
        (Ok(host), _) => memory::try_to_string(utf8(host)?).ok()?,
        (_, Ok(host)) => memory::try_format(format_args!("{}", host.as_bytes().escape_ascii())).ok()?,
        _ => return None,
    };
    Some((host, port))
}
