//! `AF_PACKET`: `(ifname, proto[, pkttype[, hatype[, addr]]])`, for link-layer frames (packet(7)).

use std::ffi::{CStr, c_int};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use socket2::SockAddr;

use crate::address::context::{Context, Origin, tuple};
use crate::address::sockaddr::{bytes_of, field, of_fields};
use crate::error::{Error, Exception, Result, is_raised};
use crate::interpreter::buffer::{Buffer, Readable};
use crate::interpreter::format::{Format, Text};
use crate::interpreter::make::{self, IntoObject};
use crate::sys::linux::interface;

/// The offset of the hardware address, `sll_addr`.
const HARDWARE_ADDRESS_OFFSET: usize = 12;
/// The size of `sll_addr`: the longest hardware address that fits a `sockaddr_ll`.
const HARDWARE_ADDRESS_SIZE: usize = 8;

/// A `sockaddr_ll` of `<linux/if_packet.h>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// The link layer's protocol, such as `ETH_P_IP`, in host byte order.
    pub protocol: u16,
    /// The number of the interface; 0 is any interface.
    pub interface: c_int,
    /// The hardware type, such as `ARPHRD_ETHER`.
    pub hardware: u16,
    /// The packet type: for this host (`PACKET_HOST`, 0), broadcast, for another host, and so on.
    pub kind: u8,
    /// The hardware address.
    pub address: HardwareAddress,
}

/// A hardware address: at most 255 bytes, because its length is one byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardwareAddress {
    /// Zeros behind the address.
    bytes: [u8; u8::MAX as usize],
    length: u8,
}

impl HardwareAddress {
    /// The first 255 of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        HardwareAddress { bytes: field(&bytes[..length.into()], 0), length }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length.into()]
    }
}

impl Default for HardwareAddress {
    fn default() -> Self {
        HardwareAddress::new(&[])
    }
}

impl Packet {
    /// The kernel's form. A hardware address longer than `sll_addr` is cut.
    pub fn encode(&self) -> SockAddr {
        let length = self.address.as_bytes().len().min(HARDWARE_ADDRESS_SIZE);
        of_fields(
            libc::AF_PACKET,
            &[
                &self.protocol.to_be_bytes(),
                &self.interface.to_ne_bytes(),
                &self.hardware.to_ne_bytes(),
                &[self.kind, length as u8],
                &field::<HARDWARE_ADDRESS_SIZE>(self.address.as_bytes(), 0),
            ],
        )
    }

    /// Decodes the kernel's form. For InfiniBand, whose hardware addresses are longer than `sll_addr`, the kernel returns more than a
    /// `sockaddr_ll`.
    pub fn decode(bytes: &[u8]) -> Self {
        let [kind, length] = field(bytes, 10);
        let mut address = HardwareAddress::new(bytes.get(HARDWARE_ADDRESS_OFFSET..).unwrap_or_default());
        address.length = length;
        Packet {
            protocol: u16::from_be_bytes(field(bytes, 2)),
            interface: c_int::from_ne_bytes(field(bytes, 4)),
            hardware: u16::from_ne_bytes(field(bytes, 8)),
            kind,
            address,
        }
    }
}

/// Parses `(ifname, proto[, pkttype[, hatype[, addr]]])`.
pub fn from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    let address = tuple(context, "AF_PACKET", address)?;
    let parts = Parts::parse(address).map_err(|error| out_of_range(context, address.py(), error))?;
    let interface = index_of(address.py(), context, parts.interface)?;
    let hardware_address = parts.hardware_address.as_ref().map_or(&[][..], Buffer::bytes);
    if hardware_address.len() > HARDWARE_ADDRESS_SIZE {
        return Err(Error::value("Hardware address must be 8 bytes or less"));
    }
    let protocol = u16::try_from(parts.protocol)
        .map_err(|_| Error::overflow(format_args!("{}(): proto must be 0-65535.", context.caller)))?;
    let packet = Packet {
        protocol,
        interface,
        // As in C, these two are truncated.
        hardware: parts.hardware as u16,
        kind: parts.kind as u8,
        address: HardwareAddress::new(hardware_address),
    };
    Ok(packet.encode())
}

/// The number of an interface; `OSError` if there is none with this name.
fn index_of(py: Python<'_>, context: Context<'_>, name: &CStr) -> Result<c_int> {
    Ok(context.descriptor.attached(py, |fd| interface::index_of(fd, name.to_bytes()))?)
}

/// The items of the tuple.
struct Parts<'a, 'py> {
    interface: &'a CStr,
    protocol: c_int,
    kind: c_int,
    hardware: c_int,
    hardware_address: Option<Buffer<'py>>,
}

