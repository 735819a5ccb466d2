//! Threads, as the kernel calls them: tasks of the process.

use std::ffi::CStr;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// The number of a thread.
pub type Number = libc::pid_t;

/// `gettid(2)`: the number of the calling thread. glibc has a function for it since 2.30 only.
pub fn current() -> Number {
    // SAFETY: the call takes no arguments and cannot fail. The number is one of 32 bits.
    unsafe { libc::syscall(libc::SYS_gettid) as Number }
}

/// Whether this is the process's first thread; in a child process, the thread that forked.
pub fn is_main(number: Number) -> bool {
    // SAFETY: always safe.
    number == unsafe { libc::getpid() }
}

/// Whether this process has no thread but the calling one; `None` without `/proc`, whose folder of tasks has a link for each.
pub fn is_only_one() -> Option<bool> {
    fs::metadata("/proc/self/task").ok().map(|tasks| tasks.nlink() == 3)
}

/// Whether this process has such a thread.
pub fn exists(number: Number) -> bool {
    // SAFETY: no signal is sent.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), number, 0) == 0 }
}

/// `pthread_setname_np(3)` of the calling thread. It fails only for a name that is too long, and then the thread has that of its creator.
pub fn set_name(name: &CStr) {
    // SAFETY: this thread, and a string.
    unsafe { libc::pthread_setname_np(libc::pthread_self(), name.as_ptr()) };
}

/// The inode number of the calling thread's network namespace (`network_namespaces(7)`); `None` without `/proc`.
pub fn network_namespace() -> Option<u64> {
    fs::metadata("/proc/thread-self/ns/net").ok().map(|file| file.ino())
}
