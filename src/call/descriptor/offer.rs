//! A descriptor that is offered to Python code by its number: `Subclass(family, type, proto, fileno=number)`.
//!
//! If that code fails, the caller cannot tell whether a socket took the descriptor over before. Closing it then could close another file;
//! not closing it could leak it. So an offer is recorded, and the socket that takes the descriptor over removes the record: see [`taken`].
//!
//! That socket may be made in another thread: the code may have given the number away before it failed.

use std::io;
use std::os::fd::{AsFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::call::attempts::Directions;
use crate::sys::file::{Identity, identity};
use crate::sys::fork::{Held, around_fork};
use crate::sys::socket::close;

/// The numbers on offer.
static OFFERS: Mutex<Vec<Offered>> = Mutex::new(Vec::new());

/// How many there are, so that a new socket needs no lock where there are none.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The record of an offer.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    number: RawFd,
    /// The directions in which the descriptor's options allow no first attempt, if they are known.
    pub excluded: Option<Directions>,
}

fn offers() -> MutexGuard<'static, Vec<Offered>> {
    OFFERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A descriptor on offer.
#[derive(Debug)]
pub struct Offer {
    number: RawFd,
    identity: Option<Identity>,
}

impl Offer {
    /// Offers a descriptor, with what is known of its options. When there is no memory, it is closed, and the result is `None`.
    pub fn new(fd: OwnedFd, excluded: Option<Directions>) -> Option<Self> {
        watch_forks().ok()?;
        let identity = identity(fd.as_fd()).ok();
        let mut offers = offers();
        offers.try_reserve(1).ok()?;
        let number = fd.into_raw_fd();
        offers.push(Offered { number, excluded });
        COUNT.store(offers.len(), Ordering::Release);
        Some(Offer { number, identity })
    }

    /// The number, for Python.
    pub fn number(&self) -> RawFd {
        self.number
    }

    /// Ends the offer after a failure, and closes the descriptor if no socket took it over.
    pub fn withdraw(self) {
        if taken(self.number).is_none() {
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

/// Removes the record of a number, because a socket has taken it over. Returns it if the number was on offer.
///
/// Not guaranteed: that the number was not offered a moment later in another thread. Who takes a number over has got it from the offer.
pub fn taken(number: RawFd) -> Option<Offered> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return None;
    }
    let mut offers = offers();
    let index = offers.iter().rposition(|offered| offered.number == number);
    let offered = index.map(|index| offers.swap_remove(index));
    COUNT.store(offers.len(), Ordering::Release);
    offered
}

static HELD: Held<MutexGuard<'static, Vec<Offered>>> = Held::new();

extern "C" fn before_fork() {
    let locked = offers();
    // SAFETY: this is a lock, and this handler comes before a fork.
    unsafe { HELD.put(locked) };
}

extern "C" fn after_fork() {
    // SAFETY: the handler before the fork has put it here.
    drop(unsafe { HELD.take() });
}

/// Registers the fork handlers, with the first offer.
fn watch_forks() -> io::Result<()> {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    // If there was no memory, the next offer tries again.
    around_fork(before_fork, after_fork, after_fork).inspect_err(|_| DONE.store(false, Ordering::Relaxed))
}
