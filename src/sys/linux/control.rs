//! The layout of control messages.

/// The type of `cmsg_len`.
pub type ItemLength = usize;

/// What control messages are aligned to.
pub const ALIGNMENT: usize = size_of::<usize>();
