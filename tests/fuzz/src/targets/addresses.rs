//! Python's addresses, of any family, right and wrong: the `sockaddr` that the kernel gets, and the names that are looked up, are those of the
//! stdlib, and so are the errors.

use std::ffi::c_int;

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyFloat, PyList, PyMemoryView, PyString};

use super::{FAMILIES, with_python};
use crate::bytes::Bytes;
use crate::kernel::{self, Stage};
use crate::modules::{Outcome, outcome, sockets, tuple};

/// The first byte picks the socket's family and protocol; the rest makes an address.
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let (family, proto) = *bytes.one_of(&FAMILIES);
    with_python(|py| {
        let address = address(py, &mut bytes);
        compare(py, family, proto, &address);
    });
}

/// Mostly a tuple.
fn address<'py>(py: Python<'py>, bytes: &mut Bytes<'_>) -> Bound<'py, PyAny> {
    let shape = bytes.byte();
    let items = |bytes: &mut Bytes<'_>| (0..shape % 8).map(|_| item(py, bytes)).collect::<Vec<_>>();
    match shape / 8 {
        0..24 => tuple(py, items(bytes)),
        24..26 => PyList::new(py, items(bytes)).expect("a list can be made").into_any(),
        _ => item(py, bytes),
    }
}

/// What families know hosts, devices, interfaces and algorithms by.
const TEXTS: [&str; 26] = [
    "127.0.0.1",
    "::1",
    "",
    "<broadcast>",
    "255.255.255.255",
    "localhost",
    "lo",
    "no-such-interface",
    "fe80::1%lo",
    "127.1",
    "0x7f.1",
    "::ffff:1.2.3.4",
    "1.2.3.4.",
    "münchen",
    "a..b",
    "\0",
    "\0abstract",
    "/tmp/a\0b",
    "01:02:03:04:05:06",
    "1:2:3:4:5:6:7",
    "0x1:-1:+2: 3:4:5",
    "hash",
    "sha256",
    "１２７.0.0.1",
    "xn--",
    "an-interface-name",
];

/// Numbers at the ends of the C types.
const NUMBERS: [i64; 20] = [
    0,
    1,
    -1,
    80,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    0xf_ffff,
    0x10_0000,
    i32::MAX as i64,
    1 << 31,
    -(1 << 31),
    u32::MAX as i64,
    1 << 32,
    i64::MAX,
    i64::MIN,
    42,
];

fn item<'py>(py: Python<'py>, bytes: &mut Bytes<'_>) -> Bound<'py, PyAny> {
    match bytes.byte() % 20 {
        0..5 => number(py, i128::from(*bytes.one_of(&NUMBERS))),
        5 => number(py, i128::from(bytes.byte())),
        6 => number(py, i128::from(bytes.number())),
        7 => number(py, -i128::from(bytes.number()) << 1),
        8..12 => PyString::new(py, bytes.one_of::<&str>(&TEXTS)).into_any(),
        12 => PyString::new(py, &bytes.text()).into_any(),
        13 => PyBytes::new(py, some(bytes)).into_any(),
        14 => PyByteArray::new(py, some(bytes)).into_any(),
        15 => PyMemoryView::from(&PyBytes::new(py, some(bytes)).into_any()).expect("bytes can be viewed").into_any(),
        16 => {
            let escaped = PyBytes::new(py, some(bytes)).call_method1("decode", ("utf-8", "surrogateescape"));
            escaped.expect("any bytes can be escaped")
        }
        17 => PyFloat::new(py, f64::from_bits(bytes.number())).into_any(),
        18 => tuple(py, vec![PyBytes::new(py, some(bytes)).into_any()]),
        _ => py.None().into_bound(py),
    }
}

fn number(py: Python<'_>, number: i128) -> Bound<'_, PyAny> {
    number.into_pyobject(py).expect("a number can be made").into_any()
}

fn some<'a>(bytes: &mut Bytes<'a>) -> &'a [u8] {
    let count = bytes.byte();
    bytes.some(usize::from(count % 128))
}

fn compare(py: Python<'_>, family: c_int, proto: c_int, address: &Bound<'_, PyAny>) {
    let [expected, actual] = sockets(py, family, proto).map(|socket| {
        let stage = Stage { notes: true, ..Stage::default() };
        kernel::play(stage, || outcome(py, || socket.call_method1(py, "bind", (address,))))
    });
    let ((one, theirs), (other, ours)) = (&expected, &actual);
    if one.answer == Err("<class 'OSError'>: bind(): bad family ('bind(): bad family',)".to_owned()) {
        return; // the stdlib was built without this family
    }
    let same = one == other
        && fields(&theirs.bound, proto) == fields(&ours.bound, proto)
        && asks_the_same(&theirs.asked, &ours.asked);
    assert!(
        same || is_accepted(one, other),
        "family {family}, protocol {proto}, {address:?}:\nstdlib    {one:?} {:?} {:?}\noxisocket {other:?} {:?} {:?}",
        theirs.bound,
        theirs.asked,
        ours.bound,
        ours.asked
    );
}

/// The addresses without the bytes that no field has: the stdlib leaves there what its stack has.
fn fields(bound: &[Vec<u8>], proto: c_int) -> Vec<Vec<u8>> {
    let mut bound = bound.to_vec();
    for address in &mut bound {
        let used = match (c_int::from(address[0]), proto) {
            (libc::AF_NETLINK | 42, _) => 4..12,
            (libc::AF_CAN, libc::CAN_ISOTP) => 4..16,
            (libc::AF_CAN, libc::CAN_J1939) => 4..21,
            (libc::AF_CAN, _) => 4..8,
            (libc::AF_PACKET, _) => 2..12 + usize::from(address[11]),
            _ => continue,
        };
        address[2..used.start].fill(0);
        if let Some(unused) = address.get_mut(used.end..) {
            unused.fill(0);
        }
    }
    bound
}

/// Whether the same names of the same families are asked for. Ours may ask twice: whether it is a number, and then for the name.
fn asks_the_same(theirs: &[(Vec<u8>, c_int)], ours: &[(Vec<u8>, c_int)]) -> bool {
    theirs.iter().all(|name| ours.contains(name)) && ours.iter().all(|name| theirs.contains(name))
}

/// The differences that `tests/conformance/differences.md` describes.
fn is_accepted(_expected: &Outcome, actual: &Outcome) -> bool {
    let refused = |text: &str| actual.answer.as_ref().is_err_and(|error| error.contains(text));
    refused("embedded null byte in AF_UNIX path")
}
