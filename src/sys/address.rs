//! Addresses as the socket calls take them.

use socket2::{SockAddr, SockAddrStorage};

/// An address of length 0, which stands for no address.
pub fn no_address() -> SockAddr {
    // SAFETY: the length of 0 is within the storage, and no byte of it is read.
    unsafe { SockAddr::new(SockAddrStorage::zeroed(), 0) }
}
