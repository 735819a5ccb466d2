//! A reference to a Python object that several threads read and replace.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

/// An owned reference to an object, or none, that one thread can replace while others read it.
///
/// A read takes two steps: it loads the pointer, and then takes a reference to the object. Between them no other thread may release the
/// slot's own reference. With a GIL, the GIL prevents it; without one, a lock that is held only for these steps. A slot of all zeros is
/// empty.
#[derive(Debug)]
#[repr(C)]
pub struct Slot {
    object: AtomicPtr<ffi::PyObject>,
    #[cfg(Py_GIL_DISABLED)]
    lock: mutex::Mutex,
}

impl Slot {
    /// An empty slot.
    pub const fn empty() -> Self {
        Slot {
            object: AtomicPtr::new(ptr::null_mut()),
            #[cfg(Py_GIL_DISABLED)]
            lock: mutex::Mutex::new(),
        }
    }

    /// A new reference to the object; `None` if the slot is empty.
    #[inline]
    pub fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        #[cfg(Py_GIL_DISABLED)]
        let _guard = self.lock.lock(py);
        // SAFETY: the pointer is null, or an object that the slot's reference keeps alive; the GIL or the lock keeps that reference in the
        // slot.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.object.load(Ordering::Relaxed)) }
    }

    /// Whether the slot refers to this object (`is`, not `==`).
    #[inline]
    pub fn is(&self, object: &Bound<'_, PyAny>) -> bool {
        self.object.load(Ordering::SeqCst) == object.as_ptr()
    }

    /// Stores another reference and returns the old one. The caller drops it outside of any change of its own, because a drop can run
    /// Python code.
    #[must_use = "dropping the old reference can run Python code: do it when no change is half done"]
    pub fn replace<'py>(&self, py: Python<'py>, new: Option<Bound<'py, PyAny>>) -> Option<Bound<'py, PyAny>> {
        #[cfg(Py_GIL_DISABLED)]
        let _guard = self.lock.lock(py);
        let old = self.object.swap(new.map_or(ptr::null_mut(), Bound::into_ptr), Ordering::SeqCst);
        // SAFETY: the pointer is null, or the owned reference that was in the slot, and now belongs to the caller.
        unsafe { Bound::from_owned_ptr_or_opt(py, old) }
    }

    /// Visits the object for the garbage collector (`tp_traverse`). Returns the result of `visit`, or 0 if the slot is empty.
    ///
    /// # Safety
    ///
    /// `visit` and `argument` come from the garbage collector, which is in a `tp_traverse` call.
    pub unsafe fn visit(&self, visit: ffi::visitproc, argument: *mut c_void) -> c_int {
        let object = self.object.load(Ordering::Relaxed);
        // SAFETY: the slot's reference keeps the object alive; no other thread runs during a collection.
        if object.is_null() { 0 } else { unsafe { visit(object, argument) } }
    }
}

/// `PyMutex`, the interpreter's own lock of one byte.
#[cfg(Py_GIL_DISABLED)]
mod mutex {
    use std::cell::UnsafeCell;
    use std::fmt;

    use pyo3::ffi;
    use pyo3::prelude::*;

    pub struct Mutex(UnsafeCell<ffi::PyMutex>);

    // SAFETY: a `PyMutex` is made to be locked from several threads.
    unsafe impl Sync for Mutex {}

    // SAFETY: a `PyMutex` does not belong to the thread that made it.
    unsafe impl Send for Mutex {}

    pub struct Guard<'a>(&'a Mutex);

    impl Mutex {
        pub const fn new() -> Self {
            Mutex(UnsafeCell::new(ffi::PyMutex::new()))
        }

        /// Locks it until the guard is dropped. A thread that has to wait is detached meanwhile.
        pub fn lock(&self, _py: Python<'_>) -> Guard<'_> {
            // SAFETY: the thread is attached, because `_py` exists. The guard unlocks the mutex once.
            unsafe { ffi::PyMutex_Lock(self.0.get()) };
            Guard(self)
        }
    }

    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            // SAFETY: `lock` locked the mutex when it made this guard.
            unsafe { ffi::PyMutex_Unlock(self.0.0.get()) };
        }
    }

    impl fmt::Debug for Mutex {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("Mutex")
        }
    }
}
