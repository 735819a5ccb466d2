//! `AF_PACKET`: `(ifname, proto[, pkttype[, hatype[, addr]]])`, frames as they go over the wire (packet(7)).

use std::ffi::{CStr, c_int};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use socket2::SockAddr;

use super::context::{Context, Origin, tuple};
use super::sockaddr::{bytes_of, field, of_fields};
use crate::error::{Error, Exception, Result, is_raised};
use crate::interpreter::buffer::{Buffer, Readable};
use crate::interpreter::format::{Format, Text};
use crate::interpreter::make::{self, IntoObject};
use crate::sys::interface;

/// Where the hardware address begins.
const HARDWARE_ADDRESS: usize = 12;
/// The longest hardware address that a `sockaddr_ll` itself has room for.
const HARDWARE_ADDRESS_SIZE: usize = 8;

/// A `sockaddr_ll` of `<linux/if_packet.h>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// The protocol over Ethernet, such as `ETH_P_IP`, in the host's byte order.
    pub protocol: u16,
    /// The interface; 0 is every one.
    pub interface: c_int,
    /// The hardware's type, such as `ARPHRD_ETHER`.
    pub hardware: u16,
    /// Whether the packet is for this host, for all, for another; `PACKET_HOST` is 0.
    pub kind: u8,
    /// The hardware address.
    pub address: Vec<u8>,
}

impl Packet {
    /// The kernel's form. Of a hardware address that is too long, what there is no room for is left out.
    pub fn encode(&self) -> SockAddr {
        let length = self.address.len().min(HARDWARE_ADDRESS_SIZE);
        of_fields(
            libc::AF_PACKET,
            &[
                &self.protocol.to_be_bytes(),
                &self.interface.to_ne_bytes(),
                &self.hardware.to_ne_bytes(),
                &[self.kind, length as u8],
                &field::<HARDWARE_ADDRESS_SIZE>(&self.address, 0),
            ],
        )
    }

    /// From the kernel's form. InfiniBand's hardware addresses are longer than a `sockaddr_ll`, and so is the kernel's answer.
    pub fn decode(bytes: &[u8]) -> Self {
        let [kind, length] = field(bytes, 10);
        let mut address = bytes.get(HARDWARE_ADDRESS..).unwrap_or_default().to_vec();
        address.resize(length.into(), 0);
        Packet {
            protocol: u16::from_be_bytes(field(bytes, 2)),
            interface: c_int::from_ne_bytes(field(bytes, 4)),
            hardware: u16::from_ne_bytes(field(bytes, 8)),
            kind,
            address,
        }
    }
}

/// The bytes of a hardware address in the kernel's form, as far as they are there.
pub fn hardware_address(bytes: &[u8]) -> &[u8] {
    let [length] = field(bytes, 11);
    let address = bytes.get(HARDWARE_ADDRESS..).unwrap_or_default();
    &address[..address.len().min(length.into())]
}

/// `(ifname, proto[, pkttype[, hatype[, addr]]])`.
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
        // As in C, what does not fit is cut off.
        hardware: parts.hardware as u16,
        kind: parts.kind as u8,
        address: hardware_address.to_vec(),
    };
    Ok(packet.encode())
}

/// The number of an interface.
fn index_of(py: Python<'_>, context: Context<'_>, name: &CStr) -> Result<c_int> {
    Ok(context.descriptor.attached(py, |fd| interface::index_of(fd, name.to_bytes()))?)
}

/// What the tuple has.
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

/// A number too large for C is refused without saying which.
fn out_of_range(context: Context<'_>, py: Python<'_>, error: Error) -> Error {
    match error {
        Error::Raised if is_raised(py, Exception::Overflow) => {
            error.discard(py);
            Error::overflow(format_args!("{}(): address argument out of range", context.caller))
        }
        error => error,
    }
}

/// `(ifname, proto, pkttype, hatype, addr)`, where an interface that is gone has no name.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let packet = Packet::decode(bytes_of(address));
    let name = match packet.interface {
        0 => None,
        index => origin.descriptor.attached(py, |fd| interface::name_of(fd, index)).ok(),
    };
    let name = make::utf8(py, name.as_deref().unwrap_or_default().to_bytes())?;
    let address = make::bytes(py, &packet.address)?;
    (name, packet.protocol, packet.kind, packet.hardware, address).into_object(py)
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const BYTES: [u8; 20] = [17, 0, 0x08, 0x00, 3, 0, 0, 0, 0x04, 0x03, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0];

    fn packet() -> Packet {
        Packet { protocol: 0x0800, interface: 3, hardware: 0x0304, kind: 4, address: vec![1, 2, 3, 4, 5, 6] }
    }

    #[test]
    fn round_trip() {
        assert_eq!(hardware_address(&BYTES), [1, 2, 3, 4, 5, 6]);
        assert_eq!(bytes_of(&packet().encode()), BYTES);
        assert_eq!(Packet::decode(&BYTES), packet());
        assert_eq!(BYTES.len(), size_of::<libc::sockaddr_ll>());
        assert_eq!(HARDWARE_ADDRESS, std::mem::offset_of!(libc::sockaddr_ll, sll_addr));
    }

    #[test]
    fn without_a_hardware_address() {
        let packet = Packet { address: vec![], ..packet() };
        assert_eq!(Packet::decode(bytes_of(&packet.encode())), packet);
    }

    #[test]
    fn a_hardware_address_fills_its_room_and_no_more() {
        let eight = Packet { address: vec![7; 8], ..packet() };
        let twelve = Packet { address: vec![7; 12], ..packet() };
        assert_eq!(bytes_of(&twelve.encode()), bytes_of(&eight.encode()));
        assert_eq!(Packet::decode(bytes_of(&eight.encode())), eight);
    }

    #[test]
    fn a_hardware_address_longer_than_the_structure() {
        let mut bytes = BYTES.to_vec();
        bytes[11] = 20;
        bytes.extend([9; 12]);
        let packet = Packet::decode(&bytes);
        assert_eq!(packet.address, [&[1, 2, 3, 4, 5, 6, 0, 0][..], &[9; 12]].concat());
    }

    #[test]
    fn a_length_that_lies() {
        let mut bytes = BYTES;
        bytes[11] = 255;
        let packet = Packet::decode(&bytes);
        assert_eq!(packet.address.len(), 255);
        assert_eq!(packet.address[..6], [1, 2, 3, 4, 5, 6]);
        assert_eq!(packet.address[6..], [0; 249]);
        assert_eq!(hardware_address(&bytes), [1, 2, 3, 4, 5, 6, 0, 0]);
    }

    #[test]
    fn short() {
        assert_eq!(Packet::decode(&[]), Packet::default());
        assert!(hardware_address(&BYTES[..11]).is_empty());
        assert_eq!(Packet::decode(&BYTES[..3]).protocol, 0x0800);
        assert_eq!(Packet::decode(&BYTES[..12]).address, [0; 6]);
        assert_eq!(Packet::decode(&BYTES[..14]).address, [1, 2, 0, 0, 0, 0]);
    }
}
