//! Services and protocols.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use pyo3::prelude::*;

use crate::error::Error;
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::function::Table;
use crate::interpreter::make::{self, IntoObject};
use crate::sys::database;
use crate::{audit, functions, parse_tuple};

/// Functions of the module that look services and protocols up.
pub static FUNCTIONS: Table = functions![
    function c"getprotobyname" => getprotobyname, c"getprotobyname($module, protocolname, /)\n--\n\n\
        The number of an Internet protocol, such as 6 for 'tcp'.\n\n\
        Raises OSError for a protocol that is not known. See getprotobyname(3) and protocols(5).";
    function c"getservbyname" => getservbyname, c"\
        The port of a service by its name and, optionally, the name of a protocol: 80 for 'http' and 'tcp'.\n\n\
        The protocol is 'tcp' or 'udp'; without one, any will do. Raises OSError for a service that is not known.\n\
        See getservbyname(3) and services(5).";
    function c"getservbyport" => getservbyport, c"\
        The name of the service on a port and, optionally, by a protocol's name: 'http' for 80 and 'tcp'.\n\n\
        The protocol is 'tcp' or 'udp'; without one, any will do. Raises OverflowError for a port that is not within\n\
        0 and 65535, and OSError for one that has no service. See getservbyport(3) and services(5).";
];

fn getservbyname<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let tuple = arguments.tuple()?;
    let (mut name, mut protocol): (*const c_char, *const c_char) = (ptr::null(), ptr::null());
    parse_tuple!(&tuple, c"s|s:getservbyname", &raw mut name, &raw mut protocol)?;
    audit!(py, c"socket.getservbyname", c"ss", name, protocol)?;
    // SAFETY: a string and, where it was given, another, which the tuple holds.
    let (name, protocol) = unsafe { (CStr::from_ptr(name), given(protocol)) };
    match py.detach(|| database::getservbyname(name, protocol))? {
        Some(port) => port.into_object(py),
        None => Err(Error::os("service/proto not found")),
    }
}

fn getservbyport<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let tuple = arguments.tuple()?;
    let (mut number, mut protocol): (c_int, *const c_char) = (0, ptr::null());
    parse_tuple!(&tuple, c"i|s:getservbyport", &raw mut number, &raw mut protocol)?;
    let port = u16::try_from(number).map_err(|_| Error::overflow("getservbyport: port must be 0-65535."))?;
    audit!(py, c"socket.getservbyport", c"is", number, protocol)?;
    // SAFETY: a string that the tuple holds, where it was given.
    let protocol = unsafe { given(protocol) };
    match py.detach(|| database::getservbyport(port, protocol))? {
        Some(name) => make::utf8(py, name.to_bytes()),
        None => Err(Error::os("port/proto not found")),
    }
}

fn getprotobyname<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let tuple = arguments.tuple()?;
    let mut name: *const c_char = ptr::null();
    parse_tuple!(&tuple, c"s:getprotobyname", &raw mut name)?;
    // SAFETY: a string that the tuple holds.
    let name = unsafe { CStr::from_ptr(name) };
    match py.detach(|| database::getprotobyname(name))? {
        Some(number) => number.into_object(py),
        None => Err(Error::os("protocol not found")),
    }
}

/// An optional argument that a parser left null when it was not given.
///
/// # Safety
///
/// `string` is null, or a string that lives for `'a`.
unsafe fn given<'a>(string: *const c_char) -> Option<&'a CStr> {
    // SAFETY: as the caller promises.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) })
}
