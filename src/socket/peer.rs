//! A cache of the last sender's address in both forms, so that datagrams from one peer do not build its Python form each time.

use std::fmt;
use std::sync::{Mutex, MutexGuard, TryLockError};

use pyo3::prelude::*;
use socket2::SockAddr;

use crate::address::sockaddr;
use crate::error::Result;
use crate::sys::memory;

/// A cache with room for one sender.
#[derive(Default)]
pub struct PeerCache(Mutex<Option<Box<Entry>>>);

struct Entry {
    address: SockAddr,
    /// A tuple of strings and numbers. It is immutable, and cannot be part of a reference cycle.
    python: Py<PyAny>,
}

impl PeerCache {
    /// The Python form of a sender's address. For an IP address equal to the cached one it is the cached object; otherwise `make` makes it.
    pub fn to_python<'py>(
        &self,
        py: Python<'py>,
        address: &SockAddr,
        make: impl FnOnce() -> Result<Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyAny>> {
        if !(address.is_ipv4() || address.is_ipv6()) {
            return make();
        }
        let entry = self.try_lock().and_then(|entry| {
            let entry =
                entry.as_ref().filter(|entry| sockaddr::bytes_of(&entry.address) == sockaddr::bytes_of(address))?;
            Some(entry.python.bind(py).clone())
        });
        match entry {
            Some(python) => Ok(python),
            None => self.store(py, address, make()?),
        }
    }

    fn store<'py>(&self, py: Python<'py>, address: &SockAddr, python: Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
        let new = Entry { address: address.clone(), python: python.clone().unbind() };
        let old = match self.try_lock() {
            Some(mut entry) => match &mut *entry {
                Some(entry) => Some(std::mem::replace(&mut **entry, new)),
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
        // As a `Bound`, which shows that the thread is attached, a drop releases the reference at once.
        drop(old.map(|old| old.python.into_bound(py)));
        Ok(python)
    }

    /// Empties the cache and releases its reference to the Python form.
    pub fn clear(&self, py: Python<'_>) {
        let entry = self.try_lock().and_then(|mut entry| entry.take());
        drop(entry.map(|entry| entry.python.into_bound(py)));
    }

    /// Locks the cache, for as long as a lookup takes. No thread ever waits for the lock, and no Python object is made or dropped while it
    /// is held. A thread that finds it locked, perhaps for ever by a thread that a fork did not copy, goes on without the cache.
    fn try_lock(&self) -> Option<MutexGuard<'_, Option<Box<Entry>>>> {
        match self.0.try_lock() {
            Ok(entry) => Some(entry),
            Err(TryLockError::Poisoned(entry)) => Some(entry.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl fmt::Debug for PeerCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PeerCache")
    }
}
