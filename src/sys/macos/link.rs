//! Hardware addresses in the list of `getifaddrs(3)`: `sockaddr_dl` of `<net/if_dl.h>`.

use std::ffi::{c_int, c_uint};
use std::mem::offset_of;

const NAME_LENGTH: usize = offset_of!(libc::sockaddr_dl, sdl_nlen);
const ADDRESS_LENGTH: usize = offset_of!(libc::sockaddr_dl, sdl_alen);
const DATA: usize = offset_of!(libc::sockaddr_dl, sdl_data);

/// The bytes of a hardware address, as far as they are there; of an address of any other family none. They follow the interface's name.
pub fn hardware_address(family: c_int, address: &[u8]) -> &[u8] {
    let (Some(&name), Some(&length)) = (address.get(NAME_LENGTH), address.get(ADDRESS_LENGTH)) else {
        return &[];
    };
    match address.get(DATA + usize::from(name)..) {
        Some(bytes) if family == libc::AF_LINK => &bytes[..bytes.len().min(length.into())],
        _ => &[],
    }
}

/// The broadcast address or the other end's: C has one field for the two.
pub fn other_address(entry: &libc::ifaddrs) -> *const libc::sockaddr {
    entry.ifa_dstaddr
}

/// The number of the interface that a hardware address belongs to; 0 for an address of any other family.
///
/// # Safety
///
/// The address is complete for its family: see [`length`].
pub unsafe fn index(address: *const libc::sockaddr) -> c_uint {
    // SAFETY: as the caller promises; a `sockaddr_dl` has its number.
    unsafe {
        match c_int::from((*address).sa_family) {
            libc::AF_LINK => {
                let index = address.cast::<u8>().add(offset_of!(libc::sockaddr_dl, sdl_index)).cast::<[u8; 2]>();
                u16::from_ne_bytes(index.read()).into()
            }
            _ => 0,
        }
    }
}

/// How many bytes of an address may be read: it says so itself. (A netmask may be shorter than its family's `sockaddr`.)
///
/// # Safety
///
/// The head of the address can be read, and what it says is true.
pub unsafe fn length(address: *const libc::sockaddr) -> usize {
    // SAFETY: as the caller promises.
    unsafe { (*address).sa_len.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_follows_the_name() {
        let address = [20, 18, 4, 0, 6, 3, 6, 0, b'e', b'n', b'0', 2, 0, 0, 0, 0, 9, 0, 0, 0];
        assert_eq!(hardware_address(libc::AF_LINK, &address), [2, 0, 0, 0, 0, 9]);
        assert_eq!(hardware_address(libc::AF_LINK, &address[..13]), [2, 0]);
        for (family, cut) in [(libc::AF_LINK, &address[..9]), (libc::AF_LINK, &[]), (libc::AF_INET, &address)] {
            assert!(hardware_address(family, cut).is_empty());
        }
    }
}
