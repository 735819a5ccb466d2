//! Control messages, above a `close` that only notes which descriptors it gets.

#[path = "../../../../src/sys/ancillary.rs"]
pub mod ancillary;

use crate::sys::linux as system;

/// Stands for `sys::socket`.
pub mod socket {
    use std::cell::RefCell;
    use std::io;
    use std::os::fd::{IntoRawFd, OwnedFd, RawFd};

    thread_local! {
        static CLOSED: RefCell<Vec<RawFd>> = const { RefCell::new(Vec::new()) };
    }

    /// Stands for `close(2)`. The number is not that of a descriptor of ours.
    pub fn close(fd: OwnedFd) -> io::Result<()> {
        CLOSED.with_borrow_mut(|closed| closed.push(fd.into_raw_fd()));
        Ok(())
    }

    /// What was closed since the last time.
    pub fn closed() -> Vec<RawFd> {
        CLOSED.take()
    }
}
