//! Ending the system call that another thread is blocked in.
//!
//! The kernel has two means for it: to let every wait watch a second descriptor, which costs a `poll` more for each
//! blocking call; or a signal, which costs nothing until it is needed. This is the second, as the JDK does it since its first
//! release for Linux: a signal that nobody uses, whose handler does nothing, sent to the one thread. Its call ends with
//! EINTR, and the thread looks whether its socket is still open.

use std::cell::Cell;
use std::ffi::c_int;
use std::sync::atomic::{AtomicI32, Ordering};
use std::{fs, io};

use super::set_errno;
use crate::syscall;

/// A thread that may be blocked in a system call.
#[derive(Clone, Copy, Debug)]
pub struct Thread {
    handle: libc::pthread_t,
    /// What the kernel calls it.
    id: libc::pid_t,
}

thread_local! {
    /// This thread's id, 0 before it was first asked for: to ask is a system call.
    static ID: Cell<libc::pid_t> = const { Cell::new(0) };
}

/// After a fork the thread that forked has another id in the child.
pub fn forget_id() {
    ID.set(0);
}

fn id() -> libc::pid_t {
    if ID.get() == 0 {
        // SAFETY: always safe.
        ID.set(unsafe { libc::gettid() });
    }
    ID.get()
}

impl Thread {
    /// The thread that asks.
    pub fn current() -> Self {
        // SAFETY: always safe.
        Thread { handle: unsafe { libc::pthread_self() }, id: id() }
    }

    /// Whether this is the thread that asks.
    pub fn is_current(self) -> bool {
        // SAFETY: always safe. A handle is a plain number to every C library here, so `==` is what its `pthread_equal` does; Miri lacks that.
        self.handle == unsafe { libc::pthread_self() }
    }

    /// Interrupts the system call that this thread is blocked in, if it is.
    ///
    /// A thread that has the signal blocked is left alone: what it had pending would end the process if the program put all signals back
    /// to their default before the thread opens its mask.
    ///
    /// # Safety
    ///
    /// The thread has not ended. (Nothing is promised of what it does: where it is not in a system call, nothing happens.)
    pub unsafe fn interrupt(self) {
        // SAFETY: the thread lives, as the caller promises, and the signal had its empty handler a moment ago. What is not guaranteed:
        // that another thread of the program does not take the signal in this very moment. The interpreter's own `signal.signal`
        // cannot, where this is called attached.
        let send = |signal| unsafe { libc::pthread_kill(self.handle, signal) == 0 };
        let sent = match real_time_signal() {
            Some(signal) if self.has_blocked(signal) => return,
            Some(signal) => send(signal),
            None => false,
        };
        // A real-time signal needs room in the user's queue of pending signals, which may be full; this one does not. And its default
        // is to do nothing, which is why Go's runtime interrupts its threads with it.
        if !sent && is_ours(libc::SIGURG).unwrap_or(false) {
            send(libc::SIGURG);
        }
    }

    /// Whether the signal is in this thread's mask. Where the kernel does not tell, it is not.
    fn has_blocked(self, signal: c_int) -> bool {
        let status = fs::read_to_string(format!("/proc/self/task/{}/status", self.id)).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        mask & (1 << (signal - 1)) != 0
    }
}

/// The signal that was last found to be free, with its handler installed; 0 in the beginning.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// The signal that interrupts; `None` where every one is taken.
///
/// Of the real-time signals the highest that nobody uses: programs that use them count from SIGRTMIN up. A program can take it at any
/// time, and can put it back to its default action, which ends the process: so its action is asked for before each use.
fn real_time_signal() -> Option<c_int> {
    let last = SIGNAL.load(Ordering::Relaxed);
    if last != 0 && matches!(action(last), Ok(handler) if handler == ours()) {
        return Some(last);
    }
    let found = (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev().find(|&signal| is_ours(signal).unwrap_or(false));
    SIGNAL.store(found.unwrap_or(0), Ordering::Relaxed);
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no signals")]
    fn a_mask_is_seen() {
        let signal = libc::SIGRTMIN();
        let this = Thread::current();
        assert!(!this.has_blocked(signal));
        without_signals(|| assert!(this.has_blocked(signal)));
        assert!(!Thread { id: 0, ..this }.has_blocked(signal), "not told");
    }
}
