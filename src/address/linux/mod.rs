//! The families of addresses that Linux has besides `AF_INET`, `AF_INET6` and `AF_UNIX`.

pub mod alg;
pub mod bluetooth;
pub mod can;
pub mod netlink;
pub mod packet;
pub mod qipcrtr;
pub mod tipc;
pub mod vsock;

use std::ffi::c_int;

use crate::error::{Error, Result};

/// Refuses a protocol whose address length is unknown, as CPython does.
pub fn check_protocol(family: c_int, proto: c_int) -> Result<()> {
    match family {
        libc::AF_BLUETOOTH if !bluetooth::is_known(proto) => Err(Error::os("getsockaddrlen: unknown BT protocol")),
        _ => Ok(()),
    }
}
