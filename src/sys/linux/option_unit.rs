//! What the length of a socket option counts.

use std::ffi::c_int;

/// How many bytes one of an option's length stands for. `SO_GET_FILTER` counts the instructions of a filter: given the size of a buffer in
/// bytes, the kernel would write eight times as much.
pub fn option_unit(level: c_int, name: c_int) -> usize {
    match (level, name) {
        (libc::SOL_SOCKET, libc::SO_GET_FILTER) => size_of::<libc::sock_filter>(),
        _ => 1,
    }
}
