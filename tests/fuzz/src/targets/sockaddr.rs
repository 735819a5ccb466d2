//! An address from the kernel, of any family and length, whatever the socket's own family: in Python's form it is what the stdlib makes of it,
//! and in a trace it is JSON.

use std::ffi::c_int;

use pyo3::prelude::*;

use super::{FAMILIES, with_python};
use crate::address::{self, context::Origin, sockaddr};
use crate::bytes::Bytes;
use crate::call::descriptor::Descriptor;
use crate::kernel::{self, Stage};
use crate::modules::{modules, outcome, parsed, sockets};
use crate::parts::trace;

/// The first byte picks the socket's family and protocol; the rest is the address.
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let (family, proto) = *bytes.one_of(&FAMILIES);
    let address = bytes.some(size_of::<libc::sockaddr_storage>());
    with_python(|py| {
        convert(py, address, proto);
        compare(py, family, proto, address);
    });
}

/// The conversions that use no socket.
fn convert(py: Python<'_>, bytes: &[u8], proto: c_int) {
    let address = sockaddr::from_bytes(bytes);
    assert_eq!(sockaddr::bytes_of(&address), bytes);
    let descriptor = Descriptor::closed();
    if let Err(error) = address::to_python(py, &address, Origin { proto, descriptor: &descriptor }) {
        error.discard(py);
    }
    let mut line = trace::line::Line::default();
    trace::address::write_json(&mut line, &address);
    let text = line.text().expect("there is memory");
    parsed(py, text);
}

fn compare(py: Python<'_>, family: c_int, proto: c_int, address: &[u8]) {
    if address.len() == 1 || tells_too_much(address) {
        return; // half a family: the stdlib makes an object of a negative size, and the kernel no such address
    }
    let [(expected, stage), (actual, _)] = sockets(py, family, proto).map(|socket| {
        let stage = Stage { name: Some(address.to_vec()), ..Stage::default() };
        kernel::play(stage, || outcome(py, || socket.call_method0(py, "getsockname")))
    });
    if address.len() > stage.room {
        return; // the stdlib has room for an address of the socket's own family, and cannot see the rest
    }
    if expected.answer
        == Err("<class 'OSError'>: getsockaddrlen: bad family ('getsockaddrlen: bad family',)".to_owned())
    {
        return; // the stdlib was built without this family, or it is none
    }
    let knows = sockaddr::from_bytes(address).family() != libc::AF_BLUETOOTH as u16 || has_bluetooth(py);
    assert!(
        expected == actual || !knows,
        "family {family}, protocol {proto}, {address:?}:\nstdlib    {expected:?}\noxisocket {actual:?}"
    );
}

/// Whether the stdlib was built with it.
fn has_bluetooth(py: Python<'_>) -> bool {
    modules(py).stdlib.bind(py).hasattr("AF_BLUETOOTH").unwrap_or(false)
}

/// Whether it is an address of `AF_PACKET` whose own length goes beyond a `sockaddr_storage`: the stdlib reads what its stack has there.
fn tells_too_much(address: &[u8]) -> bool {
    let is_packet = sockaddr::from_bytes(address).family() == libc::AF_PACKET as u16;
    is_packet && address.get(11).is_some_and(|&length| 12 + usize::from(length) > size_of::<libc::sockaddr_storage>())
}
