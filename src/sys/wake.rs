//! Ending the system call that another thread is blocked in.
//!
//! The kernel has two means for it: to let every wait watch a second descriptor, which costs a `poll` more for each
//! blocking call; or a signal, which costs nothing until it is needed. This is the second, as the JDK does it since its first
//! release for Linux: a signal that nobody uses, whose handler does nothing, sent to the one thread. Its call ends with
//! EINTR, and the thread looks whether its socket is still open.

use std::ffi::c_int;
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};

use super::set_errno;
use crate::syscall;

/// A thread that may be blocked in a system call.
#[derive(Clone, Copy, Debug)]
pub struct Thread(libc::pthread_t);

impl Thread {
    /// The thread that asks.
    pub fn current() -> Self {
        // SAFETY: always safe.
        Thread(unsafe { libc::pthread_self() })
    }

    /// Whether this is the thread that asks.
    pub fn is_current(self) -> bool {
        // SAFETY: compares two numbers.
        unsafe { libc::pthread_equal(self.0, libc::pthread_self()) != 0 }
    }

    /// Interrupts the system call that this thread is blocked in, if it is; whether the system took the order.
    ///
    /// # Safety
    ///
    /// The thread has not ended. (Nothing is promised of what it does: where it is not in a system call, nothing happens.)
    pub unsafe fn interrupt(self) -> bool {
        let Some(signal) = signal() else {
            return false;
        };
        // SAFETY: the thread lives, as the caller promises, and the signal had its empty handler a moment ago. What is not guaranteed:
        // that another thread of the program does not take the signal in this very moment; its default action is harmless if it is
        // SIGURG. The interpreter's own `signal.signal` cannot, where this is called attached.
        unsafe { libc::pthread_kill(self.0, signal) == 0 }
    }
}

/// The signal that was last found to be free, with its handler installed; 0 in the beginning.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// The signal that interrupts; `None` where every one is taken. A program can take one at any time, and can put it back to its default
/// action: so its action is asked for before each use.
fn signal() -> Option<c_int> {
    let last = SIGNAL.load(Ordering::Relaxed);
    if last != 0 && matches!(action(last), Ok(handler) if handler == ours()) {
        return Some(last);
    }
    let found = candidates().find(|&signal| is_ours(signal).unwrap_or(false));
    SIGNAL.store(found.unwrap_or(0), Ordering::Relaxed);
    found
}

/// The signals that may be used, best first.
///
/// SIGURG's default action is to do nothing, and Go's runtime interrupts its threads with it for that reason: where one is on its way to a
/// thread that has it blocked, and the program puts all signals back to their default, nobody dies. Nor does it need room in the queue of
/// signals, which is the user's and may be full. It would tell of urgent data, which nobody is told of who did not ask for it.
///
/// Where it is taken, of the real-time signals the highest: programs that use them count from SIGRTMIN up. Their default action ends
/// the process.
fn candidates() -> impl Iterator<Item = c_int> {
    std::iter::once(libc::SIGURG).chain((libc::SIGRTMIN()..=libc::SIGRTMAX()).rev())
}

/// Whether `signal` has the empty handler, which it is given if it has its default action.
fn is_ours(signal: c_int) -> io::Result<bool> {
    let handler = action(signal)?;
    if handler != libc::SIG_DFL {
        return Ok(handler == ours());
    }
    // SAFETY: plain data; the handler is async-signal-safe, as it does nothing. No SA_RESTART: the call must end. SA_ONSTACK: a thread
    // may run on a stack that is too small.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ours();
        action.sa_flags = libc::SA_ONSTACK;
        syscall!(sigemptyset(&raw mut action.sa_mask))?;
        syscall!(sigaction(signal, &raw const action, std::ptr::null_mut()))?;
    }
    Ok(true)
}

/// The handler that a signal has.
fn action(signal: c_int) -> io::Result<libc::sighandler_t> {
    // SAFETY: plain data, which the call fills.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        syscall!(sigaction(signal, std::ptr::null(), &raw mut action))?;
        Ok(action.sa_sigaction)
    }
}

/// The empty handler.
fn ours() -> libc::sighandler_t {
    extern "C" fn nothing(_signal: c_int) {
        // That the system call ends is all that is wanted. errno is the interrupted code's, and is not touched.
    }
    nothing as extern "C" fn(c_int) as libc::sighandler_t
}

/// Runs `body` with every signal blocked in this thread, which a thread that it starts inherits.
pub fn without_signals<T>(body: impl FnOnce() -> T) -> T {
    // SAFETY: the sets are plain data, filled before they are read; the mask is this thread's own.
    unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let result = body();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        result
    }
}

/// Calls `before` in this process before each `fork(2)`, and then `in_parent` and `in_child`.
pub fn around_fork(before: extern "C" fn(), in_parent: extern "C" fn(), in_child: extern "C" fn()) {
    // SAFETY: the handlers stay valid for ever, as functions do. The last runs in a child of one thread.
    let refused = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    if refused != 0 {
        // Only for want of memory: then a child keeps numbers of sockets that were in use, which harms nobody.
        set_errno(refused);
    }
}
