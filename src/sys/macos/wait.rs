//! What `poll(2)` tells besides what POSIX has.

use std::ffi::c_short;

/// The event that tells that the peer sends nothing more: there is none. A hangup tells that both directions have ended.
pub const PEER_HAS_ENDED: c_short = 0;
