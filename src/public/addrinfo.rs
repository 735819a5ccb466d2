//! `getaddrinfo` as the public module has it.

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
        What to make sockets of for a host and a port: a list of (family, type, proto, canonname, address).\n\n\
        host is a name, an IP address or None; port is a number, the name of a service or None. The others narrow the list; 0 takes\n\
        all, and flags are AI_ constants. Raises gaierror when there is no answer. See getaddrinfo(3) and RFC 3493.";
];

/// The function `getaddrinfo` of the public package.
pub fn function<'py>(module: &Bound<'py, PyModule>) -> ObjectResult<'py> {
    let py = module.py();
    let name = make::text(py, "socket")?;
    // SAFETY: a static entry of a table made for a module, that module, and a name.
    unsafe {
        let function = ffi::PyCFunction_NewEx(PUBLIC.as_ptr(), module.as_ptr(), name.as_ptr());
        owned(py, function)
    }
}

/// `getaddrinfo` of the public module: families and types are members of their enums, and it is called like a Python function.
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
