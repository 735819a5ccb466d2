//! `getaddrinfo` of the public package.

use std::time::Instant;

use pyo3::ffi;
use pyo3::prelude::*;

use super::members;
use crate::call::deadline::Deadline;
use crate::call::timeout::Timeout;
use crate::error::Result;
use crate::functions;
use crate::interpreter::arguments::Keywords;
use crate::interpreter::function::Table;
use crate::interpreter::signature::Signature;
use crate::interpreter::{ObjectResult, make, owned};
use crate::resolve::addrinfo::Query;

static PUBLIC: Table = functions![
    keywords c"getaddrinfo" => getaddrinfo, c"getaddrinfo($module, /, host, port, family=0, type=0, proto=0, flags=0, *, \
        timeout=None)\n--\n\n\
        Resolves a host and a port to a list of (family, type, proto, canonname, address), from which sockets can be made.\n\n\
        host is a name, an IP address or None; port is a number, the name of a service or None. family, type and proto\n\
        narrow the list, and 0 stands for all; flags are AI_ constants. timeout is the longest time, in seconds, to wait for name servers;\n\
        None stands for as long as they take. Raises gaierror when there is no answer, and TimeoutError when the time is over. See\n\
        getaddrinfo(3) and RFC 3493.";
];

/// Makes the function `getaddrinfo` of the public package.
pub fn function<'py>(module: &Bound<'py, PyModule>) -> ObjectResult<'py> {
    let py = module.py();
    let name = make::text(py, "socket")?;
    // SAFETY: the thread is attached, because `py` exists. The entry is static and its function expects a module as receiver. The returned
    // reference is new, or null with an exception set.
    unsafe {
        let function = ffi::PyCFunction_NewEx(PUBLIC.as_ptr(), module.as_ptr(), name.as_ptr());
        owned(py, function)
    }
}

/// `getaddrinfo`: families and types are members of their enumerations, and arguments are parsed as for a function written in Python.
fn getaddrinfo<'py>(py: Python<'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    const SIGNATURE: Signature<7> = Signature {
        qualified_name: "getaddrinfo",
        declaration: "host, port, family=0, type=0, proto=0, flags=0, *, timeout=None",
        names: ["host", "port", "family", "type", "proto", "flags", "timeout"],
        positional: 6,
        required: 2,
    };
    let (query, until) = if let Some(query) = arguments.only_positional().and_then(Query::plain) {
        (query, None)
    } else {
        let [host, port, family, kind, proto, flags, timeout] = SIGNATURE.bind(None, arguments)?;
        (Query::from_values(py, [host, port, family, kind, proto, flags])?, until(timeout)?)
    };
    query.entries(py, until, |family| members::family(py, family), |kind| members::kind(py, kind))
}

/// The end of a timeout that begins now; `None` without one.
fn until(timeout: Option<Bound<'_, PyAny>>) -> Result<Option<Instant>> {
    let timeout = timeout.map_or(Ok(Timeout::NONE), |timeout| Timeout::from_python(&timeout))?;
    Ok(match Deadline::after(timeout) {
        Deadline::Now => Some(Instant::now()),
        Deadline::Never => None,
        Deadline::At(instant) => Some(instant),
    })
}
