//! `TCP_CONNECTION_INFO` of `<netinet/tcp.h>`.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::sys::traffic::Traffic;
use crate::syscall;

/// `TCPS_CLOSED` of `<netinet/tcp_fsm.h>`.
const STATE_CLOSED: u8 = 0;

/// Linux's `TCP_INFO`, which is not here. (`getsockopt` has `TCP_CONNECTION_INFO`, with fields of its own.)
pub fn tcp_info(_fd: BorrowedFd<'_>, _room: &mut [u8]) -> io::Result<usize> {
    Err(io::Error::from_raw_os_error(libc::ENOPROTOOPT))
}

/// How much a connection has carried.
pub fn traffic(fd: BorrowedFd<'_>) -> io::Result<Traffic> {
    let mut info = MaybeUninit::<libc::tcp_connection_info>::zeroed();
    let mut length = size_of::<libc::tcp_connection_info>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, for which there is room. All zeros, which it leaves behind where it writes less, is
    // valid: the fields are numbers.
    let info = unsafe {
        let (level, name) = (libc::IPPROTO_TCP, libc::TCP_CONNECTION_INFO);
        syscall!(getsockopt(fd.as_raw_fd(), level, name, info.as_mut_ptr().cast(), &raw mut length))?;
        info.assume_init()
    };
    Ok(Traffic {
        is_over: info.tcpi_state == STATE_CLOSED,
        was_connected: info.tcpi_srtt != 0,
        received: Some(info.tcpi_rxbytes),
        sent: info.tcpi_txbytes.checked_sub(info.tcpi_txretransmitbytes),
    })
}
