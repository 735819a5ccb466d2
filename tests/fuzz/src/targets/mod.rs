//! The targets. Each has a function `run`, which takes any bytes, and panics where something does not hold.

pub mod addresses;
pub mod control;
pub mod filter;
pub mod idna;
pub mod inet;
pub mod line;
pub mod sockaddr;

use std::ffi::c_int;
use std::sync::Once;

use pyo3::prelude::*;

/// The families and protocols of sockets, and some that nobody knows.
const FAMILIES: [(c_int, c_int); 24] = [
    (libc::AF_INET, 0),
    (libc::AF_INET6, 0),
    (libc::AF_UNIX, 0),
    (libc::AF_NETLINK, 0),
    (libc::AF_PACKET, 0),
    (libc::AF_VSOCK, 0),
    (libc::AF_CAN, libc::CAN_RAW),
    (libc::AF_CAN, libc::CAN_BCM),
    (libc::AF_CAN, libc::CAN_ISOTP),
    (libc::AF_CAN, libc::CAN_J1939),
    (libc::AF_CAN, 99),
    (libc::AF_ALG, 0),
    (libc::AF_TIPC, 0),
    (42, 0), // AF_QIPCRTR
    (libc::AF_BLUETOOTH, 0),
    (libc::AF_BLUETOOTH, 1),
    (libc::AF_BLUETOOTH, 2),
    (libc::AF_BLUETOOTH, 3),
    (libc::AF_BLUETOOTH, 4),
    (libc::AF_RDS, 0),
    (libc::AF_KEY, 0),
    (libc::AF_UNSPEC, 0),
    (65535, 0),
    (libc::AF_INET, libc::IPPROTO_UDP),
];

/// Runs with the interpreter, which the first call starts.
fn with_python<T>(act: impl for<'py> FnOnce(Python<'py>) -> T) -> T {
    static STARTED: Once = Once::new();
    STARTED.call_once(Python::initialize);
    Python::attach(act)
}
