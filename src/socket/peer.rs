//! Who sent last: an address in both its forms, so that datagrams from one peer do not build its Python form again and again.

use std::fmt;
use std::sync::{Mutex, MutexGuard, TryLockError};

use pyo3::prelude::*;
use socket2::SockAddr;

use crate::address::sockaddr;
use crate::error::Result;
use crate::sys::memory;

/// The memory of one sender.
#[derive(Default)]
pub struct PeerCache(Mutex<Option<Box<Known>>>);

struct Known {
    address: SockAddr,
    /// A tuple of strings and numbers: nobody can change it, and it refers to nothing that could refer back.
    python: Py<PyAny>,
}

impl PeerCache {
    /// The Python form of a sender's IP address: the one made for the last sender, if it is the same.
    pub fn to_python<'py>(
        &self,
        py: Python<'py>,
        address: &SockAddr,
        make: impl FnOnce() -> Result<Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyAny>> {
        if !(address.is_ipv4() || address.is_ipv6()) {
            return make();
        }
        let known = self.memory().and_then(|known| {
            let known =
                known.as_ref().filter(|known| sockaddr::bytes_of(&known.address) == sockaddr::bytes_of(address))?;
            Some(known.python.bind(py).clone())
        });
        match known {
            Some(python) => Ok(python),
            None => self.remember(py, address, make()?),
        }
    }

    fn remember<'py>(
        &self,
        py: Python<'py>,
        address: &SockAddr,
        python: Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyAny>> {
        let new = Known { address: address.clone(), python: python.clone().unbind() };
        let old = match self.memory() {
            Some(mut known) => match &mut *known {
                Some(known) => Some(std::mem::replace(&mut **known, new)),
                none => match memory::try_box(new) {
                    Ok(new) => {
                        *none = Some(new);
                        None
                    }
                    Err(new) => Some(new),
                },
            },
            None => Some(new),
        };
        // Through `Bound`, which knows that the thread is attached and gives the reference back at once.
        drop(old.map(|old| old.python.into_bound(py)));
        Ok(python)
    }

    /// Forgets the sender, attached: a reference is given back.
    pub fn forget(&self, py: Python<'_>) {
        let known = self.memory().and_then(|mut known| known.take());
        drop(known.map(|known| known.python.into_bound(py)));
    }

    /// The memory, held for as long as it takes to look. Nothing waits for it, and nothing of Python's is made or dropped meanwhile: who finds it
    /// in use, by a thread that a fork may have left behind, does without.
    fn memory(&self) -> Option<MutexGuard<'_, Option<Box<Known>>>> {
        match self.0.try_lock() {
            Ok(known) => Some(known),
            Err(TryLockError::Poisoned(known)) => Some(known.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl fmt::Debug for PeerCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PeerCache")
    }
}
