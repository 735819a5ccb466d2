//! The older look-ups of hosts, `gethostbyname(3)` and `gethostbyaddr(3)`.

use std::ffi::{CString, c_int};

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::error::{Error, Result};
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::audit::audit;
use crate::interpreter::format::{Format, HostName};
use crate::interpreter::function::Table;
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::text::c_string;
use crate::names::host::host;
use crate::names::idna::{is_wire_form, refuse_too_long_label};
use crate::names::ip::Ip;
use crate::names::lookup;
use crate::sys::memory;
use crate::sys::resolver::Host;

/// The module's older functions that look hosts up.
pub static FUNCTIONS: Table = functions![
    function c"gethostbyaddr" => gethostbyaddr, c"gethostbyaddr($module, host, /)\n--\n\n\
        The name of a host, its other names and its addresses, as (name, [alias], [address]).\n\n\
        The host is a numeric address, IPv4 or IPv6, or a name. Raises herror or gaierror when it is not known. See gethostbyaddr(3).";
    function c"gethostbyname" => gethostbyname, c"gethostbyname($module, host, /)\n--\n\n\
        The first IPv4 address of a host, as text such as '127.0.0.1'.\n\n\
        Raises gaierror when it has none; getaddrinfo() knows IPv6 as well. See gethostbyname(3).";
    function c"gethostbyname_ex" => gethostbyname_ex, c"gethostbyname_ex($module, host, /)\n--\n\n\
        The name of a host, its other names and its IPv4 addresses, as (name, [alias], [address]).\n\n\
        Raises herror or gaierror when it is not known. See gethostbyname(3).";
];

/// `gethostbyname(host)`.
fn gethostbyname<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let host_argument = HostArgument::parse(arguments, const { Format::new(c"et:gethostbyname") })?;
    audit(py, c"socket.gethostbyname", (&*host_argument.argument,))?;
    host(py, &host_argument.name, libc::AF_INET)?.text(py)
}

/// `gethostbyname_ex(host)`.
fn gethostbyname_ex<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let host_argument = HostArgument::parse(arguments, const { Format::new(c"et:gethostbyname_ex") })?;
    audit(py, c"socket.gethostbyname", (&*host_argument.argument,))?;
    host(py, &host_argument.name, libc::AF_INET)?;
    let found = lookup::gethostbyname(py, &host_argument.name, None)?;
    triple(py, &found, libc::AF_INET)
}

/// `gethostbyaddr(host)`.
fn gethostbyaddr<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let host_argument = HostArgument::parse(arguments, const { Format::new(c"et:gethostbyaddr") })?;
    audit(py, c"socket.gethostbyaddr", (&*host_argument.argument,))?;
    let ip = host(py, &host_argument.name, libc::AF_UNSPEC)?;
    let found = lookup::gethostbyaddr(py, ip, None)?;
    triple(py, &found, ip.family())
}

/// The only argument of the older functions, and the host name that it holds.
struct HostArgument<'a, 'py> {
    argument: Borrowed<'a, 'py, PyAny>,
    name: CString,
}

impl<'a, 'py> HostArgument<'a, 'py> {
    fn parse(arguments: Arguments<'a, 'py>, format: Format<(HostName,)>) -> Result<Self> {
        let argument = if arguments.len() == 1 { arguments.get(0) } else { None };
        let Some(argument) = argument else {
            return Err(Self::refuse_count(arguments, format));
        };
        let name = match c_string(&argument).and_then(|name| Some((name, name.to_str().ok()?))) {
            Some((name, ascii)) if is_wire_form(ascii) => memory::until_nul(name.to_bytes())?,
            _ => Self::name_by_format(arguments, &argument, format)?,
        };
        Ok(HostArgument { argument, name })
    }

    fn refuse_count(arguments: Arguments<'_, '_>, format: Format<(HostName,)>) -> Error {
        let parsed = arguments.tuple().and_then(|tuple| parse_name(&tuple, format));
        parsed.err().unwrap_or_else(|| Error::type_error("one argument expected"))
    }

    fn name_by_format(
        arguments: Arguments<'_, '_>,
        argument: &Bound<'_, PyAny>,
        format: Format<(HostName,)>,
    ) -> Result<CString> {
        if let Ok(host) = argument.cast::<PyString>() {
            refuse_too_long_label(host)?;
        }
        parse_name(&arguments.tuple()?, format)
    }
}

/// Parses a `str` (encoded in IDNA), bytes or bytearray.
fn parse_name(tuple: &Bound<'_, PyTuple>, format: Format<(HostName,)>) -> Result<CString> {
    let (name,) = format.tuple(tuple, (None,))?;
    let name = name.ok_or_else(|| Error::type_error("a host is required"))?;
    Ok(memory::until_nul(name.as_c_str().to_bytes())?)
}

/// A host as `(name, [alias], [address])`.
fn triple<'py>(py: Python<'py>, host: &Host, family: c_int) -> ObjectResult<'py> {
    if host.family != family {
        return Err(Error::errno(libc::EAFNOSUPPORT));
    }
    let aliases = make::list(py)?;
    for alias in &host.aliases {
        make::append(&aliases, make::utf8(py, alias.to_bytes())?)?;
    }
    let addresses = make::list(py)?;
    for address in &host.addresses {
        make::append(&addresses, ip_from_packed(family, address)?.text(py)?)?;
    }
    (make::utf8(py, host.name.to_bytes())?, aliases, addresses).into_object(py)
}

fn ip_from_packed(family: c_int, address: &[u8]) -> Result<Ip> {
    let ip = match family {
        libc::AF_INET => <[u8; 4]>::try_from(address).ok().map(|ip| Ip::V4(ip.into())),
        _ => <[u8; 16]>::try_from(address).ok().map(|ip| Ip::V6(ip.into())),
    };
    ip.ok_or_else(|| Error::os("unsupported address family"))
}
