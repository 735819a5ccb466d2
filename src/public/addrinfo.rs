//! `getaddrinfo` of the public package.

use pyo3::ffi;
use pyo3::prelude::*;

use super::members;
use crate::functions;
use crate::interpreter::arguments::Keywords;
use crate::interpreter::function::Table;
use crate::interpreter::signature::Signature;
use crate::interpreter::{ObjectResult, make, owned};
use crate::resolve::addrinfo::Query;

static PUBLIC: Table = functions![
    keywords c"getaddrinfo" => getaddrinfo, c"getaddrinfo($module, /, host, port, family=0, type=0, proto=0, flags=0)\n--\n\n\
        Resolves a host and a port to a list of (family, type, proto, canonname, address), from which sockets can be made.\n\n\
        host is a name, an IP address or None; port is a number, the name of a service or None. family, type and proto\n\
        narrow the list, and 0 stands for all; flags are AI_ constants. Raises gaierror when there is no answer. See getaddrinfo(3) and\n\
        RFC 3493.";
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
    const SIGNATURE: Signature<6> = Signature {
        qualified_name: "getaddrinfo",
        declaration: "host, port, family=0, type=0, proto=0, flags=0",
        names: ["host", "port", "family", "type", "proto", "flags"],
        positional: 6,
        required: 2,
    };
    let query = match arguments.only_positional().and_then(Query::plain) {
        Some(query) => query,
        None => Query::from_values(py, SIGNATURE.bind(None, arguments)?)?,
    };
    query.entries(py, |family| members::family(py, family), |kind| members::kind(py, kind))
}
