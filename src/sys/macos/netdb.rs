//! `getservbyname(3)`, `getservbyport(3)`, `getprotobyname(3)`.
//!
//! The C library (Libinfo) keeps the entry that it returns for each thread, until that thread's next look-up: so these need no lock.

use std::collections::TryReserveError;
use std::ffi::{CStr, c_int};
use std::ptr;

/// What `read` has copied of an entry; `None` if there is no entry.
type Found<T> = Result<Option<T>, TryReserveError>;

/// The service of a name.
pub fn getservbyname<T>(
    name: &CStr,
    protocol: Option<&CStr>,
    read: impl Fn(&libc::servent) -> Result<T, TryReserveError>,
) -> Found<T> {
    let protocol = protocol.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: `name` and `protocol` end with NUL, or are null. The entry is this thread's, and is copied before its next look-up.
    unsafe { libc::getservbyname(name.as_ptr(), protocol).as_ref() }.map(read).transpose()
}

/// The service on a port in network order.
pub fn getservbyport<T>(
    port: c_int,
    protocol: Option<&CStr>,
    read: impl Fn(&libc::servent) -> Result<T, TryReserveError>,
) -> Found<T> {
    let protocol = protocol.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: `protocol` ends with NUL, or is null. The entry is this thread's, and is copied before its next look-up.
    unsafe { libc::getservbyport(port, protocol).as_ref() }.map(read).transpose()
}

/// The protocol of a name.
pub fn getprotobyname<T>(name: &CStr, read: impl Fn(&libc::protoent) -> Result<T, TryReserveError>) -> Found<T> {
    // SAFETY: `name` ends with NUL. The entry is this thread's, and is copied before its next look-up.
    unsafe { libc::getprotobyname(name.as_ptr()).as_ref() }.map(read).transpose()
}
