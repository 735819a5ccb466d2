//! Socket addresses: Python's form and the kernel's `sockaddr`.
//!
//! Each family has a file of two layers. `from_python` and `to_python` convert Python's tuples, strings and bytes. If the `sockaddr` has a
//! layout of its own, a struct with `encode` and `decode` does not depend on Python, and is tested against bytes laid out by hand.
//!
//! | file | contents |
//! | --- | --- |
//! | [`context`] | the socket and the method that an address is parsed for |
//! | [`sockaddr`] | the kernel's form, as bytes and fields |
//! | [`unknown`] | addresses of unknown families |
//! | the others | one family each |

pub mod alg;
pub mod bluetooth;
pub mod can;
pub mod context;
pub mod inet;
pub mod netlink;
pub mod packet;
pub mod qipcrtr;
pub mod sockaddr;
pub mod tipc;
pub mod unix;
pub mod unknown;
pub mod vsock;

use std::ffi::c_int;

use pyo3::prelude::*;
use socket2::SockAddr;

use self::context::{Context, Origin};
use crate::error::{Error, Result};

/// The only list of families: for each the function that parses a Python address, and the function that makes one.
macro_rules! families {
    ($($number:pat => $from_python:path, $to_python:path;)*) => {
        /// Parses a Python address of the socket's family. `OSError` for an unknown family.
        pub fn from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
            match context.family {
                $($number => $from_python(context, address),)*
                _ => Err(Error::os(format_args!("{}(): bad family", context.caller))),
            }
        }

        /// The Python form of an address; Python's `None` if the address is empty. For an unknown family it is `(family, bytes)`.
        pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
            if address.len() == 0 {
                return Ok(py.None().into_bound(py));
            }
            match c_int::from(address.family()) {
                $($number => $to_python(py, address, origin),)*
                _ => unknown::to_python(py, address),
            }
        }

        /// Refuses a family whose address length is unknown, as CPython does (`getsockaddrlen`) before it asks the kernel for an address.
        pub fn check_length_is_known(family: c_int, proto: c_int) -> Result<()> {
            match family {
                libc::AF_BLUETOOTH if !bluetooth::is_known(proto) => {
                    Err(Error::os("getsockaddrlen: unknown BT protocol"))
                }
                $($number => Ok(()),)*
                _ => Err(Error::os("getsockaddrlen: bad family")),
            }
        }
    };
}

families! {
    libc::AF_INET | libc::AF_RDS => inet::v4_from_python, inet::v4_to_python;
    libc::AF_INET6 => inet::v6_from_python, inet::v6_to_python;
    libc::AF_UNIX => unix::from_python, unix::to_python;
    libc::AF_NETLINK => netlink::from_python, netlink::to_python;
    libc::AF_PACKET => packet::from_python, packet::to_python;
    libc::AF_VSOCK => vsock::from_python, vsock::to_python;
    libc::AF_CAN => can::from_python, can::to_python;
    libc::AF_ALG => alg::from_python, alg::to_python;
    libc::AF_TIPC => tipc::from_python, tipc::to_python;
    qipcrtr::FAMILY => qipcrtr::from_python, qipcrtr::to_python;
    libc::AF_BLUETOOTH => bluetooth::from_python, bluetooth::to_python;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_family_has_a_known_address_length() {
        for family in [libc::AF_INET, libc::AF_UNIX, libc::AF_NETLINK, libc::AF_ALG, qipcrtr::FAMILY] {
            assert!(check_length_is_known(family, 0).is_ok());
        }
        assert!(check_length_is_known(libc::AF_BLUETOOTH, 3).is_ok());
        assert!(check_length_is_known(libc::AF_BLUETOOTH, 4).is_err());
        assert!(check_length_is_known(libc::AF_KEY, 0).is_err());
    }
}
