//! What `poll(2)` tells besides what POSIX has, and waits of less than a millisecond.

use std::ffi::{c_int, c_short};
use std::time::Duration;

/// The event that tells that the peer sends nothing more: there is none. A hangup tells that both directions have ended.
pub const PEER_HAS_ENDED: c_short = 0;

/// There is no `ppoll`. `poll(2)` counts milliseconds: in less than one it only looks.
pub fn ppoll(request: &mut libc::pollfd, timeout: Duration) -> c_int {
    // SAFETY: one request is passed, and counted.
    unsafe { libc::poll(request, 1, c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX)) }
}
