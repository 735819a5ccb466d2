//! Network interfaces by `ioctl(2)` on a socket, for families that only Linux has: netdevice(7).

use std::ffi::{CStr, CString, c_int};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::sys::interface::NAME_SIZE;
use crate::sys::memory;
use crate::syscall;

/// `ioctl(SIOCGIFINDEX)` on a socket: the index of an interface. A name that is too long is truncated, as by CPython's `strncpy`.
pub fn index_of(fd: BorrowedFd<'_>, name: &[u8]) -> io::Result<c_int> {
    let mut request = empty_request();
    for (to, from) in request.ifr_name[..NAME_SIZE - 1].iter_mut().zip(name) {
        *to = from.cast_signed() as _;
    }
    // SAFETY: `request` is a complete `ifreq` whose name ends with NUL. On success the call has written the index to its union.
    unsafe {
        syscall!(ioctl(fd.as_raw_fd(), libc::SIOCGIFINDEX as _, &raw mut request))?;
        Ok(request.ifr_ifru.ifru_ifindex)
    }
}

/// `ioctl(SIOCGIFNAME)` on a socket: the name of an interface.
pub fn name_of(fd: BorrowedFd<'_>, index: c_int) -> io::Result<CString> {
    let mut request = empty_request();
    request.ifr_ifru.ifru_ifindex = index;
    // SAFETY: `request` is a complete `ifreq`. The call writes its name, which was all zeros, and whose last byte is set to 0 in any case.
    unsafe {
        syscall!(ioctl(fd.as_raw_fd(), libc::SIOCGIFNAME as _, &raw mut request))?;
        request.ifr_name[NAME_SIZE - 1] = 0;
        Ok(memory::until_nul(CStr::from_ptr(request.ifr_name.as_ptr()).to_bytes())?)
    }
}

fn empty_request() -> libc::ifreq {
    // SAFETY: an `ifreq` is plain data, for which all zeros are a valid value.
    unsafe { std::mem::zeroed() }
}
