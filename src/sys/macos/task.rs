//! Threads, as the kernel calls them.

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;

/// The number of a thread, which is not used again for another one.
pub type Number = u64;

/// Not in `libc`: `<sys/proc_info.h>`.
const PROC_PIDTHREADID64INFO: c_int = 15;

/// `pthread_threadid_np(3)`: the number of the calling thread.
pub fn current() -> Number {
    let mut number = 0;
    // SAFETY: 0 stands for the calling thread, for which the call does not fail. It writes one number.
    unsafe { libc::pthread_threadid_np(0, &raw mut number) };
    number
}

/// Whether this is the process's first thread; in a child process, the thread that forked. False for any but the calling thread.
pub fn is_main(number: Number) -> bool {
    // SAFETY: always safe.
    unsafe { libc::pthread_main_np() != 0 && number == current() }
}

/// Whether this process has no thread but the calling one: that is not known.
pub fn is_only_one() -> Option<bool> {
    None
}

/// `proc_pidinfo(3)`: whether this process has such a thread.
pub fn exists(number: Number) -> bool {
    let mut info = MaybeUninit::<libc::proc_threadinfo>::uninit();
    let size = size_of::<libc::proc_threadinfo>() as c_int;
    // SAFETY: the call writes at most `size` bytes, for which there is room. They are not read.
    unsafe { libc::proc_pidinfo(libc::getpid(), PROC_PIDTHREADID64INFO, number, info.as_mut_ptr().cast(), size) > 0 }
}

/// `pthread_setname_np(3)`, which names the calling thread.
pub fn set_name(name: &CStr) {
    // SAFETY: a string.
    unsafe { libc::pthread_setname_np(name.as_ptr()) };
}

/// The number of the calling thread's network namespace. There is only one.
pub fn network_namespace() -> Option<u64> {
    None
}
