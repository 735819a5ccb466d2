//! Services, protocols and the host's own name.

use std::collections::TryReserveError;
use std::ffi::{CStr, CString, c_int};
use std::io;

use super::system::netdb;
use crate::sys::memory;
use crate::syscall;

/// The result of a lookup; `None` if there is no entry.
type Found<T> = Result<Option<T>, TryReserveError>;

/// `getservbyname(3)`: the port of a service, in host order.
pub fn getservbyname(name: &CStr, protocol: Option<&CStr>) -> Found<u16> {
    netdb::getservbyname(name, protocol, |entry| Ok(u16::from_be(entry.s_port as u16)))
}

/// `getservbyport(3)`: the name of the service on a port in host order.
pub fn getservbyport(port: u16, protocol: Option<&CStr>) -> Found<CString> {
    netdb::getservbyport(c_int::from(port.to_be()), protocol, |entry| {
        // SAFETY: an entry's name ends with NUL.
        memory::until_nul(unsafe { CStr::from_ptr(entry.s_name) }.to_bytes())
    })
}

/// `getprotobyname(3)`: the number of a protocol.
pub fn getprotobyname(name: &CStr) -> Found<c_int> {
    netdb::getprotobyname(name, |entry| Ok(entry.p_proto))
}

/// `gethostname(2)`.
pub fn gethostname() -> io::Result<CString> {
    let mut name = [0; 1024];
    // SAFETY: the call does not get the last byte, which stays 0, so that the name always ends with NUL.
    unsafe {
        syscall!(gethostname(name.as_mut_ptr(), name.len() - 1))?;
        Ok(memory::until_nul(CStr::from_ptr(name.as_ptr()).to_bytes())?)
    }
}

/// `sethostname(2)`.
pub fn sethostname(name: &[u8]) -> io::Result<()> {
    // SAFETY: the pointer is valid for the length that is passed with it.
    unsafe { syscall!(sethostname(name.as_ptr().cast(), name.len() as _)).map(drop) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no databases of the C library")]
    fn a_protocol_is_found_by_name() {
        assert_eq!(getprotobyname(c"tcp"), Ok(Some(6)));
        assert_eq!(getprotobyname(c"no such protocol"), Ok(None));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no databases of the C library")]
    fn a_service_is_found_by_name_and_by_port() {
        let Ok(Some(port)) = getservbyname(c"http", Some(c"tcp")) else {
            return; // a machine without /etc/services
        };
        assert_eq!(port, 80);
        assert_eq!(getservbyport(port, Some(c"tcp")).unwrap().as_deref(), Some(c"http"));
        assert_eq!(getservbyname(c"http", Some(c"no such protocol")), Ok(None));
    }
}
