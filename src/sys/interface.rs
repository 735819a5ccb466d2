//! Network interfaces by name and index.

use std::ffi::{CStr, CString, c_int, c_uint};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

use crate::sys::memory;
use crate::syscall;

/// The size of the longest interface name, with its NUL, in bytes.
pub const NAME_SIZE: usize = libc::IF_NAMESIZE;

/// `if_nameindex(3)`: the index and name of every interface.
pub fn if_nameindex() -> io::Result<Vec<(c_uint, CString)>> {
    // SAFETY: the call returns an array of entries, which an entry with index 0 ends, and which is valid until it is freed below. The
    // pointer that `successors` computes last is one past the end of the array, and is not followed.
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

/// `if_nametoindex(3)`: the index of an interface; `None` if there is none of that name.
pub fn if_nametoindex(name: &CStr) -> Option<c_uint> {
    // SAFETY: `name` ends with NUL.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (index != 0).then_some(index)
}

/// `if_indextoname(3)`: the name of an interface.
pub fn if_indextoname(index: c_uint) -> io::Result<CString> {
    let mut name = [0; NAME_SIZE];
    // SAFETY: the buffer has the size that the call requires; on success it holds a string that ends with NUL.
    unsafe {
        if libc::if_indextoname(index, name.as_mut_ptr()).is_null() {
            return Err(io::Error::last_os_error());
        }
        Ok(memory::until_nul(CStr::from_ptr(name.as_ptr()).to_bytes())?)
    }
}

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
