//! `AF_CAN`: one form of address for each protocol.
//!
//! | protocol | address |
//! | --- | --- |
//! | CAN_RAW, CAN_BCM | `(interface,)` |
//! | CAN_ISOTP | `(interface, rx, tx)` |
//! | CAN_J1939 | `(interface, name, pgn, addr)` |

use std::ffi::{c_int, c_ulong};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use socket2::SockAddr;

use crate::address::context::{Context, Origin, tuple};
use crate::address::sockaddr::{bytes_of, field, of_fields};
use crate::call::descriptor::Descriptor;
use crate::error::{Error, Result};
use crate::interpreter::format::{Format, FsPath};
use crate::interpreter::make::{self, IntoObject};
use crate::sys::interface::NAME_SIZE;
use crate::sys::linux::interface;

/// A `sockaddr_can` of `<linux/can.h>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Can {
    /// The number of the interface; 0 is any interface.
    pub interface: c_int,
    /// The station on the bus, for protocols that address one.
    pub station: Station,
}

/// The union of a `sockaddr_can`, by the socket's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Station {
    /// No station: the protocol has none.
    Any,
    /// `CAN_ISOTP`: the CAN identifiers of the frames to receive and to send.
    IsoTp {
        /// The identifier of received frames.
        rx: u32,
        /// The identifier of sent frames.
        tx: u32,
    },
    /// `CAN_J1939`.
    J1939 {
        /// The name (64 bits).
        name: u64,
        /// The parameter group number.
        pgn: u32,
        /// The address on the bus (8 bits).
        addr: u8,
    },
}

impl Can {
    /// Encodes the kernel's form.
    pub fn encode(&self) -> SockAddr {
        let (padding, interface) = ([0; 2], self.interface.to_ne_bytes());
        let station = self.station.encode();
        of_fields(libc::AF_CAN, &[&padding, &interface, &station])
    }

    /// Decodes the kernel's form, for a socket of this protocol.
    pub fn decode(bytes: &[u8], proto: c_int) -> Self {
        Can {
            interface: c_int::from_ne_bytes(field(bytes, 4)),
            station: Station::decode(bytes.get(8..).unwrap_or_default(), proto),
        }
    }
}

impl Station {
    fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        match self {
            Station::Any => {}
            Station::IsoTp { rx, tx } => {
                bytes[..4].copy_from_slice(&rx.to_ne_bytes());
                bytes[4..8].copy_from_slice(&tx.to_ne_bytes());
            }
            Station::J1939 { name, pgn, addr } => {
                bytes[..8].copy_from_slice(&name.to_ne_bytes());
                bytes[8..12].copy_from_slice(&pgn.to_ne_bytes());
                bytes[12] = addr;
            }
        }
        bytes
    }

    fn decode(bytes: &[u8], proto: c_int) -> Self {
        match proto {
            libc::CAN_ISOTP => {
                Station::IsoTp { rx: u32::from_ne_bytes(field(bytes, 0)), tx: u32::from_ne_bytes(field(bytes, 4)) }
            }
            libc::CAN_J1939 => Station::J1939 {
                name: u64::from_ne_bytes(field(bytes, 0)),
                pgn: u32::from_ne_bytes(field(bytes, 8)),
                addr: u8::from_ne_bytes(field(bytes, 12)),
            },
            _ => Station::Any,
        }
    }
}

/// Parses an address in the form of the socket's protocol.
pub fn from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    let (interface, station) = match context.proto {
        libc::CAN_RAW | libc::CAN_BCM => interface_from_python(tuple(context, "AF_CAN", address)?)?,
        libc::CAN_ISOTP => isotp_from_python(tuple_or_system_error(address)?)?,
        libc::CAN_J1939 => j1939_from_python(tuple_or_system_error(address)?)?,
        _ => return Err(Error::os(format_args!("{}(): unsupported CAN protocol", context.caller))),
    };
    let interface = index_of(address.py(), context.descriptor, interface.as_ref().map_or(&[], |name| name.as_bytes()))?;
    Ok(Can { interface, station }.encode())
}

type Parsed<'py> = (Option<Bound<'py, PyBytes>>, Station);

fn interface_from_python<'py>(address: &Bound<'py, PyTuple>) -> Result<Parsed<'py>> {
    const FORMAT: Format<(FsPath,)> = Format::new(c"O&;AF_CAN address must be a tuple (interface, )");
    let (interface,) = FORMAT.tuple(address, (None,))?;
    Ok((interface, Station::Any))
}

fn isotp_from_python<'py>(address: &Bound<'py, PyTuple>) -> Result<Parsed<'py>> {
    const FORMAT: Format<(FsPath, c_ulong, c_ulong)> = Format::new(c"O&kk");
    let (interface, rx, tx) = FORMAT.tuple(address, (None, 0, 0))?;
    // As in C, both are truncated to 32 bits.
    Ok((interface, Station::IsoTp { rx: rx as u32, tx: tx as u32 }))
}

