//! AF_TIPC: `(addr_type, v1, v2, v3[, scope])`, services in a cluster.

use pyo3::prelude::*;
use socket2::SockAddr;

use super::context::{Context, Origin, tuple};
use super::sockaddr::{bytes_of, field, of_fields};
use crate::error::{Error, Result};
use crate::interpreter::format::Format;
use crate::interpreter::make::IntoObject;

// The types of addresses, <linux/tipc.h>.
const NAMESEQ: u8 = 1;
const NAME: u8 = 2;
const ID: u8 = 3;

/// `TIPC_CLUSTER_SCOPE`.
const CLUSTER_SCOPE: u32 = 2;

/// A `sockaddr_tipc` of `<linux/tipc.h>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tipc {
    /// Who it is.
    pub address: Address,
    /// How far it is known: zone, cluster or node.
    pub scope: i8,
}

/// Who a `sockaddr_tipc` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// `TIPC_ADDR_NAMESEQ`: a range of a service's instances.
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
        /// The node it is on.
        node: u32,
        /// Its number there.
        reference: u32,
    },
}

impl Address {
    /// The address of a type; `None` if there is no such type.
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
    /// The kernel's form.
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

    /// From the kernel's form; `None` for a type that is not known.
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

/// `(addr_type, v1, v2, v3[, scope])`.
pub fn from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    const FORMAT: Format<(u32, u32, u32, u32, u32)> =
        Format::new(c"IIII|I;AF_TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])");
    let address = tuple(context, "AF_TIPC", address)?;
    let (kind, v1, v2, v3, scope) = FORMAT.tuple(address, (0, 0, 0, 0, CLUSTER_SCOPE))?;
    let address = Address::new(kind, v1, v2, v3).ok_or_else(|| Error::type_error("Invalid address type"))?;
    // As in C, what does not fit is cut off.
    Ok(Tipc { address, scope: scope as i8 }.encode())
}

/// `(addr_type, v1, v2, v3, scope)`, where a name has its instance twice, as the range it is, and an id has a 0.
pub fn to_python<'py>(py: Python<'py>, address: &SockAddr, _origin: Origin<'_>) -> Result<Bound<'py, PyAny>> {
    let Tipc { address, scope } =
        Tipc::decode(bytes_of(address)).ok_or_else(|| Error::value("Invalid address type"))?;
    let (kind, v1, v2, v3) = match address {
        Address::NameSequence { service, lower, upper } => (NAMESEQ, service, lower, upper),
        Address::Name { service, instance } => (NAME, service, instance, instance),
        Address::Id { node, reference } => (ID, node, reference, 0),
    };
    // Python has always seen a negative scope as an unsigned number.
    let scope = i32::from(scope).cast_unsigned();
    (kind, v1, v2, v3, scope).into_object(py)
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    #[track_caller]
    fn round_trip(tipc: Tipc, bytes: [u8; 16]) {
        assert_eq!(bytes_of(&tipc.encode()), bytes);
        assert_eq!(Tipc::decode(&bytes), Some(tipc));
    }

    #[test]
    fn a_name_sequence() {
        let address = Address::NameSequence { service: 5, lower: 0x0403_0201, upper: 0xffff_fffe };
        let bytes = [30, 0, 1, 2, 5, 0, 0, 0, 1, 2, 3, 4, 0xfe, 0xff, 0xff, 0xff];
        round_trip(Tipc { address, scope: 2 }, bytes);
    }

    #[test]
    fn a_name() {
        let address = Address::Name { service: 5, instance: 6 };
        round_trip(Tipc { address, scope: -1 }, [30, 0, 2, 0xff, 5, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn an_id_has_its_reference_first() {
        let address = Address::Id { node: 5, reference: 6 };
        round_trip(Tipc { address, scope: 3 }, [30, 0, 3, 3, 6, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_type_that_is_not_known() {
        assert_eq!(Tipc::decode(&[30, 0, 0, 2, 5, 0, 0, 0]), None);
        assert_eq!(Tipc::decode(&[30, 0, 4, 2, 5, 0, 0, 0]), None);
        assert_eq!(Address::new(256 + 1, 0, 0, 0), None);
    }

    #[test]
    fn short() {
        assert_eq!(Tipc::decode(&[]), None);
        let address = Address::Name { service: 5, instance: 0 };
        assert_eq!(Tipc::decode(&[30, 0, 2, 1, 5]), Some(Tipc { address, scope: 1 }));
        assert_eq!(Tipc::decode(&[30, 0, 3]).map(|tipc| tipc.scope), Some(0));
    }
}
