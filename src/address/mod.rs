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
//! | [`inet`], [`unix`] | the families that all systems have |
//! | `linux`, `macos` | the families that one system has, a file each |

pub mod context;
pub mod inet;
#[cfg(target_os = "linux")]
pub mod linux;
#[cfg(target_os = "macos")]
pub mod macos;
pub mod sockaddr;
pub mod unix;
pub mod unknown;

use std::ffi::c_int;

use pyo3::prelude::*;
use socket2::SockAddr;

use self::context::{Context, Origin};
#[cfg(target_os = "linux")]
use self::linux as system;
#[cfg(target_os = "macos")]
use self::macos as system;
use crate::error::{Error, Result};

/// The only list of families: for each the system that has it, if not all have, the function that parses a Python address, and the function
/// that makes one.
macro_rules! families {
    ($($number:pat $(in $system:literal)? => $from_python:path, $to_python:path;)*) => {
        /// Parses a Python address of the socket's family. `OSError` for an unknown family.
        pub fn from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
            match context.family {
                $($(#[cfg(target_os = $system)])? $number => $from_python(context, address),)*
                _ => Err(Error::os(format_args!("{}(): bad family", context.caller))),
            }
        }

        /// The Python form of an address; Python's `None` if the address is empty. For an unknown family it is `(family, bytes)`.
        pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
            if address.len() == 0 {
                return Ok(py.None().into_bound(py));
            }
            match c_int::from(address.family()) {
                $($(#[cfg(target_os = $system)])? $number => $to_python(py, address, origin),)*
                _ => unknown::to_python(py, address),
            }
        }

        /// Refuses a family whose address length is unknown, as CPython does (`getsockaddrlen`) before it asks the kernel for an address.
        pub fn check_length_is_known(family: c_int, proto: c_int) -> Result<()> {
            system::check_protocol(family, proto)?;
            match family {
                $($(#[cfg(target_os = $system)])? $number => Ok(()),)*
                _ => Err(Error::os("getsockaddrlen: bad family")),
            }
        }
    };
}

families! {
    libc::AF_INET => inet::v4_from_python, inet::v4_to_python;
    libc::AF_INET6 => inet::v6_from_python, inet::v6_to_python;
    libc::AF_UNIX => unix::from_python, unix::to_python;
    libc::AF_RDS in "linux" => inet::v4_from_python, inet::v4_to_python;
    libc::AF_NETLINK in "linux" => linux::netlink::from_python, linux::netlink::to_python;
    libc::AF_PACKET in "linux" => linux::packet::from_python, linux::packet::to_python;
    libc::AF_VSOCK in "linux" => linux::vsock::from_python, linux::vsock::to_python;
    libc::AF_CAN in "linux" => linux::can::from_python, linux::can::to_python;
    libc::AF_ALG in "linux" => linux::alg::from_python, linux::alg::to_python;
    libc::AF_TIPC in "linux" => linux::tipc::from_python, linux::tipc::to_python;
    linux::qipcrtr::FAMILY in "linux" => linux::qipcrtr::from_python, linux::qipcrtr::to_python;
    libc::AF_BLUETOOTH in "linux" => linux::bluetooth::from_python, linux::bluetooth::to_python;
    libc::AF_SYSTEM in "macos" => macos::kernel_control::from_python, macos::kernel_control::to_python;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_family_has_a_known_address_length() {
        for family in [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX] {
            assert!(check_length_is_known(family, 0).is_ok());
        }
        assert!(check_length_is_known(libc::AF_SNA, 0).is_err());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_families_of_linux_have_known_address_lengths() {
        for family in [libc::AF_NETLINK, libc::AF_ALG, linux::qipcrtr::FAMILY] {
            assert!(check_length_is_known(family, 0).is_ok());
        }
        assert!(check_length_is_known(libc::AF_BLUETOOTH, 3).is_ok());
        assert!(check_length_is_known(libc::AF_BLUETOOTH, 4).is_err());
        assert!(check_length_is_known(libc::AF_KEY, 0).is_err());
    }
}
