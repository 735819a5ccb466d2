//! `AF_NETLINK`: `(pid, groups)` (netlink(7)).

use pyo3::prelude::*;
use socket2::SockAddr;

use crate::address::context::{Context, Origin, tuple};
use crate::address::sockaddr::{bytes_of, field, of_fields};
use crate::error::Result;
use crate::interpreter::format::Format;
use crate::interpreter::make::IntoObject;

/// A `sockaddr_nl` of `<linux/netlink.h>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Netlink {
    /// The port ID (`nl_pid`): often the process ID of the socket's owner; 0 is the kernel.
    pub pid: u32,
    /// The multicast groups, one bit for each.
    pub groups: u32,
}

impl Netlink {
    /// Encodes the kernel's form.
    pub fn encode(&self) -> SockAddr {
        let padding = [0; 2];
        let (pid, groups) = (self.pid.to_ne_bytes(), self.groups.to_ne_bytes());
        of_fields(libc::AF_NETLINK, &[&padding, &pid, &groups])
    }

    /// Decodes the kernel's form.
    pub fn decode(bytes: &[u8]) -> Self {
        Netlink { pid: u32::from_ne_bytes(field(bytes, 4)), groups: u32::from_ne_bytes(field(bytes, 8)) }
    }
}

/// Parses `(pid, groups)`.
pub fn from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    const FORMAT: Format<(u32, u32)> = Format::new(c"II;AF_NETLINK address must be a pair (pid, groups)");
    let address = tuple(context, "AF_NETLINK", address)?;
    let (pid, groups) = FORMAT.tuple(address, (0, 0))?;
    Ok(Netlink { pid, groups }.encode())
}

/// An address as `(pid, groups)`.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, _origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let Netlink { pid, groups } = Netlink::decode(bytes_of(address));
    (pid, groups).into_object(py)
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const NETLINK: Netlink = Netlink { pid: 0x0403_0201, groups: 0x8000_0005 };
    const BYTES: [u8; 12] = [16, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0x80];

    #[test]
    fn an_address_survives_a_round_trip() {
        assert_eq!(bytes_of(&NETLINK.encode()), BYTES);
        assert_eq!(Netlink::decode(&BYTES), NETLINK);
        assert_eq!(BYTES.len(), size_of::<libc::sockaddr_nl>());
    }

    #[test]
    fn missing_bytes_decode_as_zeros() {
        assert_eq!(Netlink::decode(&[]), Netlink::default());
        assert_eq!(Netlink::decode(&BYTES[..7]), Netlink { pid: 0x0003_0201, groups: 0 });
        assert_eq!(Netlink::decode(&BYTES[..11]).groups, 5);
    }
}
