//! Ending the system call that another thread is blocked in.
//!
//! The kernel has two means for it: to let every wait watch a second descriptor, which costs a `poll` more for each
//! blocking call; or a signal, which costs nothing until it is needed. This is the second, as the JDK does it since its first
//! release for Linux: a signal that nobody uses, whose handler does nothing, sent to the one thread. Its call ends with
//! EINTR, and the thread looks whether its socket is still open.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use super::{set_errno, socket};
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

    /// Interrupts the system call that this thread is blocked in, if it is.
    ///
    /// # Safety
    ///
    /// The thread has not ended. (Nothing is promised of what it does: where it is not in a system call, nothing happens.)
    pub unsafe fn interrupt(self) {
        if let Some(signal) = *signal() {
            // SAFETY: the thread lives, as the caller promises, and the signal has a handler.
            unsafe { libc::pthread_kill(self.0, signal) };
        }
    }
}

/// The signal that interrupts, with its handler installed; `None` where every one is taken.
///
/// Of the real-time signals the highest with its default action: programs that use them count from SIGRTMIN up.
fn signal() -> &'static Option<c_int> {
    static SIGNAL: OnceLock<Option<c_int>> = OnceLock::new();
    SIGNAL.get_or_init(|| (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev().find(|&signal| install(signal).unwrap_or(false)))
}

/// Installs the empty handler for `signal` if it has its default action; whether it did.
fn install(signal: c_int) -> io::Result<bool> {
    extern "C" fn nothing(_signal: c_int) {
        // That the system call ends is all that is wanted. errno is the interrupted code's, and is not touched.
    }

    // SAFETY: both structures are plain data; the handler is async-signal-safe, as it does nothing. No SA_RESTART: the call must end.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        syscall!(sigaction(signal, std::ptr::null(), &raw mut before))?;
        if before.sa_sigaction != libc::SIG_DFL {
            return Ok(false);
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as extern "C" fn(c_int) as libc::sighandler_t;
        syscall!(sigemptyset(&raw mut action.sa_mask))?;
        syscall!(sigaction(signal, &raw const action, std::ptr::null_mut()))?;
    }
    Ok(true)
}

/// Closes what `fd` names at once, and keeps the number from being given to anybody else till [`socket::close`].
///
/// The number then names a socket whose both ends are shut: a call that comes too late for the signal finds the end there,
/// and not a stranger's connection.
pub fn close_keeping_number(fd: RawFd) -> io::Result<()> {
    socket::dup_onto(tombstone()?.as_raw_fd(), fd)
}

fn tombstone() -> io::Result<&'static OwnedFd> {
    static TOMBSTONE: OnceLock<OwnedFd> = OnceLock::new();
    if let Some(tombstone) = TOMBSTONE.get() {
        return Ok(tombstone);
    }
    let (one, _other) = socket::socketpair(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0)?;
    socket::shutdown(one.as_raw_fd(), libc::SHUT_RDWR)?;
    Ok(TOMBSTONE.get_or_init(|| one))
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
