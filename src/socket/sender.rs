//! Who sent last: an address in both its forms, so that datagrams from one peer do not build its Python form again and again.

use std::fmt;
use std::sync::{Mutex, PoisonError, TryLockError};

use pyo3::prelude::*;
use socket2::SockAddr;

use crate::address;
use crate::error::Result;

/// The memory of one sender.
#[derive(Default)]
pub struct Sender(Mutex<Option<Box<Known>>>);

struct Known {
    address: SockAddr,
    /// A tuple of strings and numbers: nobody can change it, and it refers to nothing that could refer back.
    python: Py<PyAny>,
}

impl Sender {
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
        // Nothing waits for a memory: who finds it in use does without.
        let mut known = match self.0.try_lock() {
            Ok(known) => known,
            Err(TryLockError::Poisoned(known)) => known.into_inner(),
            Err(TryLockError::WouldBlock) => return make(),
        };
        if let Some(known) = &*known
            && address::bytes_of(&known.address) == address::bytes_of(address)
        {
            return Ok(known.python.bind(py).clone());
        }
        let python = make()?;
        let new = Known { address: address.clone(), python: python.clone().unbind() };
        let old = match &mut *known {
            Some(known) => Some(std::mem::replace(&mut **known, new)),
            None => {
                *known = Some(Box::new(new));
                None
            }
        };
        // Through `Bound`, which knows that the thread is attached and gives the reference back at once.
        drop(old.map(|old| old.python.into_bound(py)));
        Ok(python)
    }

    /// Forgets the sender, attached: a reference is given back.
    pub fn forget(&self, py: Python<'_>) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(known.map(|known| known.python.into_bound(py)));
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sender")
    }
}
