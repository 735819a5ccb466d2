//! Closing a descriptor, at once or later.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::sync::{Identity, close, identity};

/// A number that is closed later than its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeferredClose {
    /// The number.
    pub number: RawFd,
    /// The socket that the number named when its object was closed; `None` if the number was not open.
    pub named: Option<Identity>,
}

impl DeferredClose {
    /// The number of a socket that is being closed.
    pub fn new(number: RawFd) -> Self {
        // SAFETY: the number is not -1. Only `fstat` uses it, which fails if it is not open.
        let named = identity(unsafe { BorrowedFd::borrow_raw(number) }).ok();
        DeferredClose { number, named }
    }
}

/// Closes a number that its socket has given up and on which no call runs any more. Fails as `close(2)` fails.
pub fn close_number(number: RawFd) -> io::Result<()> {
    // SAFETY: the socket has given the number up, and `Calls` returns each number once, to be closed by the caller.
    close(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Closes a number whose socket was closed earlier, unless the program has closed the number itself meanwhile, as `os.closerange` does. In
/// that case the number is free or names another file.
///
/// Not guaranteed: that the program does not close the number between the check and the `close(2)`.
pub fn close_deferred(DeferredClose { number, named }: DeferredClose) {
    // SAFETY: the number is not -1. Only `fstat` uses it, which fails if it is not open.
    let names = identity(unsafe { BorrowedFd::borrow_raw(number) }).ok();
    if named.is_some() && names == named {
        // A failure cannot be reported: `close()` has returned.
        let _ = close_number(number);
    }
}

/// EBADF: the socket is closed.
pub fn closed_error() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}
