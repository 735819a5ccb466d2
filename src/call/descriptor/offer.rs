//! A descriptor that is offered to Python code by its number: `Subclass(family, type, proto, fileno=number)`.
//!
//! Whether that code took it over before it failed, only the socket knows that took it. Closed all the same, the number may be a
//! stranger's by now; not closed, it leaks. So an offer is remembered until [`taken`] crosses it off.

use std::cell::RefCell;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};

use crate::sys::socket::{Identity, close, identity};

thread_local! {
    /// The numbers on offer in this thread, the latest last.
    static OFFERS: RefCell<Vec<RawFd>> = const { RefCell::new(Vec::new()) };
}

/// A descriptor on offer.
#[derive(Debug)]
pub struct Offer {
    number: RawFd,
    identity: Option<Identity>,
}

impl Offer {
    /// Offers a descriptor.
    pub fn new(fd: OwnedFd) -> Self {
        let identity = identity(&fd).ok();
        let number = fd.into_raw_fd();
        OFFERS.with_borrow_mut(|offers| offers.push(number));
        Offer { number, identity }
    }

    /// The number, for Python.
    pub fn number(&self) -> RawFd {
        self.number
    }

    /// Ends the offer after a failure: what nobody took is closed.
    pub fn withdraw(self) {
        if !taken(self.number) {
            return;
        }
        // SAFETY: no socket took it. It may have been closed by the code that failed; then it is only closed here if it names the very
        // same socket again. What is not guaranteed: that the code does not keep the number for itself.
        let fd = unsafe { OwnedFd::from_raw_fd(self.number) };
        if identity(&fd).ok() == self.identity {
            let _ = close(fd);
        } else {
            let _not_ours = fd.into_raw_fd();
        }
    }

    /// Ends the offer after a success: whoever was called has it.
    pub fn accepted(self) {
        taken(self.number);
    }
}

/// Crosses a number off, which a socket has taken over; whether it was on offer.
pub fn taken(number: RawFd) -> bool {
    OFFERS.with_borrow_mut(|offers| {
        let place = offers.iter().rposition(|&offered| offered == number);
        place.map(|place| offers.swap_remove(place)).is_some()
    })
}
