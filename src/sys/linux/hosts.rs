//! `gethostbyname_r(3)` and `gethostbyaddr_r(3)`, and `h_errno`.

use std::cell::Cell;
use std::collections::TryReserveError;
use std::ffi::{CStr, c_char, c_int, c_void};

use super::reentrant::look_up;

unsafe extern "C" {
    fn gethostbyname_r(
        name: *const c_char,
        host: *mut libc::hostent,
        buffer: *mut c_char,
        size: libc::size_t,
        result: *mut *mut libc::hostent,
        failure: *mut c_int,
    ) -> c_int;

    fn gethostbyaddr_r(
        address: *const c_void,
        length: libc::socklen_t,
        family: c_int,
        host: *mut libc::hostent,
        buffer: *mut c_char,
        size: libc::size_t,
        result: *mut *mut libc::hostent,
        failure: *mut c_int,
    ) -> c_int;

    fn __h_errno_location() -> *mut c_int;
}

/// What `read` has copied of a host, or an `h_errno`.
type Found<T> = Result<Result<T, c_int>, TryReserveError>;

/// The host of a name.
pub fn gethostbyname<T>(name: &CStr, read: impl Fn(&libc::hostent) -> Result<T, TryReserveError>) -> Found<T> {
    // SAFETY: `name` ends with NUL; `look_up_host` passes the other arguments of such a function.
    look_up_host(
        |host, buffer, size, found, code| unsafe { gethostbyname_r(name.as_ptr(), host, buffer, size, found, code) },
        read,
    )
}

/// The host of an address, of 4 or 16 bytes.
pub fn gethostbyaddr<T>(
    address: &[u8],
    family: c_int,
    read: impl Fn(&libc::hostent) -> Result<T, TryReserveError>,
) -> Found<T> {
    let length = address.len() as libc::socklen_t;
    // SAFETY: `address` is valid for `length` bytes; `look_up_host` passes the other arguments of such a function.
    look_up_host(
        |host, buffer, size, found, code| unsafe {
            gethostbyaddr_r(address.as_ptr().cast(), length, family, host, buffer, size, found, code)
        },
        read,
    )
}

fn look_up_host<T>(
    call: impl Fn(*mut libc::hostent, *mut c_char, libc::size_t, *mut *mut libc::hostent, *mut c_int) -> c_int,
    read: impl Fn(&libc::hostent) -> Result<T, TryReserveError>,
) -> Found<T> {
    let code = Cell::new(0);
    // SAFETY: both callers pass their closure's arguments unchanged to such a function of the C library.
    let host = unsafe { look_up(|host, buffer, size, found| call(host, buffer, size, found, code.as_ptr()), read) };
    Ok(host?.ok_or(code.get()))
}

/// Where the C library keeps this thread's `h_errno`.
pub fn h_errno_location() -> *mut c_int {
    // SAFETY: always safe.
    unsafe { __h_errno_location() }
}
