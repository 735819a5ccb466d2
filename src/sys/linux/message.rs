//! The flags of messages, and what is done with the descriptors that come with one.

use std::ffi::c_int;

use libc::{MSG_CONFIRM, MSG_MORE};

/// The flag with which descriptors that come with a message are close-on-exec.
pub const CLOEXEC: c_int = libc::MSG_CMSG_CLOEXEC;

/// The flag that receives from the queue of errors.
pub const ERROR_QUEUE: c_int = libc::MSG_ERRQUEUE;

/// The flags that only advise the kernel, besides those that all systems have.
pub const ADVICE: c_int = MSG_CONFIRM | MSG_MORE;

/// Whether a send with `MSG_DONTWAIT` never waits.
pub const SENDS_KEEP_DONTWAIT: bool = true;

/// `msg_controllen`, in bytes.
#[allow(clippy::unnecessary_cast, reason = "in musl it is a socklen_t")]
pub fn control_length(header: &libc::msghdr) -> usize {
    header.msg_controllen as usize
}

/// Makes the descriptors that came with a message close-on-exec. The kernel has done so, because of [`CLOEXEC`].
pub fn close_on_exec(_control: &[u8]) {}
