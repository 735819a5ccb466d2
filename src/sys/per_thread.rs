//! A value for each thread, made at its first use and dropped when the thread ends.
//!
//! `thread_local!` does that too, but ends the process where there is no memory: the C library allocates an entry in the thread's list of
//! destructors. Here the value is missing then. Without a destructor `thread_local!` is safe to use in a call: see
//! [`thread_block`](super::thread_block).

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::memory::try_box;

/// One pointer for each thread (`pthread_key_create(3)`); null where a thread has set none.
pub struct Key {
    /// The C library's number of the key, and one; 0 before its first use.
    number: AtomicUsize,
    /// Called with the pointer of a thread that ends.
    end: Option<unsafe extern "C" fn(*mut c_void)>,
}

impl Key {
    /// A key. The C library makes its own at the first [`Key::set`].
    pub const fn new(end: Option<unsafe extern "C" fn(*mut c_void)>) -> Self {
        Key { number: AtomicUsize::new(0), end }
    }

    /// This thread's pointer.
    #[inline]
    pub fn get(&self) -> *mut c_void {
        match self.number.load(Ordering::Acquire) {
            0 => ptr::null_mut(),
            // SAFETY: the key was made, and is never deleted.
            number => unsafe { libc::pthread_getspecific((number - 1) as libc::pthread_key_t) },
        }
    }

    /// Sets this thread's pointer. Returns whether there was memory for it, and a key: a process has 1,024 of them.
    pub fn set(&self, pointer: *mut c_void) -> bool {
        self.made().is_some_and(|key| {
            // SAFETY: the key was made, and is never deleted.
            unsafe { libc::pthread_setspecific(key, pointer) == 0 }
        })
    }

    fn made(&self) -> Option<libc::pthread_key_t> {
        let known = self.number.load(Ordering::Acquire);
        if known != 0 {
            return Some((known - 1) as libc::pthread_key_t);
        }
        let mut key = 0;
        // SAFETY: the key is written if the call succeeds. `end` takes each pointer that is set: whoever made this `Key` sees to it.
        if unsafe { libc::pthread_key_create(&raw mut key, self.end) } != 0 {
            return None;
        }
        match self.number.compare_exchange(0, key as usize + 1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Some(key),
            Err(others) => {
                // SAFETY: nobody else has seen this key.
                unsafe { libc::pthread_key_delete(key) };
                Some((others - 1) as libc::pthread_key_t)
            }
        }
    }
}

/// A value of type `T` for each thread.
pub struct PerThread<T> {
    key: Key,
    values: PhantomData<fn() -> T>,
}

impl<T: Default> PerThread<T> {
    /// No thread has a value yet.
    pub const fn new() -> Self {
        PerThread { key: Key::new(Some(drop_value::<T>)), values: PhantomData }
    }

    /// Calls a function with this thread's value, which begins as the default. `None` if there is no memory for it.
    #[inline]
    pub fn with<R>(&self, function: impl FnOnce(&T) -> R) -> Option<R> {
        let mut value = self.key.get().cast::<T>();
        if value.is_null() {
            value = self.make()?;
        }
        // SAFETY: the pointer of a box that only this thread has, and that lives until the thread ends.
        Some(function(unsafe { &*value }))
    }

    /// The same with the value of a thread that has one already.
    #[inline]
    pub fn with_known<R>(&self, function: impl FnOnce(&T) -> R) -> Option<R> {
        let value = self.key.get().cast::<T>();
        // SAFETY: as in `with`.
        (!value.is_null()).then(|| function(unsafe { &*value }))
    }

    #[cold]
    fn make(&self) -> Option<*mut T> {
        let value = Box::into_raw(try_box(T::default()).ok()?);
        if self.key.set(value.cast()) {
            return Some(value);
        }
        // SAFETY: the box was made above, and nobody else has its pointer.
        drop(unsafe { Box::from_raw(value) });
        None
    }
}

/// Drops the value of a thread that ends.
unsafe extern "C" fn drop_value<T>(value: *mut c_void) {
    // SAFETY: only `make` sets pointers of this key, those of boxes. The C library passes each once, and has forgotten it.
    drop(unsafe { Box::from_raw(value.cast::<T>()) });
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::AtomicU32;
    use std::thread;

    use super::*;

    #[test]
    fn each_thread_has_its_own() {
        static NUMBER: PerThread<Cell<u32>> = PerThread::new();
        assert_eq!(NUMBER.with(|number| number.replace(1)), Some(0));
        thread::spawn(|| assert_eq!(NUMBER.with(|number| number.replace(2)), Some(0))).join().unwrap();
        assert_eq!(NUMBER.with(Cell::get), Some(1));
        assert_eq!(NUMBER.with_known(Cell::get), Some(1));
        thread::spawn(|| assert_eq!(NUMBER.with_known(Cell::get), None)).join().unwrap();
    }

    #[test]
    fn a_value_is_dropped_when_its_thread_ends() {
        static DROPPED: AtomicU32 = AtomicU32::new(0);
        #[derive(Default)]
        struct Counted;
        impl Drop for Counted {
            fn drop(&mut self) {
                DROPPED.fetch_add(1, Ordering::Relaxed);
            }
        }
        static COUNTED: PerThread<Counted> = PerThread::new();
        for ended in 1..4 {
            thread::spawn(|| COUNTED.with(|_| ()).unwrap()).join().unwrap();
            assert_eq!(DROPPED.load(Ordering::Relaxed), ended);
        }
    }

    #[test]
    fn threads_may_make_the_key_at_once() {
        static NUMBER: PerThread<Cell<usize>> = PerThread::new();
        let threads: Vec<_> = (0..8)
            .map(|index| thread::spawn(move || (NUMBER.with(|number| number.set(index)), NUMBER.with(Cell::get))))
            .collect();
        for (index, thread) in threads.into_iter().enumerate() {
            assert_eq!(thread.join().unwrap(), (Some(()), Some(index)));
        }
    }
}
