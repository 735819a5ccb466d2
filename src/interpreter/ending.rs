//! Daemon threads at interpreter shutdown: they hang, as in Python 3.14.
//!
//! Before 3.14 the interpreter ends a daemon thread that attaches during shutdown with `pthread_exit(3)`. This happens wherever the thread
//! attaches, for example in a file's `seek` that one of our methods called. glibc then unwinds the stack, frame by frame, and aborts the
//! process at the first frame that must not unwind. A Rust frame that calls C is such a frame, because PyO3 declares the interpreter's
//! functions as `extern "C"`. PyO3 makes a thread hang that returns from [`Python::detach`](pyo3::Python::detach), but not one that
//! attaches deeper in the interpreter.
//!
//! For each frame, the unwinder calls the frame's personality routine. This module replaces Rust's routine, for the frames of this library
//! only, by one that never returns from a forced unwind, and otherwise calls Rust's. Nothing is unwound: the thread keeps all that it
//! owns, like a thread that hangs in the interpreter itself. Normal calls have no cost.

/// Makes daemon threads hang that the interpreter would end by a forced unwind: with glibc before 3.14. Elsewhere it does nothing.
pub fn hang_threads_that_end() {
    #[cfg(all(target_os = "linux", target_env = "gnu", not(target_arch = "arm"), not(Py_3_14)))]
    personality::replace();
}

#[cfg(all(target_os = "linux", target_env = "gnu", not(target_arch = "arm"), not(Py_3_14)))]
mod personality {
    use std::ffi::{c_int, c_void};
    use std::hint;
    use std::ptr;
    use std::sync::atomic::{AtomicPtr, Ordering};

    /// A personality routine, which the unwinder calls for a frame: version, actions, exception class, exception, context.
    type Personality = unsafe extern "C" fn(c_int, c_int, u64, *mut c_void, *mut c_void) -> c_int;

    /// `_UA_FORCE_UNWIND`: the stack is unwound to end the thread, not for an exception.
    const UA_FORCE_UNWIND: c_int = 8;

    // Weak: if a later compiler does not emit this word, its address is null, and nothing is replaced.
    std::arch::global_asm!(".weak DW.ref.rust_eh_personality");

    unsafe extern "C" {
        /// The word through which the unwinding tables of this library's frames refer to their personality routine. The compiler emits one
        /// for each library, hidden from other libraries, in writable data.
        #[link_name = "DW.ref.rust_eh_personality"]
        static PERSONALITY: AtomicPtr<c_void>;
    }

    /// Rust's own routine, once it is replaced.
    static RUST_PERSONALITY: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

    /// Replaces Rust's own routine by [`personality`].
    pub fn replace() {
        let ours = personality as *mut c_void;
        // SAFETY: the word is an aligned pointer in writable data, or its address is null. The new routine has the type that the unwinder
        // calls, and stays loaded as long as the frames that refer to it. Not guaranteed: that the unwinder reads the word atomically.
        unsafe {
            // `black_box`, because the compiler assumes that the address of a static is not null.
            let word = hint::black_box(&raw const PERSONALITY);
            if word.is_null() {
                return;
            }
            // Loaded once: another thread may do the same meanwhile, and this must not keep our own routine as Rust's.
            let rust = (*word).load(Ordering::Acquire);
            if rust == ours {
                return;
            }
            // Stored first: the unwinder can call `personality` as soon as the word holds it.
            RUST_PERSONALITY.store(rust, Ordering::Release);
            (*word).store(ours, Ordering::Release);
        }
    }

    unsafe extern "C" fn personality(
        version: c_int,
        actions: c_int,
        class: u64,
        exception: *mut c_void,
        context: *mut c_void,
    ) -> c_int {
        if actions & UA_FORCE_UNWIND != 0 {
            loop {
                // SAFETY: `pause` has no preconditions. It returns after a signal handler: hence the loop.
                unsafe { libc::pause() };
            }
        }
        // SAFETY: `replace` stored Rust's routine before the unwinder could call this function. It gets the unwinder's own arguments.
        unsafe {
            let rust = std::mem::transmute::<*mut c_void, Personality>(RUST_PERSONALITY.load(Ordering::Acquire));
            rust(version, actions, class, exception, context)
        }
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu", not(target_arch = "arm"), not(Py_3_14)))]
mod tests {
    use std::ffi::c_void;
    use std::panic::catch_unwind;
    use std::ptr;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    // `extern "C"`, as PyO3 declares the interpreter's functions: a frame that calls it must not unwind.
    unsafe extern "C" {
        fn pthread_exit(value: *mut c_void);
    }

    /// Sends a message when it is dropped.
    struct ReportsDrop(mpsc::Sender<()>);

    impl Drop for ReportsDrop {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "unwinds through the C library")]
    fn a_thread_that_exits_below_a_rust_frame_hangs() {
        hang_threads_that_end();
        let (sender, receiver) = mpsc::channel();
        let _hangs = thread::spawn(move || {
            let _reports_drop = ReportsDrop(sender);
            // SAFETY: the thread hangs in the call, so no frame of it is unwound or freed.
            let caught = catch_unwind(|| unsafe { pthread_exit(ptr::null_mut()) });
            drop(caught);
        });
        let waited = receiver.recv_timeout(Duration::from_millis(100));
        assert_eq!(waited, Err(mpsc::RecvTimeoutError::Timeout));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no personality routine to replace")]
    fn panics_are_still_caught() {
        hang_threads_that_end();
        hang_threads_that_end();
        let (sender, receiver) = mpsc::channel();
        let caught = catch_unwind(move || {
            let _reports_drop = ReportsDrop(sender);
            panic!("as planned");
        });
        assert!(caught.is_err());
        assert_eq!(receiver.recv(), Ok(()));
    }
}
