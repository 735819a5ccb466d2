//! The layout of control messages.

/// The type of `cmsg_len`.
pub type ItemLength = libc::socklen_t;

/// What control messages are aligned to.
pub const ALIGNMENT: usize = size_of::<u32>();
