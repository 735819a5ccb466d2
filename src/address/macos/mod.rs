//! The families of addresses that macOS has besides `AF_INET`, `AF_INET6` and `AF_UNIX`.

pub mod kernel_control;

use std::ffi::c_int;

use crate::error::{Error, Result};

/// Refuses a protocol whose address length is unknown, as CPython does.
pub fn check_protocol(family: c_int, proto: c_int) -> Result<()> {
    match family {
        libc::AF_SYSTEM if proto != libc::SYSPROTO_CONTROL => {
            Err(Error::os("getsockaddrlen: unknown PF_SYSTEM protocol"))
        }
        _ => Ok(()),
    }
}
