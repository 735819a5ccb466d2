//! The system calls measured, each by its own name.

use std::ffi::CStr;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::AsRawFd;
use std::ptr::null_mut;

use libc::{c_int, sockaddr_in, socklen_t};

const ADDRESS_LENGTH: socklen_t = size_of::<sockaddr_in>() as socklen_t;

fn check(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

pub fn send(fd: c_int, data: &[u8]) -> io::Result<usize> {
    // SAFETY: the pointer and the length are those of a slice that is borrowed during the call.
    check(unsafe { libc::send(fd, data.as_ptr().cast(), data.len(), 0) })
}

pub fn recv(fd: c_int, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: as for `send`, and the slice is borrowed mutably.
    check(unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), 0) })
}

pub fn sendto(fd: c_int, data: &[u8], address: &sockaddr_in) -> io::Result<usize> {
    // SAFETY: as for `send`; the address is borrowed during the call, and of the length said.
    check(unsafe {
        libc::sendto(fd, data.as_ptr().cast(), data.len(), 0, (&raw const *address).cast(), ADDRESS_LENGTH)
    })
}

pub fn recvfrom(fd: c_int, buffer: &mut [u8]) -> io::Result<(usize, sockaddr_in)> {
    // SAFETY: a sockaddr_in is plain numbers, for which zero is a value.
    let mut address: sockaddr_in = unsafe { zeroed() };
    let mut length = ADDRESS_LENGTH;
    // SAFETY: as for `recv`; the kernel writes no more of the address than `length` says there is room for.
    let received = check(unsafe {
        let from = (&raw mut address).cast();
        libc::recvfrom(fd, buffer.as_mut_ptr().cast(), buffer.len(), 0, from, &raw mut length)
    })?;
    Ok((received, address))
}

pub fn readable(end: &impl AsRawFd) -> libc::pollfd {
    libc::pollfd { fd: end.as_raw_fd(), events: libc::POLLIN, revents: 0 }
}

/// Waits until one of them is what it is polled for.
pub fn poll(ends: &mut [libc::pollfd]) -> io::Result<()> {
    // SAFETY: the pointer and the number are those of a slice that is borrowed mutably during the call.
    check(unsafe { libc::poll(ends.as_mut_ptr(), ends.len() as libc::nfds_t, -1) } as isize).map(drop)
}

pub fn socket(family: c_int, kind: c_int) -> io::Result<c_int> {
    // SAFETY: takes numbers alone.
    check(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, 0) } as isize).map(|fd| fd as c_int)
}

pub fn connect(fd: c_int, address: &sockaddr_in) -> io::Result<()> {
    // SAFETY: the address is borrowed during the call, and of the length said.
    check(unsafe { libc::connect(fd, (&raw const *address).cast(), ADDRESS_LENGTH) } as isize).map(drop)
}

pub fn accept(fd: c_int) -> io::Result<c_int> {
    // SAFETY: as for `recvfrom`.
    let mut address: sockaddr_in = unsafe { zeroed() };
    let mut length = ADDRESS_LENGTH;
    // SAFETY: as for `recvfrom`.
    let accepted = unsafe { libc::accept4(fd, (&raw mut address).cast(), &raw mut length, libc::SOCK_CLOEXEC) };
    check(accepted as isize).map(|fd| fd as c_int)
}

pub fn close(fd: c_int) -> io::Result<()> {
    // SAFETY: the callers close what `socket` and `accept` gave them, once.
    check(unsafe { libc::close(fd) } as isize).map(drop)
}

/// Closing this listener's accepted connections resets them: they leave no TIME_WAIT behind, of which a machine has few.
pub fn linger_not(fd: c_int) -> io::Result<()> {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let length = size_of::<libc::linger>() as socklen_t;
    // SAFETY: the value is borrowed during the call, and of the length said.
    check(
        unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_LINGER, (&raw const linger).cast(), length) } as isize
    )
    .map(drop)
}

pub fn getaddrinfo(host: &CStr, service: &CStr) -> io::Result<()> {
    // Without hints it would ask the kernel for the machine's addresses, which Python's does not.
    // SAFETY: the hints are numbers and null pointers, for which zero is a value.
    let hints: libc::addrinfo = unsafe { zeroed() };
    let mut found = null_mut();
    // SAFETY: the strings end with NUL, and the hints are borrowed during the call.
    let code = unsafe { libc::getaddrinfo(host.as_ptr(), service.as_ptr(), &raw const hints, &raw mut found) };
    if code != 0 {
        return Err(io::Error::other(format!("getaddrinfo: {code}")));
    }
    // SAFETY: the list is the one just got, and is given back once.
    unsafe { libc::freeaddrinfo(found) };
    Ok(())
}
