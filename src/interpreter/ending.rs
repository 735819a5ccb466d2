//! Daemon threads at the interpreter's end: they stay where they are, as from Python 3.14 on.
//!
//! Before 3.14 a daemon thread that asks for the interpreter once it is ending is ended by `pthread_exit(3)`: wherever that is, also in
//! a file's `seek` that a method of ours called. With glibc that unwinds the stack, frame by frame, and aborts the process at the first
//! frame that does not let itself be unwound. Frames of Rust do not, where they call C: that is how PyO3's calls into the interpreter are
//! declared. PyO3 lets a thread hang that comes back from [`Python::detach`](pyo3::Python::detach); what is called beyond that is not its
//! concern.
//!
//! A frame's language has a say in this: the unwinder asks the frame's personality routine what it wants. That of Rust is replaced,
//! for the frames of this library only, by one that never answers an unwinding by force, and is Rust's own in all else. Nothing is undone
//! on the way: the thread keeps what it has, as one does that hangs in the interpreter itself. No call pays for it.

/// Lets threads hang that the interpreter would end: where it does that, and where that unwinds the stack.
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

    /// What the unwinder calls for a frame: version, actions, exception class, exception, context.
    type Personality = unsafe extern "C" fn(c_int, c_int, u64, *mut c_void, *mut c_void) -> c_int;

    /// The stack is unwound to end the thread, not for an exception.
    const UA_FORCE_UNWIND: c_int = 8;

    // Should a compiler to come not make this word, there is none, and nothing is replaced.
    std::arch::global_asm!(".weak DW.ref.rust_eh_personality");

    unsafe extern "C" {
        /// The word in which the frames of this library, each through its unwinding table, find their personality routine. The compiler
        /// makes it, one for each library, hidden from all others; it is among the data that can be written.
        #[link_name = "DW.ref.rust_eh_personality"]
        static PERSONALITY: AtomicPtr<c_void>;
    }

    /// Rust's own routine.
    static RUST: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

    /// Puts [`personality`] in the place of Rust's own routine.
    pub fn replace() {
        let ours = personality as *mut c_void;
        // SAFETY: the word is one that the unwinder reads, a pointer, aligned as such, or it is not there and its address is null. What it
        // is replaced with is of the same type, and is there as long as the frames that name it.
        unsafe {
            // Through the box, as the compiler knows of no static that is not there.
            let word = hint::black_box(&raw const PERSONALITY);
            if word.is_null() || (*word).load(Ordering::Acquire) == ours {
                return;
            }
            // The routine can be called from the moment it is in the word.
            RUST.store((*word).load(Ordering::Acquire), Ordering::Release);
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
                // SAFETY: always safe. A signal's handler may end it.
                unsafe { libc::pause() };
            }
        }
        // SAFETY: it was stored before this function could be called, and is Rust's routine, which gets what it would have got.
        unsafe {
            let rust = std::mem::transmute::<*mut c_void, Personality>(RUST.load(Ordering::Acquire));
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

    // As the interpreter's functions are declared to PyO3: this cannot unwind, says the declaration.
    unsafe extern "C" {
        fn pthread_exit(value: *mut c_void);
    }

    /// Tells of being dropped.
    struct Witness(mpsc::Sender<()>);

    impl Drop for Witness {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "unwinds through the C library")]
    fn a_thread_that_ends_below_rust_hangs() {
        hang_threads_that_end();
        let (sender, receiver) = mpsc::channel();
        let _hangs = thread::spawn(move || {
            let _witness = Witness(sender);
            // SAFETY: it does not come back, and nothing of this thread is given up.
            let caught = catch_unwind(|| unsafe { pthread_exit(ptr::null_mut()) });
            drop(caught);
        });
        let waited = receiver.recv_timeout(Duration::from_millis(100));
        assert_eq!(waited, Err(mpsc::RecvTimeoutError::Timeout));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no personality routine to replace")]
    fn panics_are_caught_as_before() {
        hang_threads_that_end();
        hang_threads_that_end();
        let (sender, receiver) = mpsc::channel();
        let caught = catch_unwind(move || {
            let _witness = Witness(sender);
            panic!("as planned");
        });
        assert!(caught.is_err());
        assert_eq!(receiver.recv(), Ok(()));
    }
}
