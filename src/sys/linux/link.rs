//! Hardware addresses in the list of `getifaddrs(3)`: packet(7).

use std::ffi::{c_int, c_uint};
use std::mem::offset_of;

/// The longest hardware address that `getifaddrs(3)` has room for, in both glibc and musl: more than a `sockaddr_ll` itself.
pub const LONGEST: usize = 24;

const HARDWARE_ADDRESS: usize = offset_of!(libc::sockaddr_ll, sll_addr);
const LENGTH: usize = offset_of!(libc::sockaddr_ll, sll_halen);

/// The bytes of a hardware address, as far as they are there; of an address of any other family none.
pub fn hardware_address(family: c_int, address: &[u8]) -> &[u8] {
    match (family, address.get(LENGTH), address.get(HARDWARE_ADDRESS..)) {
        (libc::AF_PACKET, Some(&length), Some(bytes)) => &bytes[..bytes.len().min(length.into())],
        _ => &[],
    }
}

/// The broadcast address or the other end's: C has a union of the two.
pub fn other_address(entry: &libc::ifaddrs) -> *const libc::sockaddr {
    entry.ifa_ifu
}

/// The number of the interface that a hardware address belongs to; 0 for an address of any other family.
///
/// # Safety
///
/// The address is complete for its family: see [`length`].
pub unsafe fn index(address: *const libc::sockaddr) -> c_uint {
    // SAFETY: as the caller promises; a `sockaddr_ll` has its number.
    unsafe {
        match c_int::from((*address).sa_family) {
            libc::AF_PACKET => {
                address.cast::<u8>().add(offset_of!(libc::sockaddr_ll, sll_ifindex)).cast::<c_uint>().read_unaligned()
            }
            _ => 0,
        }
    }
}

/// How many bytes of an address may be read: those of its family's `sockaddr`, and of an unknown family only the family.
///
/// # Safety
///
/// The family can be read; if it is `AF_PACKET` so can `sll_halen`.
pub unsafe fn length(address: *const libc::sockaddr) -> usize {
    // SAFETY: as the caller promises.
    unsafe {
        match c_int::from((*address).sa_family) {
            libc::AF_INET => size_of::<libc::sockaddr_in>(),
            libc::AF_INET6 => size_of::<libc::sockaddr_in6>(),
            libc::AF_PACKET => HARDWARE_ADDRESS + usize::from(*address.cast::<u8>().add(LENGTH)).min(LONGEST),
            _ => size_of::<libc::sa_family_t>(),
        }
    }
}
