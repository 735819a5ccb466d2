//! Waiting until a descriptor is ready.

use std::ffi::{c_int, c_short};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use super::check;
use super::system::wait::{PEER_HAS_ENDED, ppoll};
use crate::syscall;

/// What a transfer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Data to receive, or a connection to accept.
    Read,
    /// Room to send, or the completion of a connect.
    Write,
}

impl Direction {
    fn events(self) -> libc::c_short {
        match self {
            Direction::Read => libc::POLLIN,
            Direction::Write => libc::POLLOUT,
        }
    }
}

/// `poll(2)` of one descriptor: whether it became ready within `timeout`; `None` waits without a limit.
pub fn poll(fd: BorrowedFd<'_>, direction: Direction, timeout: Option<Duration>) -> io::Result<bool> {
    let mut request = libc::pollfd { fd: fd.as_raw_fd(), events: direction.events(), revents: 0 };
    // SAFETY: the pointer is to one `pollfd`, and the count is 1.
    let ready = unsafe { syscall!(poll(&raw mut request, 1, timeout.map_or(-1, milliseconds))) }?;
    Ok(ready > 0)
}

/// [`poll`] for a time that is counted in nanoseconds, where the system has such a call.
pub fn poll_briefly(fd: BorrowedFd<'_>, direction: Direction, timeout: Duration) -> io::Result<bool> {
    let mut request = libc::pollfd { fd: fd.as_raw_fd(), events: direction.events(), revents: 0 };
    Ok(check(ppoll(&mut request, timeout))? > 0)
}

/// `poll(2)` without a limit, until there is room to send, an error, or a hangup. True if there is room and neither of the others.
pub fn has_room(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut request = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: the pointer is to one `pollfd`, and the count is 1.
    unsafe { syscall!(poll(&raw mut request, 1, -1)) }?;
    Ok(request.revents & (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) == 0)
}

/// `poll(2)` that does not wait: what the descriptor is ready for, its errors, and whether its peer has ended the connection.
pub fn poll_now(fd: BorrowedFd<'_>) -> io::Result<c_short> {
    let events = libc::POLLIN | libc::POLLOUT | PEER_HAS_ENDED;
    let mut request = libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    // SAFETY: one request is passed, and counted.
    unsafe { syscall!(poll(&raw mut request, 1, 0)) }?;
    Ok(request.revents)
}

/// A timeout in milliseconds, rounded up, so that no wait ends early. More than 24 days do not fit a C int and are limited to that; the
/// caller then waits again.
fn milliseconds(timeout: Duration) -> c_int {
    let up = timeout.as_nanos().div_ceil(1_000_000);
    c_int::try_from(up).unwrap_or(c_int::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_round_up() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_millis(7)), 7);
        assert_eq!(milliseconds(Duration::from_micros(7_001)), 8);
    }

    #[test]
    fn milliseconds_do_not_overflow() {
        assert_eq!(milliseconds(Duration::MAX), c_int::MAX);
    }
}
