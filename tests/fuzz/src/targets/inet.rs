//! `inet_aton`, `inet_pton`, `inet_ntop`, `inet_ntoa`: what the stdlib answers. And a name that counts as a number is one to `getaddrinfo`.

use std::ffi::{CString, c_int};
use std::net::IpAddr;

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyString};

use super::with_python;
use crate::bytes::Bytes;
use crate::modules::{modules, outcome};
use crate::names::ip;
use crate::sys::resolver::{self, Hints};

/// The first byte picks the function, the second the family and the form of the argument; the rest is the text or the packed address.
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let function = *bytes.one_of(&["inet_aton", "inet_ntoa", "inet_pton", "inet_ntop"]);
    let (form, family) = (bytes.0.first().map_or(0, |byte| byte / 4), *bytes.one_of(&FAMILIES));
    let rest = bytes.some(256);
    with_python(|py| {
        let packed = PyBytes::new(py, rest).into_any();
        let argument = match form % 4 {
            0 => PyString::new(py, &String::from_utf8_lossy(rest)).into_any(),
            1 => packed.call_method1("decode", ("ascii", "surrogateescape")).expect("any bytes can be escaped"),
            2 => PyByteArray::new(py, rest).into_any(),
            _ => packed,
        };
        same(py, function, matches!(function, "inet_pton" | "inet_ntop").then_some(family), &argument);
    });
    if let Ok(name) = CString::new(rest) {
        numeric(&name, family);
    }
}

const FAMILIES: [c_int; 4] = [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX, -1];

fn same(py: Python<'_>, name: &str, family: Option<c_int>, object: &Bound<'_, PyAny>) {
    let both = modules(py);
    let [expected, actual] = [&both.stdlib, &both.ours].map(|module| {
        outcome(py, || match family {
            Some(family) => module.call_method1(py, name, (family, object)),
            None => module.call_method1(py, name, (object,)),
        })
    });
    assert_eq!(expected, actual, "{name}({family:?}, {object:?})");
}

fn numeric(name: &CString, family: c_int) {
    let Some(ip) = ip::numeric(name, family) else { return };
    let hints = Hints { family, flags: libc::AI_NUMERICHOST, ..Hints::default() };
    let found = resolver::getaddrinfo(Some(name), None, hints).ok();
    let first = found.as_ref().and_then(|found| found.first()).and_then(|first| first.address.as_socket());
    assert_eq!(first.map(|address| address.ip()), Some(IpAddr::from(ip)), "{name:?}");
}
