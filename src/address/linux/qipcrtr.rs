//! `AF_QIPCRTR`: `(node, port)`, between the processors of a Qualcomm chip.

use std::ffi::c_int;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use socket2::SockAddr;

use crate::address::context::{Context, Origin};
use crate::address::sockaddr::{bytes_of, field, of_fields};
use crate::error::{Error, Result};
use crate::interpreter::format::Format;
use crate::interpreter::make::IntoObject;
use crate::interpreter::type_name::type_name;

/// `AF_QIPCRTR` of `<bits/socket.h>`.
pub const FAMILY: c_int = 42;

/// A `sockaddr_qrtr` of `<linux/qrtr.h>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Qipcrtr {
    /// The node: the processor.
    pub node: u32,
    /// The port.
    pub port: u32,
}

impl Qipcrtr {
    /// Encodes the kernel's form.
    pub fn encode(&self) -> SockAddr {
        let padding = [0; 2];
        let (node, port) = (self.node.to_ne_bytes(), self.port.to_ne_bytes());
        of_fields(FAMILY, &[&padding, &node, &port])
    }

    /// Decodes the kernel's form.
    pub fn decode(bytes: &[u8]) -> Self {
        Qipcrtr { node: u32::from_ne_bytes(field(bytes, 4)), port: u32::from_ne_bytes(field(bytes, 8)) }
    }
}

/// Parses `(node, port)`.
pub fn from_python(_context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    const FORMAT: Format<(u32, u32)> = Format::new(c"II:getsockaddrarg");
    let address = address.cast::<PyTuple>().map_err(|_| {
        let class = type_name(address);
        Error::type_error(format_args!("getsockaddrarg: AF_QIPCRTR address must be tuple, not {class}"))
    })?;
    let (node, port) = FORMAT.tuple(address, (0, 0))?;
    Ok(Qipcrtr { node, port }.encode())
}

/// An address as `(node, port)`.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, _origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let Qipcrtr { node, port } = Qipcrtr::decode(bytes_of(address));
    (node, port).into_object(py)
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const QIPCRTR: Qipcrtr = Qipcrtr { node: 0x0403_0201, port: 0xffff_fffe };
    const BYTES: [u8; 12] = [42, 0, 0, 0, 1, 2, 3, 4, 0xfe, 0xff, 0xff, 0xff];

    #[test]
    fn an_address_survives_a_round_trip() {
        assert_eq!(bytes_of(&QIPCRTR.encode()), BYTES);
        assert_eq!(Qipcrtr::decode(&BYTES), QIPCRTR);
    }

    #[test]
    fn missing_bytes_decode_as_zeros() {
        assert_eq!(Qipcrtr::decode(&[]), Qipcrtr::default());
        assert_eq!(Qipcrtr::decode(&BYTES[..6]), Qipcrtr { node: 0x0201, port: 0 });
        assert_eq!(Qipcrtr::decode(&BYTES[..9]).port, 0xfe);
    }
}
