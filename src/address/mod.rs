//! Socket addresses: Python's tuples, strings and bytes on one side, the kernel's `sockaddr` on the other.
//!
//! A file for each family, of two layers: what Python gives and gets (`from_python`, `to_python`), and, where the `sockaddr` has a layout of
//! its own, a struct with `encode` and `decode` that knows nothing of Python and is tested against bytes laid out by hand.

pub mod alg;
pub mod bluetooth;
pub mod can;
pub mod inet;
pub mod netlink;
pub mod packet;
pub mod qipcrtr;
pub mod tipc;
pub mod unix;
pub mod vsock;

use std::ffi::{CStr, c_char, c_int};
use std::fmt::{self, Write};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use socket2::{SockAddr, SockAddrStorage};

use crate::descriptor::Descriptor;
use crate::error::{Error, Result};
use crate::interpreter::make::{self, IntoObject};

/// Whose address it is, and who asks.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The socket's family.
    pub family: c_int,
    /// The socket's protocol, which decides the form in AF_CAN and AF_BLUETOOTH.
    pub proto: c_int,
    /// The socket's descriptor, through which families that name interfaces ask for their numbers.
    pub descriptor: &'a Descriptor,
    /// The method, for error messages.
    pub caller: &'static str,
}

/// The kernel's form of a Python address, by the socket's family.
pub fn from_python(context: Context<'_>, address: &Bound<'_, PyAny>) -> Result<SockAddr> {
    match context.family {
        libc::AF_INET | libc::AF_RDS => inet::v4_from_python(context, address),
        libc::AF_INET6 => inet::v6_from_python(context, address),
        libc::AF_UNIX => unix::from_python(address),
        libc::AF_NETLINK => netlink::from_python(context, address),
        libc::AF_PACKET => packet::from_python(context, address),
        libc::AF_VSOCK => vsock::from_python(address),
        libc::AF_CAN => can::from_python(context, address),
        libc::AF_ALG => alg::from_python(context, address),
        libc::AF_TIPC => tipc::from_python(context, address),
        qipcrtr::FAMILY => qipcrtr::from_python(address),
        libc::AF_BLUETOOTH => bluetooth::from_python(context, address),
        _ => Err(Error::os(format_args!("{}(): bad family", context.caller))),
    }
}

/// The Python form of an address; `None` where there is none. A family nobody knows becomes `(family, bytes)`.
///
/// Families that name interfaces ask for their names through a socket's descriptor, where there is one.
pub fn to_python<'py>(
    py: Python<'py>,
    address: &SockAddr,
    descriptor: &Descriptor,
    proto: c_int,
) -> Result<Bound<'py, PyAny>> {
    let bytes = bytes_of(address);
    if bytes.is_empty() {
        return Ok(py.None().into_bound(py));
    }
    match c_int::from(address.family()) {
        libc::AF_INET => inet::v4_to_python(py, address),
        libc::AF_INET6 => inet::v6_to_python(py, address),
        libc::AF_UNIX => unix::to_python(py, bytes),
        libc::AF_NETLINK => netlink::to_python(py, bytes),
        libc::AF_PACKET => packet::to_python(py, bytes, descriptor),
        libc::AF_VSOCK => vsock::to_python(py, bytes),
        libc::AF_CAN => can::to_python(py, bytes, descriptor, proto),
        libc::AF_ALG => alg::to_python(py, bytes),
        libc::AF_TIPC => tipc::to_python(py, bytes),
        qipcrtr::FAMILY => qipcrtr::to_python(py, bytes),
        libc::AF_BLUETOOTH => bluetooth::to_python(py, bytes, proto),
        family => unknown_to_python(py, family, bytes),
    }
}

/// As CPython: the family and the 14 bytes of a `sockaddr`'s `sa_data`.
fn unknown_to_python<'py>(py: Python<'py>, family: c_int, bytes: &[u8]) -> Result<Bound<'py, PyAny>> {
    (family, make::bytes(py, &field::<14>(bytes, 2))?).into_object(py)
}

/// Refuses a family of whose addresses not even the length is known, as CPython does before it asks the kernel for one.
pub fn check_length_is_known(family: c_int, proto: c_int) -> Result<()> {
    match family {
        libc::AF_INET | libc::AF_INET6 | libc::AF_UNIX | libc::AF_RDS => Ok(()),
        libc::AF_NETLINK | libc::AF_PACKET | libc::AF_VSOCK | libc::AF_CAN => Ok(()),
        libc::AF_ALG | libc::AF_TIPC | qipcrtr::FAMILY => Ok(()),
        libc::AF_BLUETOOTH if bluetooth::is_known(proto) => Ok(()),
        libc::AF_BLUETOOTH => Err(Error::os("getsockaddrlen: unknown BT protocol")),
        _ => Err(Error::os("getsockaddrlen: bad family")),
    }
}

