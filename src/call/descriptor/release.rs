//! Closing a descriptor, at once or later.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::sync::{Identity, close, identity};

/// A number that is closed later than its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeferredClose {
    /// The number.
    pub number: RawFd,
    /// What the number named when its object was closed.
    pub named: Named,
}

/// What a number names, as far as the system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// This file.
    File(Identity),
    /// Nothing: the number is not open.
    Nothing,
    /// Something that cannot be looked at: there is no memory, or a policy forbids it.
    Something,
}

impl Named {
    fn now(number: RawFd) -> Self {
        // SAFETY: the number is not -1. Only `fstat` uses it, which fails if it is not open.
        match identity(unsafe { BorrowedFd::borrow_raw(number) }) {
            Ok(identity) => Named::File(identity),
            Err(error) if error.raw_os_error() == Some(libc::EBADF) => Named::Nothing,
            Err(_) => Named::Something,
        }
    }
}

impl DeferredClose {
    /// The number of a socket that is being closed.
    pub fn new(number: RawFd) -> Self {
        DeferredClose { number, named: Named::now(number) }
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
/// Not guaranteed: that the program does not close the number between the check and the `close(2)`, and, where the system does not let files
/// be looked at, that it has not closed the number before.
pub fn close_deferred(DeferredClose { number, named }: DeferredClose) {
    let is_the_same = match (named, Named::now(number)) {
        (Named::Nothing, _) | (_, Named::Nothing) => false,
        (Named::File(then), Named::File(now)) => then == now,
        (Named::Something, _) | (_, Named::Something) => true,
    };
    if is_the_same {
        // A failure cannot be reported: `close()` has returned.
        let _ = close_number(number);
    }
}

/// EBADF: the socket is closed.
pub fn closed_error() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}
