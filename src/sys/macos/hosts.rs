//! `gethostbyname(3)` and `gethostbyaddr(3)`, and `h_errno`.
//!
//! The C library (Libinfo) keeps the entry that it returns for each thread, until that thread's next look-up: so these need no lock.

use std::collections::TryReserveError;
use std::ffi::{CStr, c_int};

mod c {
    use std::ffi::{c_char, c_int, c_void};

    unsafe extern "C" {
        pub fn gethostbyname(name: *const c_char) -> *mut libc::hostent;
        pub fn gethostbyaddr(address: *const c_void, length: libc::socklen_t, family: c_int) -> *mut libc::hostent;
        pub static mut h_errno: c_int;
    }
}

/// What `read` has copied of a host, or an `h_errno`.
type Found<T> = Result<Result<T, c_int>, TryReserveError>;

/// The host of a name.
pub fn gethostbyname<T>(name: &CStr, read: impl Fn(&libc::hostent) -> Result<T, TryReserveError>) -> Found<T> {
    // SAFETY: `name` ends with NUL. The entry is this thread's, and is copied before its next look-up.
    unsafe { copied(c::gethostbyname(name.as_ptr()), read) }
}

/// The host of an address, of 4 or 16 bytes.
pub fn gethostbyaddr<T>(
    address: &[u8],
    family: c_int,
    read: impl Fn(&libc::hostent) -> Result<T, TryReserveError>,
) -> Found<T> {
    let length = address.len() as libc::socklen_t;
    // SAFETY: `address` is valid for `length` bytes. The entry is this thread's, and is copied before its next look-up.
    unsafe { copied(c::gethostbyaddr(address.as_ptr().cast(), length, family), read) }
}

/// # Safety
///
/// The pointer is null, or points to an entry that lives during the call.
unsafe fn copied<T>(
    entry: *const libc::hostent,
    read: impl Fn(&libc::hostent) -> Result<T, TryReserveError>,
) -> Found<T> {
    // SAFETY: as the caller promises.
    match unsafe { entry.as_ref() } {
        Some(host) => read(host).map(Ok),
        // SAFETY: the place is the C library's, and always valid.
        None => Ok(Err(unsafe { h_errno_location().read_volatile() })),
    }
}

/// Where the C library keeps `h_errno`: one for all threads. Not guaranteed: that no other thread changes it meanwhile, as in C.
pub fn h_errno_location() -> *mut c_int {
    &raw mut c::h_errno
}
