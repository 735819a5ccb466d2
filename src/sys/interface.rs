//! Network interfaces by name and number.

use std::ffi::{CStr, CString, c_int, c_uint};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

use crate::sys::memory;
use crate::syscall;

/// The longest name of an interface, its NUL included.
pub const NAME_SIZE: usize = libc::IF_NAMESIZE;

/// `if_nameindex(3)`: the number and name of every interface.
pub fn if_nameindex() -> io::Result<Vec<(c_uint, CString)>> {
    // SAFETY: an array of entries, ended by one without a number, that stays until it is freed.
    unsafe {
        let first = NonNull::new(libc::if_nameindex()).ok_or_else(io::Error::last_os_error)?;
        let entries = std::iter::successors(Some(first), |entry| Some(entry.add(1))).map(|entry| *entry.as_ptr());
        let entries = entries.take_while(|entry| entry.if_index != 0 && !entry.if_name.is_null());
        let interfaces = memory::try_collect_results(entries.map(|entry| {
            let name = memory::until_nul(CStr::from_ptr(entry.if_name).to_bytes())?;
            Ok((entry.if_index, name))
        }));
        libc::if_freenameindex(first.as_ptr());
        interfaces
    }
}

/// `if_nametoindex(3)`: the number of an interface, where there is one of that name.
pub fn if_nametoindex(name: &CStr) -> Option<c_uint> {
    // SAFETY: a string with its NUL.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (index != 0).then_some(index)
}

/// `if_indextoname(3)`: the name of an interface.
pub fn if_indextoname(index: c_uint) -> io::Result<CString> {
    let mut name = [0; NAME_SIZE];
    // SAFETY: the buffer has the size the call asks for; on success it holds a string with its NUL.
    unsafe {
        if libc::if_indextoname(index, name.as_mut_ptr()).is_null() {
            return Err(io::Error::last_os_error());
        }
        Ok(memory::until_nul(CStr::from_ptr(name.as_ptr()).to_bytes())?)
    }
}

/// `ioctl(SIOCGIFINDEX)`: the number of an interface, asked through a socket. A name that is too long is cut, as `strncpy` would.
pub fn index_of(fd: BorrowedFd<'_>, name: &[u8]) -> io::Result<c_int> {
    let mut request = request();
    for (to, from) in request.ifr_name[..NAME_SIZE - 1].iter_mut().zip(name) {
        *to = from.cast_signed() as _;
    }
    // SAFETY: the request is a whole `ifreq` whose name ends with NUL; the call fills its union with the number.
    unsafe {
        syscall!(ioctl(fd.as_raw_fd(), libc::SIOCGIFINDEX as _, &raw mut request))?;
        Ok(request.ifr_ifru.ifru_ifindex)
    }
}

/// `ioctl(SIOCGIFNAME)`: the name of an interface, asked through a socket.
pub fn name_of(fd: BorrowedFd<'_>, index: c_int) -> io::Result<CString> {
    let mut request = request();
    request.ifr_ifru.ifru_ifindex = index;
    // SAFETY: the request is a whole `ifreq`; the call fills its name, which was all NUL and is ended by the last one in any case.
    unsafe {
        syscall!(ioctl(fd.as_raw_fd(), libc::SIOCGIFNAME as _, &raw mut request))?;
        request.ifr_name[NAME_SIZE - 1] = 0;
        Ok(memory::until_nul(CStr::from_ptr(request.ifr_name.as_ptr()).to_bytes())?)
    }
}

fn request() -> libc::ifreq {
    // SAFETY: an `ifreq` is plain data, for which all zeros are a value.
    unsafe { std::mem::zeroed() }
}
