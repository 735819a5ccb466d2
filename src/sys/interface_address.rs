//! The addresses of network interfaces: `getifaddrs(3)`.

use std::ffi::{CStr, CString, c_uint};
use std::io;
use std::ptr;

use socket2::{SockAddr, SockAddrStorage};

use super::interface;
use super::system::link;
pub use super::system::link::hardware_address;
use crate::sys::memory;
use crate::syscall;

/// An address of an interface; an interface without any address has one entry too.
#[derive(Debug)]
pub struct InterfaceAddress {
    /// The interface's name, or the label of the address, such as `eth0:1`.
    pub name: CString,
    /// The interface's number; 0 if it has gone meanwhile.
    pub index: c_uint,
    /// `IFF_UP` and others, see netdevice(7).
    pub flags: c_uint,
    /// The address.
    pub address: Option<SockAddr>,
    /// Its netmask.
    pub netmask: Option<SockAddr>,
    /// The broadcast address (`IFF_BROADCAST`) or the other end's (`IFF_POINTOPOINT`). C has a union of the two.
    pub other: Option<SockAddr>,
}

/// `getifaddrs(3)`: the addresses of all interfaces, in the system's order.
pub fn getifaddrs() -> io::Result<Vec<InterfaceAddress>> {
    let mut first = ptr::null_mut();
    // SAFETY: the call writes a pointer to a list, which is freed by `List` alone.
    let list = unsafe {
        syscall!(getifaddrs(&raw mut first))?;
        List(first)
    };
    // SAFETY: the C library's own list, which lives as long as `list`.
    let entries = unsafe { list.entries() };
    memory::try_collect_results(entries.map(|entry| {
        // SAFETY: an entry of that list.
        let mut copied = unsafe { copy(entry)? };
        if copied.index == 0 {
            copied.index = interface::if_nametoindex(&copied.name).unwrap_or(0);
        }
        Ok(copied)
    }))
}

/// A list that the C library has allocated.
struct List(*mut libc::ifaddrs);

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: the list is the C library's, and is freed once. Nothing points into it any more: the entries were copied.
        unsafe { libc::freeifaddrs(self.0) };
    }
}

impl List {
    /// The entries.
    ///
    /// # Safety
    ///
    /// The list is null, or its entries are linked by `ifa_next` until the last, where that is null.
    unsafe fn entries(&self) -> impl Iterator<Item = &libc::ifaddrs> {
        // SAFETY: as the caller promises; the entries live as long as `self`.
        unsafe { std::iter::successors(self.0.as_ref(), |entry| entry.ifa_next.as_ref()) }
    }
}

/// A copy of an entry. The index of its interface is known only if it is a hardware address, and otherwise 0.
///
/// # Safety
///
/// The name is a string with its NUL, and each address is null or complete for its family: see [`link::length`].
unsafe fn copy(entry: &libc::ifaddrs) -> io::Result<InterfaceAddress> {
    // SAFETY: as the caller promises.
    unsafe {
        let address = copy_address(entry.ifa_addr);
        Ok(InterfaceAddress {
            name: memory::until_nul(CStr::from_ptr(entry.ifa_name).to_bytes())?,
            index: address.as_ref().map_or(0, |_| link::index(entry.ifa_addr)),
            flags: entry.ifa_flags,
            address,
            netmask: copy_address(entry.ifa_netmask),
            other: copy_address(link::other_address(entry)),
        })
    }
}

