//! Giving a descriptor's number back to the system.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::sys::socket::{Identity, close, identity};

/// A number that is given back later than its socket was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeferredClose {
    /// The number.
    pub number: RawFd,
    /// What it named when the socket was closed; `None` where it was not even open.
    pub named: Option<Identity>,
}

impl DeferredClose {
    /// The number of a socket that is being closed.
    pub fn new(number: RawFd) -> Self {
        // SAFETY: not -1, and used by this call alone, which fails unless it is open.
        let named = identity(&unsafe { BorrowedFd::borrow_raw(number) }).ok();
        DeferredClose { number, named }
    }
}

/// Gives a number back that its socket has given up, and that no call runs on any more.
pub fn close_number(number: RawFd) -> io::Result<()> {
    // SAFETY: the socket has given the number up, and `Calls` hands each number out once to be closed.
    close(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Gives a number back whose socket was closed a while ago, unless the program has closed it meanwhile, behind the socket's back, as
/// `os.closerange` does: then it is free, or names a stranger's file.
///
/// What is not guaranteed: that the program does not do so between the look and the `close(2)`.
pub fn close_deferred(DeferredClose { number, named }: DeferredClose) {
    // SAFETY: not -1, and used by this call alone, which fails unless it is open.
    let names = identity(&unsafe { BorrowedFd::borrow_raw(number) }).ok();
    if named.is_some() && names == named {
        // Nobody can be told of a failure: `close()` has returned.
        let _ = close_number(number);
    }
}

/// EBADF: the socket is closed.
pub fn closed() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}
