//! Interrupting the system call in which another thread is blocked.
//!
//! There are two ways. Every wait can also watch a second descriptor, which costs one more `poll` for each blocking call. Or a signal is
//! sent to the thread, which costs nothing until it is needed. This module does the second, as the JDK does since its first release for
//! Linux: it takes a signal that the program does not use, and gives it a handler that does nothing. The call ends with EINTR, and the
//! thread checks whether its socket is still open.

use std::cell::Cell;
use std::ffi::c_int;
use std::io;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use super::system::signals;
use super::system::task::{self, Number};
use crate::syscall;

/// A thread that may be blocked in a system call.
#[derive(Clone, Copy, Debug)]
pub struct Thread {
    handle: libc::pthread_t,
    /// The kernel's number of the thread.
    id: Number,
}

// SAFETY: the handle is a name of the thread, valid in each thread of the process until the thread has ended. In musl it is a pointer, which
// is compared and given to the C library, and never followed here. Not guaranteed: that the thread still runs; see `interrupt`.
unsafe impl Send for Thread {}

thread_local! {
    /// This thread's id, cached because it takes a system call, and the number of forks then; 0 before its first use.
    static ID: Cell<(u32, Number)> = const { Cell::new((0, 0)) };
}

/// How many forks there were from the first process to this one.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Forgets the cached id, because in a forked child the thread has another one. A fork handler calls this: it must not use the thread's own
/// data, which may have to be allocated.
pub fn forget_id() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

fn id() -> Number {
    let forks = FORKS.load(Ordering::Relaxed);
    match ID.get() {
        (then, id) if then == forks && id != 0 => id,
        _ => {
            let id = task::current();
            ID.set((forks, id));
            id
        }
    }
}

impl Thread {
    /// The current thread.
    pub fn current() -> Self {
        // SAFETY: the call takes no arguments and cannot fail.
        Thread { handle: unsafe { libc::pthread_self() }, id: id() }
    }

    /// Whether this is the current thread.
    pub fn is_current(self) -> bool {
        // SAFETY: the call takes no arguments and cannot fail. In every supported C library a handle is a plain number, and
        // `pthread_equal` compares with `==`; Miri lacks `pthread_equal`.
        self.handle == unsafe { libc::pthread_self() }
    }

    /// Interrupts the system call in which this thread is blocked, if it is blocked in one.
    ///
    /// If the thread blocks the signal, none is sent. A pending signal would end the process if the program reset all signals to their
    /// default actions and the thread unblocked the signal after that.
    ///
    /// # Safety
    ///
    /// The thread has not ended. It need not be in a system call: if it is not, nothing happens.
    pub unsafe fn interrupt(self) {
        // SAFETY: the thread has not ended, as the caller guarantees, and the signal had the empty handler a moment ago. Not guaranteed:
        // that no other thread of the program changes the signal's action in between. The interpreter's own `signal.signal` cannot
        // if this is called attached with a GIL.
        let send = |signal| unsafe { libc::pthread_kill(self.handle, signal) == 0 };
        let sent = match real_time_signal() {
            Some(signal) if signals::has_blocked(self.id, signal) => return,
            Some(signal) => send(signal),
            None => false,
        };
        // A real-time signal needs room in the user's queue of pending signals (RLIMIT_SIGPENDING), which may be full. SIGURG does not, and
        // its default action is to do nothing; for that reason Go's runtime also interrupts its threads with it.
        if !sent && claim(libc::SIGURG).unwrap_or(false) {
            send(libc::SIGURG);
        }
    }
}

/// The signal that was used last and has the empty handler; 0 if none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// The real-time signal that interrupts, with the empty handler installed; `None` if the program uses all of them, or the system has none.
///
/// It is the first one that the program does not use. A program can set its own handler at any time, and can restore the default action,
/// which ends the process. So the action is checked before each use.
fn real_time_signal() -> Option<c_int> {
    let last = SIGNAL.load(Ordering::Relaxed);
    if last != 0 && matches!(action(last), Ok(handler) if handler == our_handler()) {
        return Some(last);
    }
    let found = signals::unused().find(|&signal| claim(signal).unwrap_or(false));
    SIGNAL.store(found.unwrap_or(0), Ordering::Relaxed);
    found
}

/// Whether `signal` has the empty handler. If it has its default action, the empty handler is installed first.
fn claim(signal: c_int) -> io::Result<bool> {
    let handler = action(signal)?;
    if handler != libc::SIG_DFL {
        return Ok(handler == our_handler());
    }
    // SAFETY: a `sigaction` is plain data, for which all zeros are a valid value. The handler is async-signal-safe, because it does
    // nothing. No SA_RESTART: the system call must end. SA_ONSTACK: a thread may run on a stack that is too small for a handler.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = our_handler();
        action.sa_flags = libc::SA_ONSTACK;
        syscall!(sigemptyset(&raw mut action.sa_mask))?;
        syscall!(sigaction(signal, &raw const action, std::ptr::null_mut()))?;
    }
    Ok(true)
}

/// The current handler of a signal.
fn action(signal: c_int) -> io::Result<libc::sighandler_t> {
    // SAFETY: a `sigaction` is plain data, for which all zeros are a valid value; the call writes one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        syscall!(sigaction(signal, std::ptr::null(), &raw mut action))?;
        Ok(action.sa_sigaction)
    }
}

/// The empty handler.
fn our_handler() -> libc::sighandler_t {
    extern "C" fn nothing(_signal: c_int) {
        // The only purpose is that the system call ends. errno belongs to the interrupted code and is not changed.
    }
    nothing as extern "C" fn(c_int) as libc::sighandler_t
}

/// Runs `body` with every signal blocked in this thread. A thread that `body` starts inherits that.
pub fn without_signals<T>(body: impl FnOnce() -> T) -> T {
    let _restored = BlockedSignals::new();
    body()
}

/// All signals blocked in this thread, until this is dropped.
struct BlockedSignals {
    before: libc::sigset_t,
}

impl BlockedSignals {
    fn new() -> Self {
        // SAFETY: a `sigset_t` is plain data, for which all zeros are a valid value. The calls change only this thread's mask.
        unsafe {
            let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
            BlockedSignals { before }
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: the set was filled when the signals were blocked. The call changes only this thread's mask.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut()) };
    }
}
