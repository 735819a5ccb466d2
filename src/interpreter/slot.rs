//! A reference that threads share.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

/// A reference to an object, or to none, that can be replaced while others read it.
///
/// To read it is two steps, the pointer and then a reference of one's own to what it points to, between which nobody must give up the
/// one that is here. Where there is a GIL, it sees to that; where there is none, a lock that is held for nothing but these steps. All zeros
/// are a slot with nothing in it.
#[derive(Debug)]
#[repr(C)]
pub struct Slot {
    object: AtomicPtr<ffi::PyObject>,
    #[cfg(Py_GIL_DISABLED)]
    lock: lock::Lock,
}

impl Slot {
    /// A slot with nothing in it.
    pub const fn empty() -> Self {
        Slot {
            object: AtomicPtr::new(ptr::null_mut()),
            #[cfg(Py_GIL_DISABLED)]
            lock: lock::Lock::new(),
        }
    }

    /// What it refers to.
    #[inline]
    pub fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        #[cfg(Py_GIL_DISABLED)]
        let _held = self.lock.hold(py);
        // SAFETY: null, or an object that a reference in here keeps; nobody takes that out meanwhile.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.object.load(Ordering::Relaxed)) }
    }

    /// Whether it refers to this very object.
    #[inline]
    pub fn is(&self, object: &Bound<'_, PyAny>) -> bool {
        self.object.load(Ordering::SeqCst) == object.as_ptr()
    }

    /// Puts another reference in, and gives back what was there: to be dropped by the caller, as that may run Python code.
    #[must_use = "what was there is dropped where nothing is in the middle of a change"]
    pub fn replace<'py>(&self, py: Python<'py>, new: Option<Bound<'py, PyAny>>) -> Option<Bound<'py, PyAny>> {
        #[cfg(Py_GIL_DISABLED)]
        let _held = self.lock.hold(py);
        let old = self.object.swap(new.map_or(ptr::null_mut(), Bound::into_ptr), Ordering::SeqCst);
        // SAFETY: null, or the reference that was in here, which is the caller's now.
        unsafe { Bound::from_owned_ptr_or_opt(py, old) }
    }

    /// Shows what it refers to to the collector.
    ///
    /// # Safety
    ///
    /// The collector is who asks, with `visit` and `argument`.
    pub unsafe fn visit(&self, visit: ffi::visitproc, argument: *mut c_void) -> c_int {
        let object = self.object.load(Ordering::Relaxed);
        // SAFETY: an object that is kept from in here; the collector lets no other thread run.
        if object.is_null() { 0 } else { unsafe { visit(object, argument) } }
    }
}

/// The interpreter's own lock of one byte.
#[cfg(Py_GIL_DISABLED)]
mod lock {
    use std::cell::UnsafeCell;
    use std::fmt;

    use pyo3::ffi;
    use pyo3::prelude::*;

    pub struct Lock(UnsafeCell<ffi::PyMutex>);

    // SAFETY: it is made to be locked from several threads.
    unsafe impl Sync for Lock {}

    // SAFETY: as above; nothing in it belongs to a thread.
    unsafe impl Send for Lock {}

    pub struct Held<'a>(&'a Lock);

    impl Lock {
        pub const fn new() -> Self {
            Lock(UnsafeCell::new(ffi::PyMutex::new()))
        }

        /// Locks it, till what is given back is dropped. Whoever has to wait does so detached.
        pub fn hold(&self, _py: Python<'_>) -> Held<'_> {
            // SAFETY: attached, as `_py` shows; it is unlocked once, by the guard.
            unsafe { ffi::PyMutex_Lock(self.0.get()) };
            Held(self)
        }
    }

    impl Drop for Held<'_> {
        fn drop(&mut self) {
            // SAFETY: locked by who made the guard.
            unsafe { ffi::PyMutex_Unlock(self.0.0.get()) };
        }
    }

    impl fmt::Debug for Lock {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("Lock")
        }
    }
}
