//! What `poll(2)` tells besides what POSIX has, and waits of less than a millisecond.

use std::ffi::{c_int, c_short};
use std::ptr;
use std::time::Duration;

/// The event that tells that the peer sends nothing more.
pub const PEER_HAS_ENDED: c_short = libc::POLLRDHUP;

/// `ppoll(2)` of one request.
pub fn ppoll(request: &mut libc::pollfd, timeout: Duration) -> c_int {
    let timeout =
        libc::timespec { tv_sec: timeout.as_secs() as _, tv_nsec: timeout.subsec_nanos().cast_signed().into() };
    // SAFETY: one request is passed, and counted. The time is valid, and the kernel only reads it. No mask of signals is passed.
    unsafe { libc::ppoll(request, 1, &raw const timeout, ptr::null()) }
}
