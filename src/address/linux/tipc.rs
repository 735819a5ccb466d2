//! `AF_TIPC`: `(addr_type, v1, v2, v3[, scope])`, for services in a cluster.

use pyo3::prelude::*;
use socket2::SockAddr;

use crate::address::context::{Context, Origin, tuple};
use crate::address::sockaddr::{bytes_of, field, of_fields};
use crate::error::{Error, Result};
use crate::interpreter::format::Format;
use crate::interpreter::make::IntoObject;

// The address types of <linux/tipc.h>.
const NAMESEQ: u8 = 1;
const NAME: u8 = 2;
const ID: u8 = 3;

/// `TIPC_CLUSTER_SCOPE`.
const CLUSTER_SCOPE: u32 = 2;

/// A `sockaddr_tipc` of `<linux/tipc.h>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tipc {
    /// The service or the socket.
    pub address: Address,
    /// Where the name is visible: in the zone, the cluster or the node.
    pub scope: i8,
}

/// The union of a `sockaddr_tipc`, by its address type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// `TIPC_ADDR_NAMESEQ`: a range of instances of a service.
    NameSequence {
        /// The service.
        service: u32,
        /// The first instance.
        lower: u32,
        /// The last instance.
        upper: u32,
    },
    /// `TIPC_ADDR_NAME`: one instance of a service.
    Name {
        /// The service.
        service: u32,
        /// The instance.
        instance: u32,
    },
    /// `TIPC_ADDR_ID`: one socket.
    Id {
        /// The socket's node.
        node: u32,
        /// The socket's number on the node.
        reference: u32,
    },
}

impl Address {
    /// The address of a type and three values, in the order of Python's tuple; `None` for an unknown type.
    fn new(kind: u32, v1: u32, v2: u32, v3: u32) -> Option<Self> {
        match u8::try_from(kind).ok()? {
            NAMESEQ => Some(Address::NameSequence { service: v1, lower: v2, upper: v3 }),
            NAME => Some(Address::Name { service: v1, instance: v2 }),
            ID => Some(Address::Id { node: v1, reference: v2 }),
            _ => None,
        }
    }
}

impl Tipc {
    /// Encodes the kernel's form.
    pub fn encode(&self) -> SockAddr {
        let (kind, fields) = match self.address {
            Address::NameSequence { service, lower, upper } => (NAMESEQ, [service, lower, upper]),
            Address::Name { service, instance } => (NAME, [service, instance, 0]),
            Address::Id { node, reference } => (ID, [reference, node, 0]),
        };
        let [first, second, third] = fields.map(u32::to_ne_bytes);
        let head = [kind, self.scope.cast_unsigned()];
        of_fields(libc::AF_TIPC, &[&head, &first, &second, &third])
    }

    /// Decodes the kernel's form; `None` for an unknown address type.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let [kind, scope] = field(bytes, 2);
        let [first, second, third] = [4, 8, 12].map(|offset| u32::from_ne_bytes(field(bytes, offset)));
        let address = match kind {
            ID => Address::Id { node: second, reference: first },
            _ => Address::new(kind.into(), first, second, third)?,
        };
        Some(Tipc { address, scope: scope.cast_signed() })
    }
}

/// Parses `(addr_type, v1, v2, v3[, scope])`.
pub fn from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    const FORMAT: Format<(u32, u32, u32, u32, u32)> =
        Format::new(c"IIII|I;AF_TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])");
    let address = tuple(context, "AF_TIPC", address)?;
    let (kind, v1, v2, v3, scope) = FORMAT.tuple(address, (0, 0, 0, 0, CLUSTER_SCOPE))?;
    let address = Address::new(kind, v1, v2, v3).ok_or_else(|| Error::type_error("Invalid address type"))?;
    // As in C, the scope is truncated.
    Ok(Tipc { address, scope: scope as i8 }.encode())
}

/// An address as `(addr_type, v1, v2, v3, scope)`. A name has its instance as both `v2` and `v3`, like a range; an id has 0 as `v3`.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, _origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let Tipc { address, scope } =
        Tipc::decode(bytes_of(address)).ok_or_else(|| Error::value("Invalid address type"))?;
    let (kind, v1, v2, v3) = match address {
        Address::NameSequence { service, lower, upper } => (NAMESEQ, service, lower, upper),
        Address::Name { service, instance } => (NAME, service, instance, instance),
        Address::Id { node, reference } => (ID, node, reference, 0),
    };
    // As in CPython, a negative scope appears as an unsigned number of 32 bits.
    let scope = i32::from(scope).cast_unsigned();
    (kind, v1, v2, v3, scope).into_object(py)
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    #[track_caller]
    fn check_round_trip(tipc: Tipc, bytes: [u8; 16]) {
        assert_eq!(bytes_of(&tipc.encode()), bytes);
        assert_eq!(Tipc::decode(&bytes), Some(tipc));
    }

    #[test]
    fn a_name_sequence_survives_a_round_trip() {
        let address = Address::NameSequence { service: 5, lower: 0x0403_0201, upper: 0xffff_fffe };
        let bytes = [30, 0, 1, 2, 5, 0, 0, 0, 1, 2, 3, 4, 0xfe, 0xff, 0xff, 0xff];
        check_round_trip(Tipc { address, scope: 2 }, bytes);
    }

    #[test]
    fn a_name_survives_a_round_trip() {
        let address = Address::Name { service: 5, instance: 6 };
        check_round_trip(Tipc { address, scope: -1 }, [30, 0, 2, 0xff, 5, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn an_id_is_encoded_with_its_reference_first() {
        let address = Address::Id { node: 5, reference: 6 };
        check_round_trip(Tipc { address, scope: 3 }, [30, 0, 3, 3, 6, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn an_unknown_address_type_is_refused() {
        assert_eq!(Tipc::decode(&[30, 0, 0, 2, 5, 0, 0, 0]), None);
        assert_eq!(Tipc::decode(&[30, 0, 4, 2, 5, 0, 0, 0]), None);
        assert_eq!(Address::new(256 + 1, 0, 0, 0), None);
    }

    #[test]
    fn missing_bytes_decode_as_zeros() {
        assert_eq!(Tipc::decode(&[]), None);
        let address = Address::Name { service: 5, instance: 0 };
        assert_eq!(Tipc::decode(&[30, 0, 2, 1, 5]), Some(Tipc { address, scope: 1 }));
        assert_eq!(Tipc::decode(&[30, 0, 3]).map(|tipc| tipc.scope), Some(0));
    }
}
