//! A cache of the last sender's address in both forms, so that datagrams from one peer do not build its Python form each time.

use std::fmt;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::prelude::*;
use socket2::SockAddr;

use crate::address::sockaddr;
use crate::error::Result;
use crate::sys::memory;

/// A cache with room for one sender.
///
/// A thread takes the entry out, looks at it, and puts it back. Another thread that comes meanwhile finds the cache empty and goes on without
/// it, as does the child of a fork in between: no thread ever waits for another. It is no lock, because a lock beside the pointer would make
/// each socket 16 bytes larger.
#[derive(Default)]
pub struct PeerCache(AtomicPtr<Entry>);

struct Entry {
    address: SockAddr,
    /// A tuple of strings and numbers. It is immutable, and cannot be part of a reference cycle.
    python: Py<PyAny>,
}

impl Entry {
    fn is_of(&self, address: &SockAddr) -> bool {
        sockaddr::bytes_of(&self.address) == sockaddr::bytes_of(address)
    }
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
        let known = self.take();
        if let Some(entry) = known.as_ref().filter(|entry| entry.is_of(address)) {
            let python = entry.python.clone_ref(py).into_bound(py);
            self.put(py, known);
            return Ok(python);
        }
        let made = make();
        let new = made.as_ref().ok().map(|python| Entry { address: address.clone(), python: python.clone().unbind() });
        self.put(py, replace(py, known, new));
        made
    }

    /// Empties the cache and releases its reference to the Python form.
    pub fn clear(&self, py: Python<'_>) {
        if let Some(entry) = self.take() {
            release(py, *entry);
        }
    }

    fn take(&self) -> Option<Box<Entry>> {
        let entry = self.0.swap(ptr::null_mut(), Ordering::Acquire);
        // SAFETY: a pointer that is not null came from `Box::into_raw` in `put`. The swap has given it to this thread alone.
        (!entry.is_null()).then(|| unsafe { Box::from_raw(entry) })
    }

    /// Puts an entry where there is none; where another thread has put its own meanwhile, this one is released.
    fn put(&self, py: Python<'_>, entry: Option<Box<Entry>>) {
        let Some(entry) = entry.map(Box::into_raw) else { return };
        if self.0.compare_exchange(ptr::null_mut(), entry, Ordering::Release, Ordering::Relaxed).is_err() {
            // SAFETY: it came from the line above, and nobody else has it.
            release(py, *unsafe { Box::from_raw(entry) });
        }
    }
}

/// The entry with the new contents, if there are any. Without memory there is no entry, and nothing else is amiss.
fn replace(py: Python<'_>, known: Option<Box<Entry>>, new: Option<Entry>) -> Option<Box<Entry>> {
    let Some(new) = new else { return known };
    let (entry, old) = match known {
        Some(mut entry) => {
            let old = mem::replace(&mut *entry, new);
            (Some(entry), Some(old))
        }
        None => match memory::try_box(new) {
            Ok(entry) => (Some(entry), None),
            Err(new) => (None, Some(new)),
        },
    };
    if let Some(old) = old {
        release(py, old);
    }
    entry
}

/// As a `Bound`, which shows that the thread is attached, a drop releases the reference at once.
fn release(py: Python<'_>, entry: Entry) {
    drop(entry.python.into_bound(py));
}

impl fmt::Debug for PeerCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PeerCache")
    }
}
