//! A value with several owners, in any threads. It is [`Arc`](std::sync::Arc) with a constructor that reports when there is no memory:
//! that of `Arc` ends the process.

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use super::memory::try_box;

/// One of the owners.
pub struct Shared<T>(NonNull<Counted<T>>);

struct Counted<T> {
    owners: AtomicUsize,
    value: T,
}

// SAFETY: as for `Arc`: an owner gives `&T` to its thread, and the last one drops the value there.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// The first owner of a value; or the value itself, if there is no memory.
    pub fn try_new(value: T) -> Result<Self, T> {
        let counted = try_box(Counted { owners: AtomicUsize::new(1), value }).map_err(|refused| refused.value)?;
        Ok(Shared(NonNull::from(Box::leak(counted))))
    }

    /// The value, if this is its last owner.
    pub fn into_inner(self) -> Option<T> {
        let counted = self.0;
        std::mem::forget(self);
        // SAFETY: this owner is given up here, once, and so the value is there until then.
        unsafe { release(counted) }.map(|counted| counted.value)
    }
}

/// Gives an owner up. The box, if it was the last one.
///
/// # Safety
///
/// The owner is not used any more.
unsafe fn release<T>(counted: NonNull<Counted<T>>) -> Option<Box<Counted<T>>> {
    // SAFETY: the value lives as long as there is an owner, and this one has not been given up yet.
    if unsafe { counted.as_ref() }.owners.fetch_sub(1, Ordering::Release) != 1 {
        return None;
    }
    // What the other owners have done is done before the value is dropped.
    fence(Ordering::Acquire);
    // SAFETY: the pointer is that of a box, and this was the last owner.
    Some(unsafe { Box::from_raw(counted.as_ptr()) })
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // SAFETY: the value lives as long as there is an owner, as this one is. There are fewer owners than bytes in the memory.
        unsafe { self.0.as_ref() }.owners.fetch_add(1, Ordering::Relaxed);
        Shared(self.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: as in `clone`.
        &unsafe { self.0.as_ref() }.value
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: an owner is dropped once.
        drop(unsafe { release(self.0) });
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    struct Drops<'a>(&'a AtomicUsize);

    impl Drop for Drops<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_last_owner_drops_the_value() {
        let dropped = AtomicUsize::new(0);
        let first = Shared::try_new(Drops(&dropped)).ok().unwrap();
        let owners: Vec<_> = (0..3).map(|_| first.clone()).collect();
        thread::scope(|scope| {
            for owner in owners {
                scope.spawn(move || {
                    let Drops(count) = &*owner;
                    assert_eq!(count.load(Ordering::Relaxed), 0);
                });
            }
        });
        let second = first.clone();
        assert!(second.into_inner().is_none());
        assert_eq!(dropped.load(Ordering::Relaxed), 0);
        drop(first.into_inner().unwrap());
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    }
}