impl<'a, 'py> Parts<'a, 'py> {
    fn parse(address: &'a Bound<'py, PyTuple>) -> Result<Self> {
        const FORMAT: Format<(Text, c_int, c_int, c_int, Readable)> =
            Format::new(c"si|iiy*;AF_PACKET address must be a tuple of two to five elements");
        let kind = c_int::from(libc::PACKET_HOST);
        let (interface, protocol, kind, hardware, hardware_address) =
            FORMAT.tuple(address, (None, 0, kind, 0, None))?;
        let interface = interface.unwrap_or_default();
        Ok(Parts { interface, protocol, kind, hardware, hardware_address })
    }
}

/// Replaces the `OverflowError` for a number that does not fit a C `int` by CPython's, which does not say which number.
fn out_of_range(context: Context<'_>, py: Python<'_>, error: Error) -> Error {
    match error {
        Error::Raised if is_raised(py, Exception::Overflow) => {
            error.discard(py);
            Error::overflow(format_args!("{}(): address argument out of range", context.caller))
        }
        error => error,
    }
}

/// An address as `(ifname, proto, pkttype, hatype, addr)`. The name is empty if the interface no longer exists.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let packet = Packet::decode(bytes_of(address));
    let name = match packet.interface {
        0 => None,
        index => origin.descriptor.attached(py, |fd| interface::name_of(fd, index)).ok(),
    };
    let name = make::utf8(py, name.as_deref().unwrap_or_default().to_bytes())?;
    let address = make::bytes(py, packet.address.as_bytes())?;
    (name, packet.protocol, packet.kind, packet.hardware, address).into_object(py)
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;
    use crate::sys::interface_address::hardware_address;

    const BYTES: [u8; 20] = [17, 0, 0x08, 0x00, 3, 0, 0, 0, 0x04, 0x03, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0];

    fn packet() -> Packet {
        Packet {
            protocol: 0x0800,
            interface: 3,
            hardware: 0x0304,
            kind: 4,
            address: HardwareAddress::new(&[1, 2, 3, 4, 5, 6]),
        }
    }

    #[test]
    fn an_address_survives_a_round_trip() {
        assert_eq!(hardware_address(libc::AF_PACKET, &BYTES), [1, 2, 3, 4, 5, 6]);
        assert_eq!(bytes_of(&packet().encode()), BYTES);
        assert_eq!(Packet::decode(&BYTES), packet());
        assert_eq!(BYTES.len(), size_of::<libc::sockaddr_ll>());
        assert_eq!(HARDWARE_ADDRESS_OFFSET, std::mem::offset_of!(libc::sockaddr_ll, sll_addr));
    }

    #[test]
    fn an_address_may_have_no_hardware_address() {
        let packet = Packet { address: HardwareAddress::new(&[]), ..packet() };
        assert_eq!(Packet::decode(bytes_of(&packet.encode())), packet);
    }

    #[test]
    fn a_hardware_address_is_cut_to_its_field() {
        let eight = Packet { address: HardwareAddress::new(&[7; 8]), ..packet() };
        let twelve = Packet { address: HardwareAddress::new(&[7; 12]), ..packet() };
        assert_eq!(bytes_of(&twelve.encode()), bytes_of(&eight.encode()));
        assert_eq!(Packet::decode(bytes_of(&eight.encode())), eight);
    }

    #[test]
    fn a_hardware_address_may_be_longer_than_the_structure() {
        let mut bytes = BYTES.to_vec();
        bytes[11] = 20;
        bytes.extend([9; 12]);
        let packet = Packet::decode(&bytes);
        assert_eq!(packet.address.as_bytes(), [&[1, 2, 3, 4, 5, 6, 0, 0][..], &[9; 12]].concat());
    }

    #[test]
    fn a_length_beyond_the_address_gives_zeros() {
        let mut bytes = BYTES;
        bytes[11] = 255;
        let packet = Packet::decode(&bytes);
        assert_eq!(packet.address.as_bytes().len(), 255);
        assert_eq!(packet.address.as_bytes()[..6], [1, 2, 3, 4, 5, 6]);
        assert_eq!(packet.address.as_bytes()[6..], [0; 249]);
        assert_eq!(hardware_address(libc::AF_PACKET, &bytes), [1, 2, 3, 4, 5, 6, 0, 0]);
    }

    #[test]
    fn missing_bytes_decode_as_zeros() {
        assert_eq!(Packet::decode(&[]), Packet::default());
        assert!(hardware_address(libc::AF_PACKET, &BYTES[..11]).is_empty());
        assert_eq!(Packet::decode(&BYTES[..3]).protocol, 0x0800);
        assert_eq!(Packet::decode(&BYTES[..12]).address.as_bytes(), [0; 6]);
        assert_eq!(Packet::decode(&BYTES[..14]).address.as_bytes(), [1, 2, 0, 0, 0, 0]);
    }
}
