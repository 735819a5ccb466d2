//! Services and protocols by name and number (services(5), protocols(5)).

use std::ffi::{CStr, c_int};

use pyo3::prelude::*;

use crate::call::failure::{Failure, Question};
use crate::call::hooks;
use crate::error::Error;
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::audit::audit;
use crate::interpreter::format::{Format, Text};
use crate::interpreter::function::Table;
use crate::interpreter::make::{self, IntoObject};
use crate::sys::database;

/// The module's functions that look services and protocols up.
pub static FUNCTIONS: Table = functions![
    function c"getprotobyname" => getprotobyname, c"getprotobyname($module, protocolname, /)\n--\n\n\
        The number of an Internet protocol, such as 6 for 'tcp'.\n\n\
        Raises OSError for a protocol that is not known. See getprotobyname(3) and protocols(5).";
    function c"getservbyname" => getservbyname, c"\
        The port of a service by its name and, optionally, the name of a protocol: 80 for 'http' and 'tcp'.\n\n\
        The protocol is 'tcp' or 'udp'; without one, any will do. Raises OSError for a service that is not known.\n\
        See getservbyname(3) and services(5).";
    function c"getservbyport" => getservbyport, c"\
        The name of a service by its port and, optionally, the name of a protocol: 'http' for 80 and 'tcp'.\n\n\
        The protocol is 'tcp' or 'udp'; without one, any will do. Raises OverflowError for a port that is not between\n\
        0 and 65535, and OSError for one that has no service. See getservbyport(3) and services(5).";
];

fn getservbyname<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(Text, Text)> = Format::new(c"s|s:getservbyname");
    let tuple = arguments.tuple()?;
    let (name, protocol) = FORMAT.tuple(&tuple, (None, None))?;
    audit(py, c"socket.getservbyname", (name, protocol))?;
    let name = name.unwrap_or_default();
    match py.detach(|| database::getservbyname(name, protocol))? {
        Some(port) => port.into_object(py),
        None => Err(not_found(py, "service/proto not found", Question::Service(name, protocol))),
    }
}

fn getservbyport<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(c_int, Text)> = Format::new(c"i|s:getservbyport");
    let tuple = arguments.tuple()?;
    let (number, protocol) = FORMAT.tuple(&tuple, (0, None))?;
    let port = u16::try_from(number).map_err(|_| Error::overflow("getservbyport: port must be 0-65535."))?;
    audit(py, c"socket.getservbyport", (number, protocol))?;
    match py.detach(|| database::getservbyport(port, protocol))? {
        Some(name) => make::utf8(py, name.to_bytes()),
        None => Err(not_found(py, "port/proto not found", Question::Port(port, protocol))),
    }
}

fn getprotobyname<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(Text,)> = Format::new(c"s:getprotobyname");
    let tuple = arguments.tuple()?;
    let (name,) = FORMAT.tuple(&tuple, (None,))?;
    let name = name.unwrap_or_default();
    match py.detach(|| database::getprotobyname(name))? {
        Some(number) => number.into_object(py),
        None => Err(not_found(py, "protocol not found", Question::Protocol(name))),
    }
}

fn not_found(py: Python<'_>, text: &'static str, question: Question<&CStr>) -> Error {
    hooks::failed(py, Error::os(text), Failure::look_up(question, None))
}
