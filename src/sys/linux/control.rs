//! The layout of control messages, and which of them carry descriptors.

use std::ffi::c_int;

/// The types of the control messages of `SOL_SOCKET` that carry descriptors.
pub const WITH_DESCRIPTORS: &[c_int] = &[libc::SCM_RIGHTS, SCM_PIDFD];

/// The descriptor of a process, since Linux 6.5, where `SO_PASSPIDFD` is set. From the kernel's include/linux/socket.h; libc lacks the name.
const SCM_PIDFD: c_int = 4;

/// What control messages are aligned to.
pub const ALIGNMENT: usize = size_of::<usize>();

/// `cmsg_len` of an item of this length.
pub fn length_to_bytes(length: usize) -> [u8; size_of::<usize>()] {
    length.to_ne_bytes()
}

/// The length that a `cmsg_len` stands for.
pub fn length_from_bytes(bytes: [u8; size_of::<usize>()]) -> usize {
    usize::from_ne_bytes(bytes)
}
