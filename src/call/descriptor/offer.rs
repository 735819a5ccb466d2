//! A descriptor that is offered to Python code by its number: `Subclass(family, type, proto, fileno=number)`.
//!
//! If that code fails, the caller cannot tell whether a socket took the descriptor over before. Closing it then could close another file;
//! not closing it could leak it. So an offer is recorded, and the socket that takes the descriptor over removes the record: see [`taken`].

use std::cell::RefCell;
use std::os::fd::{AsFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use crate::sys::file::{Identity, identity};
use crate::sys::per_thread::PerThread;
use crate::sys::socket::close;

/// The numbers on offer in each thread.
static OFFERS: PerThread<RefCell<Vec<RawFd>>> = PerThread::new();

/// A descriptor on offer.
#[derive(Debug)]
pub struct Offer {
    number: RawFd,
    identity: Option<Identity>,
}

impl Offer {
    /// Offers a descriptor. When there is no memory, it is closed, and the result is `None`.
    pub fn new(fd: OwnedFd) -> Option<Self> {
        let identity = identity(fd.as_fd()).ok();
        let offered = OFFERS.with(|offers| {
            let mut offers = offers.borrow_mut();
            offers.try_reserve(1).ok()?;
            let number = fd.into_raw_fd();
            offers.push(number);
            Some(Offer { number, identity })
        });
        offered.flatten()
    }

    /// The number, for Python.
    pub fn number(&self) -> RawFd {
        self.number
    }

    /// Ends the offer after a failure, and closes the descriptor if no socket took it over.
    pub fn withdraw(self) {
        if !taken(self.number) {
            return;
        }
        // SAFETY: no socket took the descriptor over. If the code that failed has closed it, it is closed here only if the number names the
        // same socket again. Not guaranteed: that the code does not use the number later.
        let fd = unsafe { OwnedFd::from_raw_fd(self.number) };
        if identity(fd.as_fd()).ok() == self.identity {
            let _ = close(fd);
        } else {
            let _not_owned = fd.into_raw_fd();
        }
    }

    /// Ends the offer after a success: the called code owns the descriptor.
    pub fn accepted(self) {
        taken(self.number);
    }
}

/// Removes the record of a number, because a socket has taken it over; whether it was on offer.
pub fn taken(number: RawFd) -> bool {
    let removed = OFFERS.with_known(|offers| {
        let mut offers = offers.borrow_mut();
        let index = offers.iter().rposition(|&offered| offered == number);
        index.map(|index| offers.swap_remove(index)).is_some()
    });
    removed.unwrap_or(false)
}
