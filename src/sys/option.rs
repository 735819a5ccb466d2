//! `getsockopt(2)` and `setsockopt(2)`.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

pub use super::system::option_unit::option_unit;
use crate::syscall;

/// `getsockopt(2)` of an int option.
pub fn getsockopt_int(fd: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<c_int> {
    Ok(c_int::from_ne_bytes(getsockopt_value(fd, level, name)?))
}

/// `getsockopt(2)` of a 64-bit option, as those of `AF_VSOCK`.
pub fn getsockopt_u64(fd: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<u64> {
    Ok(u64::from_ne_bytes(getsockopt_value(fd, level, name)?))
}

/// The first `N` bytes of an option's value; a shorter value is followed by zeros.
fn getsockopt_value<const N: usize>(fd: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<[u8; N]> {
    let mut value = [0; N];
    getsockopt(fd, level, name, &mut value)?;
    Ok(value)
}

/// `getsockopt(2)` into `buffer`; how many bytes the option has, which may be more than the buffer takes.
pub fn getsockopt(fd: BorrowedFd<'_>, level: c_int, name: c_int, buffer: &mut [u8]) -> io::Result<usize> {
    let unit = option_unit(level, name);
    let mut length = length_of(buffer.len() / unit);
    // SAFETY: the kernel writes at most `length` units, for which `buffer` has room. Not guaranteed by the kernel's interface, but true of
    // its options: none but the one that `option_unit` knows counts in anything but bytes.
    unsafe { syscall!(getsockopt(fd.as_raw_fd(), level, name, buffer.as_mut_ptr().cast(), &raw mut length)) }?;
    Ok(length as usize * unit)
}

/// `setsockopt(2)` to the bytes of `value`.
pub fn setsockopt(fd: BorrowedFd<'_>, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads at most `length` bytes, and `value` has that size.
    unsafe {
        let length = length_of(value.len());
        syscall!(setsockopt(fd.as_raw_fd(), level, name, value.as_ptr().cast(), length)).map(drop)
    }
}

/// `setsockopt(2)` with a length and no value, which some options require (`socket.setsockopt(level, name, None, length)`).
pub fn setsockopt_null(fd: BorrowedFd<'_>, level: c_int, name: c_int, length: u32) -> io::Result<()> {
    // SAFETY: for a null pointer the kernel reads nothing, or fails with EFAULT.
    unsafe { syscall!(setsockopt(fd.as_raw_fd(), level, name, ptr::null(), length)).map(drop) }
}

fn length_of(length: usize) -> libc::socklen_t {
    libc::socklen_t::try_from(length).unwrap_or(libc::socklen_t::MAX)
}
