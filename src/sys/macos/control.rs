//! The layout of control messages, and which of them carry descriptors.

use std::ffi::c_int;

/// The types of the control messages of `SOL_SOCKET` that carry descriptors.
pub const WITH_DESCRIPTORS: &[c_int] = &[libc::SCM_RIGHTS];

/// What control messages are aligned to.
pub const ALIGNMENT: usize = size_of::<u32>();

/// `cmsg_len` of an item of this length, which fits a `socklen_t`.
pub fn length_to_bytes(length: usize) -> [u8; size_of::<u32>()] {
    (length as libc::socklen_t).to_ne_bytes()
}

/// The length that a `cmsg_len` stands for.
pub fn length_from_bytes(bytes: [u8; size_of::<u32>()]) -> usize {
    libc::socklen_t::from_ne_bytes(bytes) as usize
}