fn j1939_from_python<'py>(address: &Bound<'py, PyTuple>) -> Result<Parsed<'py>> {
    const FORMAT: Format<(FsPath, u64, u32, u8)> = Format::new(c"O&KIB");
    let (interface, name, pgn, addr) = FORMAT.tuple(address, (None, 0, 0, 0))?;
    Ok((interface, Station::J1939 { name, pgn, addr }))
}

/// Casts an address to a tuple. For two protocols CPython does not check this itself, so that its parser raises `SystemError`.
fn tuple_or_system_error<'a, 'py>(address: &'a Bound<'py, PyAny>) -> Result<&'a Bound<'py, PyTuple>> {
    address.cast::<PyTuple>().map_err(|_| Error::system("new style getargs format but argument is not a tuple"))
}

/// The number of an interface; 0, any interface, for an empty name. `OSError` if the name is too long or there is no such interface.
fn index_of(py: Python<'_>, descriptor: &Descriptor, name: &[u8]) -> Result<c_int> {
    match name.len() {
        0 => Ok(0),
        1..NAME_SIZE => Ok(descriptor.attached(py, |fd| interface::index_of(fd, name))?),
        _ => Err(Error::os("AF_CAN interface name too long")),
    }
}

/// An address in the form of the socket's protocol. The name is empty if the interface no longer exists.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let can = Can::decode(bytes_of(address), origin.proto);
    let name = match can.interface {
        0 => None,
        index => origin.descriptor.attached(py, |fd| interface::name_of(fd, index)).ok(),
    };
    let name = make::system_text(py, name.as_deref().unwrap_or_default().to_bytes())?;
    match can.station {
        Station::Any => (name,).into_object(py),
        Station::IsoTp { rx, tx } => (name, rx, tx).into_object(py),
        Station::J1939 { name: station, pgn, addr } => (name, station, pgn, addr).into_object(py),
    }
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    #[track_caller]
    fn check_round_trip(can: Can, proto: c_int, bytes: [u8; 24]) {
        assert_eq!(bytes_of(&can.encode()), bytes);
        assert_eq!(Can::decode(&bytes, proto), can);
        assert_eq!(bytes.len(), size_of::<libc::sockaddr_can>());
    }

    #[test]
    fn an_interface_survives_a_round_trip() {
        let can = Can { interface: 3, station: Station::Any };
        let bytes = [29, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        check_round_trip(can, libc::CAN_RAW, bytes);
        check_round_trip(can, libc::CAN_BCM, bytes);
    }

    #[test]
    fn isotp_survives_a_round_trip() {
        let station = Station::IsoTp { rx: 0x0403_0201, tx: 0x8000_0005 };
        let bytes = [29, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0];
        check_round_trip(Can { interface: 3, station }, libc::CAN_ISOTP, bytes);
    }

    #[test]
    fn j1939_survives_a_round_trip() {
        let station = Station::J1939 { name: 0x0807_0605_0403_0201, pgn: 0x0c0b_0a09, addr: 0xff };
        let bytes = [29, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0xff, 0, 0, 0];
        check_round_trip(Can { interface: 3, station }, libc::CAN_J1939, bytes);
    }

    #[test]
    fn missing_bytes_decode_as_zeros() {
        let nothing = Can { interface: 0, station: Station::Any };
        assert_eq!(Can::decode(&[], libc::CAN_RAW), nothing);
        let bytes = [29, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5];
        assert_eq!(Can::decode(&bytes, libc::CAN_ISOTP).station, Station::IsoTp { rx: 0x0403_0201, tx: 5 });
        let j1939 = Station::J1939 { name: 0x05_0403_0201, pgn: 0, addr: 0 };
        assert_eq!(Can::decode(&bytes, libc::CAN_J1939).station, j1939);
        assert_eq!(Can::decode(&bytes[..5], libc::CAN_J1939).interface, 3);
    }

    #[test]
    #[cfg_attr(miri, ignore = "needs the interpreter")]
    fn an_empty_or_too_long_interface_name_is_not_looked_up() {
        Python::initialize();
        Python::attach(|py| {
            let closed = Descriptor::closed();
            assert!(matches!(index_of(py, &closed, b""), Ok(0)));
            assert!(index_of(py, &closed, b"xxxxxxxxxxxxxxx").is_err_and(|error| error.is_errno(libc::EBADF)));
            assert!(matches!(index_of(py, &closed, b"xxxxxxxxxxxxxxxx"), Err(Error::Message(..))));
        });
    }
}
