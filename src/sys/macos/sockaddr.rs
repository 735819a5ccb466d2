//! The head of an address, and the size of a path in one.

use std::ffi::c_int;

/// The size of `sun_path`: the longest path with its terminating NUL.
pub const PATH_SIZE: usize = 104;

/// Whether a name that begins with NUL is in a namespace of its own.
pub const HAS_ABSTRACT_NAMES: bool = false;

/// The bytes before an address's own fields: `sa_len`, which is the length of the whole address, and the family.
pub fn head(family: c_int, length: usize) -> [u8; 2] {
    [u8::try_from(length).unwrap_or(u8::MAX), family as libc::sa_family_t]
}
