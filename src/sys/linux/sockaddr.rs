//! The head of an address, and the size of a path in one.

use std::ffi::c_int;

/// The size of `sun_path`: the longest path with its terminating NUL, and the longest abstract name with its leading NUL.
pub const PATH_SIZE: usize = 108;

/// Whether a name that begins with NUL is in a namespace of its own (unix(7)).
pub const HAS_ABSTRACT_NAMES: bool = true;

/// The bytes before an address's own fields: the family. `_length` is that of the whole address, which another system keeps there too.
pub fn head(family: c_int, _length: usize) -> [u8; 2] {
    (family as libc::sa_family_t).to_ne_bytes()
}
