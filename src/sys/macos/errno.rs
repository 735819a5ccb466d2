//! Where the C library keeps `errno`.

use std::ffi::c_int;

/// This thread's `errno`.
pub fn location() -> *mut c_int {
    // SAFETY: always safe.
    unsafe { libc::__error() }
}
