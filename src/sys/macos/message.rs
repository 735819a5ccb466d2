//! The flags of messages, and what is done with the descriptors that come with one.

use std::ffi::c_int;
use std::os::fd::BorrowedFd;

use crate::sys::ancillary::descriptors_in;
use crate::sys::inheritance::set_inheritable;

/// The flag with which descriptors that come with a message are close-on-exec: there is none, see [`close_on_exec`].
pub const CLOEXEC: c_int = 0;

/// The flag that receives from the queue of errors: there is no such queue.
pub const ERROR_QUEUE: c_int = 0;

/// The flags that only advise the kernel, besides those that all systems have.
pub const ADVICE: c_int = 0;

/// Whether a send with `MSG_DONTWAIT` never waits. `sosend` looks at the socket's own mode, and at a flag of its own, but not at this one.
pub const SENDS_KEEP_DONTWAIT: bool = false;

/// `msg_controllen`, in bytes.
pub fn control_length(header: &libc::msghdr) -> usize {
    header.msg_controllen as usize
}

/// Makes the descriptors that came with a message close-on-exec. Not guaranteed: that no other thread has started a program in between.
pub fn close_on_exec(control: &[u8]) {
    for fd in descriptors_in(control) {
        // SAFETY: the kernel has made the descriptor for this process with this message, and nobody else has seen its number yet.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        // It fails only for a number that is not open, which these are.
        let _ = set_inheritable(fd, false);
    }
}
