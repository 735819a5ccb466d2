//! The kernel's form of an address, a `sockaddr`: its bytes and fields.

use std::ffi::c_int;

use socket2::{SockAddr, SockAddrStorage};

use crate::sys::sockaddr::head;

/// The size of what is before the fields of every address: its family, and on some systems its length.
const HEAD: usize = 2;

/// The bytes of an address, its family included.
pub fn bytes_of(address: &SockAddr) -> &[u8] {
    let length = (address.len() as usize).min(size_of::<SockAddrStorage>());
    // SAFETY: the storage has at least `length` bytes, and all of them are initialised, because a storage is created zeroed.
    unsafe { std::slice::from_raw_parts(address.as_ptr().cast(), length) }
}

/// An address from its bytes, its family included. Bytes that do not fit a `sockaddr_storage` are cut.
pub fn from_bytes(bytes: &[u8]) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    let length = bytes.len().min(size_of::<SockAddrStorage>());
    // SAFETY: both sides have `length` bytes and do not overlap. A `sockaddr_storage` is valid for any bytes, and holds `length` of them.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut storage).cast(), length);
        SockAddr::new(storage, length as libc::socklen_t)
    }
}

/// An address from its family and its fields, which follow without gaps. Bytes that do not fit a `sockaddr_storage` are cut.
pub fn of_fields(family: c_int, fields: &[&[u8]]) -> SockAddr {
    let mut bytes = [0; size_of::<SockAddrStorage>()];
    let mut length = HEAD;
    for part in fields {
        let room = &mut bytes[length..];
        let part = &part[..part.len().min(room.len())];
        room[..part.len()].copy_from_slice(part);
        length += part.len();
    }
    bytes[..HEAD].copy_from_slice(&head(family, length));
    from_bytes(&bytes[..length])
}

/// The `N` bytes at an offset of an address. Missing bytes are zeros, because the kernel may return an address without its last fields.
pub fn field<const N: usize>(address: &[u8], offset: usize) -> [u8; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(address.iter().skip(offset)) {
        *to = *from;
    }
    field
}

#[cfg(test)]
#[cfg(all(target_endian = "little", target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn fields_follow_the_family() {
        let address = of_fields(libc::AF_NETLINK, &[&[1, 2], &[], &[3]]);
        assert_eq!(bytes_of(&address), [libc::AF_NETLINK as u8, 0, 1, 2, 3]);
    }

    #[test]
    fn a_field_beyond_a_short_address_is_zeros() {
        let address = [16, 0, 1, 2];
        assert_eq!(field(&address, 2), [1, 2]);
        assert_eq!(field(&address, 3), [2, 0, 0]);
        assert_eq!(field(&address, 4), [0; 4]);
        assert_eq!(field(&address, 99), [0; 2]);
        assert_eq!(field(&[], 0), [0; 14]);
    }

    #[test]
    fn an_address_is_cut_to_the_size_of_a_storage() {
        assert_eq!(bytes_of(&from_bytes(&[7; 500])).len(), size_of::<SockAddrStorage>());
    }
}