/// A copy of an address.
///
/// # Safety
///
/// The pointer is null, or the address is complete for its family: see [`link::length`].
unsafe fn copy_address(address: *const libc::sockaddr) -> Option<SockAddr> {
    if address.is_null() {
        return None;
    }
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: as the caller promises, `length` bytes can be read; a storage takes more than the longest of these addresses.
    unsafe {
        let length = link::length(address).min(size_of::<SockAddrStorage>());
        ptr::copy_nonoverlapping(address.cast::<u8>(), (&raw mut storage).cast(), length);
        Some(SockAddr::new(storage, length as libc::socklen_t))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::ffi::c_int;
    use std::mem::ManuallyDrop;

    use super::*;

    /// The bytes of an address, in memory of exactly that size, so that Miri finds a read past them.
    fn address(family: c_int, rest: &[u8]) -> Box<[u16]> {
        let bytes = [&(family as libc::sa_family_t).to_ne_bytes(), rest].concat();
        bytes.chunks(2).map(|pair| u16::from_ne_bytes([pair[0], *pair.get(1).unwrap_or(&0)])).collect()
    }

    fn entry(name: &CStr, address: Option<&mut Box<[u16]>>, next: *mut libc::ifaddrs) -> libc::ifaddrs {
        libc::ifaddrs {
            ifa_next: next,
            ifa_name: name.as_ptr().cast_mut(),
            ifa_flags: 1,
            ifa_addr: address.map_or(ptr::null_mut(), |address| address.as_mut_ptr().cast()),
            ifa_netmask: ptr::null_mut(),
            ifa_ifu: ptr::null_mut(),
            ifa_data: ptr::null_mut(),
        }
    }

    fn bytes(address: &SockAddr) -> &[u8] {
        // SAFETY: a storage, which is longer than any address in it.
        unsafe { std::slice::from_raw_parts(address.as_ptr().cast(), address.len() as usize) }
    }

    #[test]
    fn addresses_are_copied_to_their_end_and_no_further() {
        // As InfiniBand has it: 20 bytes, more than a `sockaddr_ll` itself has room for.
        let hardware = [&[0, 0][..], &7_i32.to_ne_bytes(), &[0, 0, 0, 20], &[9; 20]].concat();
        let mut hardware = address(libc::AF_PACKET, &hardware);
        let mut lying = address(libc::AF_PACKET, &[&[0; 9][..], &[255], &[8; 24]].concat());
        let mut v4 = address(libc::AF_INET, &[0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mut unknown = address(77, &[]);
        let mut none = entry(c"tun0", None, ptr::null_mut());
        let mut unknown = entry(c"x0", Some(&mut unknown), &raw mut none);
        let mut v4 = entry(c"lo", Some(&mut v4), &raw mut unknown);
        let mut lying = entry(c"ib1", Some(&mut lying), &raw mut v4);
        let mut first = entry(c"ib0", Some(&mut hardware), &raw mut lying);
        // The memory is not the C library's to free.
        let list = ManuallyDrop::new(List(&raw mut first));
        // SAFETY: the entries are linked, named, and their addresses complete.
        let copies: Vec<_> = unsafe { list.entries().map(|entry| copy(entry).unwrap()).collect() };

        let found = |place: usize| copies[place].address.as_ref().map(bytes);
        assert_eq!(
            copies.iter().map(|copy| copy.name.as_c_str()).collect::<Vec<_>>(),
            [c"ib0", c"ib1", c"lo", c"x0", c"tun0"]
        );
        assert_eq!(copies.iter().map(|copy| copy.index).collect::<Vec<_>>(), [7, 0, 0, 0, 0]);
        assert_eq!(found(0).map(|bytes| (bytes.len(), bytes[11], bytes[12])), Some((32, 20, 9)));
        assert_eq!(found(1).map(<[u8]>::len), Some(12 + link::LONGEST));
        assert_eq!(
            copies[2].address.as_ref().and_then(SockAddr::as_socket_ipv4).unwrap().ip().octets(),
            [127, 0, 0, 1]
        );
        assert_eq!(found(3), Some(&77_u16.to_ne_bytes()[..]));
        assert_eq!(found(4), None);
    }

    #[test]
    fn an_empty_list_has_no_entries() {
        let list = ManuallyDrop::new(List(ptr::null_mut()));
        // SAFETY: null.
        assert_eq!(unsafe { list.entries().count() }, 0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "asks the system")]
    fn the_loopback_interface_has_its_number() {
        let addresses = getifaddrs().unwrap();
        for entry in addresses.iter().filter(|entry| entry.flags & libc::IFF_LOOPBACK as c_uint != 0) {
            assert_eq!(Some(entry.index), interface::if_nametoindex(&entry.name));
        }
        assert!(addresses.iter().any(|entry| entry.address.is_some()));
    }
}