/// The bytes of an address, its family included.
pub fn bytes_of(address: &SockAddr) -> &[u8] {
    let length = (address.len() as usize).min(size_of::<SockAddrStorage>());
    // SAFETY: the storage has at least `length` bytes, all of which are initialised: it begins as zeros.
    unsafe { std::slice::from_raw_parts(address.as_ptr().cast(), length) }
}

/// The address that these bytes are, its family included.
pub fn from_bytes(bytes: &[u8]) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    let length = bytes.len().min(size_of::<SockAddrStorage>());
    // SAFETY: `length` bytes can be read and written; a sockaddr is plain data.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut storage).cast(), length);
        SockAddr::new(storage, length as libc::socklen_t)
    }
}

/// The address of these fields, one behind the other.
fn of_fields(family: c_int, fields: &[&[u8]]) -> SockAddr {
    let family = (family as libc::sa_family_t).to_ne_bytes();
    let mut bytes = [0; size_of::<SockAddrStorage>()];
    let mut length = 0;
    for part in std::iter::once(&family[..]).chain(fields.iter().copied()) {
        let room = &mut bytes[length..];
        let part = &part[..part.len().min(room.len())];
        room[..part.len()].copy_from_slice(part);
        length += part.len();
    }
    from_bytes(&bytes[..length])
}

/// A field of an address. What a short one lacks of it is zeros: a kernel may cut what an address ends with.
fn field<const N: usize>(address: &[u8], offset: usize) -> [u8; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(address.iter().skip(offset)) {
        *to = *from;
    }
    field
}

/// The text that one of the interpreter's parsers found in `owner`.
///
/// # Safety
///
/// A parser put `text` there for an `s` or `y` in its format, and the object it is a part of is `owner` or is held by it.
unsafe fn parsed_text<'a>(text: *const c_char, _owner: &'a Bound<'_, PyAny>) -> &'a CStr {
    // SAFETY: both formats give a string with its NUL, which lives as long as the object that it was found in.
    unsafe { CStr::from_ptr(text) }
}

/// The tuple that an address of this family must be.
pub fn tuple<'a, 'py>(
    context: Context<'_>,
    family: &str,
    address: &'a Bound<'py, PyAny>,
) -> Result<&'a Bound<'py, PyTuple>> {
    address.cast::<PyTuple>().map_err(|_| {
        let caller = context.caller;
        let class = type_name(address);
        Error::type_error(format_args!("{caller}(): {family} address must be tuple, not {class}"))
    })
}

/// The C name of an object's class, as CPython's error messages have it: 500 characters of it at most.
pub fn type_name<'a>(object: &'a Bound<'_, PyAny>) -> TypeName<'a> {
    // SAFETY: a class has a name, a string that lives as long as the class, which the object holds for 'a.
    TypeName(unsafe { CStr::from_ptr((*pyo3::ffi::Py_TYPE(object.as_ptr())).tp_name) })
}

/// The name of a class, to be displayed.
#[derive(Clone, Copy, Debug)]
pub struct TypeName<'a>(&'a CStr);

impl fmt::Display for TypeName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The interpreter makes it of a str: it is UTF-8.
        let name = self.0.to_str().unwrap_or("?");
        name.chars().take(500).try_for_each(|character| formatter.write_char(character))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_follow_the_family() {
        let address = of_fields(libc::AF_NETLINK, &[&[1, 2], &[], &[3]]);
        assert_eq!(bytes_of(&address), [libc::AF_NETLINK as u8, 0, 1, 2, 3]);
    }

    #[test]
    fn a_short_address_lacks_zeros() {
        let address = [16, 0, 1, 2];
        assert_eq!(field(&address, 2), [1, 2]);
        assert_eq!(field(&address, 3), [2, 0, 0]);
        assert_eq!(field(&address, 4), [0; 4]);
        assert_eq!(field(&address, 99), [0; 2]);
        assert_eq!(field(&[], 0), [0; 14]);
    }

    #[test]
    fn a_length_is_only_known_of_known_families() {
        for family in [libc::AF_INET, libc::AF_UNIX, libc::AF_NETLINK, libc::AF_ALG, qipcrtr::FAMILY] {
            assert!(check_length_is_known(family, 0).is_ok());
        }
        assert!(check_length_is_known(libc::AF_BLUETOOTH, 3).is_ok());
        assert!(check_length_is_known(libc::AF_BLUETOOTH, 4).is_err());
        assert!(check_length_is_known(libc::AF_KEY, 0).is_err());
    }

    #[test]
    fn an_address_is_cut_to_what_a_storage_holds() {
        assert_eq!(bytes_of(&from_bytes(&[7; 500])).len(), size_of::<SockAddrStorage>());
    }
}
