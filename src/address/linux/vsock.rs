//! `AF_VSOCK`: `(cid, port)`, between a virtual machine and its host (vsock(7)).

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use socket2::SockAddr;

use crate::address::context::{Context, Origin};
use crate::address::sockaddr::{bytes_of, field, of_fields};
use crate::error::{Error, Result};
use crate::interpreter::format::Format;
use crate::interpreter::make::IntoObject;
use crate::interpreter::type_name::type_name;

/// A `sockaddr_vm` of `<linux/vm_sockets.h>`, where the port comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vsock {
    /// The context ID: the machine.
    pub cid: u32,
    /// The port.
    pub port: u32,
}

impl Vsock {
    /// Encodes the kernel's form.
    pub fn encode(&self) -> SockAddr {
        let (reserved, flags_and_padding) = ([0; 2], [0; 4]);
        let (port, cid) = (self.port.to_ne_bytes(), self.cid.to_ne_bytes());
        of_fields(libc::AF_VSOCK, &[&reserved, &port, &cid, &flags_and_padding])
    }

    /// Decodes the kernel's form.
    pub fn decode(bytes: &[u8]) -> Self {
        Vsock { port: u32::from_ne_bytes(field(bytes, 4)), cid: u32::from_ne_bytes(field(bytes, 8)) }
    }
}

/// Parses `(cid, port)`.
pub fn from_python(_context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    const FORMAT: Format<(u32, u32)> = Format::new(c"II:getsockaddrarg");
    let address = address.cast::<PyTuple>().map_err(|_| {
        let class = type_name(address);
        Error::type_error(format_args!("getsockaddrarg: AF_VSOCK address must be tuple, not {class}"))
    })?;
    let (cid, port) = FORMAT.tuple(address, (0, 0))?;
    Ok(Vsock { cid, port }.encode())
}

/// An address as `(cid, port)`.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, _origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let Vsock { cid, port } = Vsock::decode(bytes_of(address));
    (cid, port).into_object(py)
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const VSOCK: Vsock = Vsock { cid: 0xffff_ffff, port: 0x0403_0201 };
    const BYTES: [u8; 16] = [40, 0, 0, 0, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

    #[test]
    fn an_address_survives_a_round_trip() {
        assert_eq!(bytes_of(&VSOCK.encode()), BYTES);
        assert_eq!(Vsock::decode(&BYTES), VSOCK);
        assert_eq!(BYTES.len(), size_of::<libc::sockaddr_vm>());
    }

    #[test]
    fn missing_bytes_decode_as_zeros() {
        assert_eq!(Vsock::decode(&[]), Vsock::default());
        assert_eq!(Vsock::decode(&BYTES[..5]), Vsock { cid: 0, port: 1 });
        assert_eq!(Vsock::decode(&BYTES[..10]).cid, 0xffff);
    }
}
