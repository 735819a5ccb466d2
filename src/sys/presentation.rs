//! IP addresses as text, as the C library reads and writes them.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::net::{IpAddr, Ipv6Addr};

unsafe extern "C" {
    fn inet_aton(text: *const c_char, address: *mut libc::in_addr) -> c_int;
    fn inet_pton(family: c_int, text: *const c_char, address: *mut c_void) -> c_int;
    fn inet_ntop(family: c_int, address: *const c_void, text: *mut c_char, size: libc::socklen_t) -> *const c_char;
}

/// `inet_aton(3)`: an IPv4 address in any of its old forms (`127.1`, `0x7f.1`). The bytes are in network order; `None` if the text is not
/// an address.
pub fn aton(text: &CStr) -> Option<[u8; 4]> {
    let mut address = libc::in_addr { s_addr: 0 };
    // SAFETY: `text` ends with NUL, and `address` is memory for one address.
    let valid = unsafe { inet_aton(text.as_ptr(), &raw mut address) };
    (valid != 0).then(|| address.s_addr.to_ne_bytes())
}

/// `inet_pton(3)`: an address; `None` if the text is not one. EAFNOSUPPORT for a family other than `AF_INET` and `AF_INET6`.
pub fn pton(family: c_int, text: &CStr) -> io::Result<Option<IpAddr>> {
    let mut address = [0u8; 16];
    // SAFETY: `text` ends with NUL, and `address` has room for the longer of the two addresses.
    match unsafe { inet_pton(family, text.as_ptr(), address.as_mut_ptr().cast()) } {
        1 if family == libc::AF_INET => Ok(address.first_chunk::<4>().copied().map(IpAddr::from)),
        1 => Ok(Some(address.into())),
        0 => Ok(None),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The size of the longest text of an IPv6 address, with its NUL: `INET6_ADDRSTRLEN`.
pub const LONGEST_V6: usize = 46;

/// `inet_ntop(3)` of an IPv6 address, written into `text`.
pub fn ntop_v6(address: Ipv6Addr, text: &mut [c_char; LONGEST_V6]) -> &CStr {
    let octets = address.octets();
    // SAFETY: the call reads 16 bytes, which `octets` has. It cannot fail, because the buffer has room for the longest text with its NUL.
    unsafe {
        inet_ntop(libc::AF_INET6, octets.as_ptr().cast(), text.as_mut_ptr(), text.len() as _);
        CStr::from_ptr(text.as_ptr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no inet_aton")]
    fn aton_takes_the_old_forms() {
        assert_eq!(aton(c"127.1"), Some([127, 0, 0, 1]));
        assert_eq!(aton(c"0x7f.1 "), Some([127, 0, 0, 1]));
        assert_eq!(aton(c"1.2.3.4.5"), None);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no inet_ntop")]
    fn ntop_writes_the_c_librarys_form() {
        let mut text = [0; LONGEST_V6];
        assert_eq!(ntop_v6("::1:5".parse().unwrap(), &mut text), c"::0.1.0.5");
        assert_eq!(ntop_v6("2001:db8::1".parse().unwrap(), &mut text), c"2001:db8::1");
    }
}
