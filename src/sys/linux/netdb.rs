//! `getservbyname_r(3)`, `getservbyport_r(3)`, `getprotobyname_r(3)`; musl has no version of the last one for threads.

use std::collections::TryReserveError;
use std::ffi::{CStr, c_char, c_int};
use std::ptr;
#[cfg(target_env = "musl")]
use std::sync::atomic::{AtomicI32, Ordering};

use super::reentrant::look_up;

unsafe extern "C" {
    fn getservbyname_r(
        name: *const c_char,
        protocol: *const c_char,
        entry: *mut libc::servent,
        buffer: *mut c_char,
        size: libc::size_t,
        result: *mut *mut libc::servent,
    ) -> c_int;

    fn getservbyport_r(
        port: c_int,
        protocol: *const c_char,
        entry: *mut libc::servent,
        buffer: *mut c_char,
        size: libc::size_t,
        result: *mut *mut libc::servent,
    ) -> c_int;

    #[cfg(not(target_env = "musl"))]
    fn getprotobyname_r(
        name: *const c_char,
        entry: *mut libc::protoent,
        buffer: *mut c_char,
        size: libc::size_t,
        result: *mut *mut libc::protoent,
    ) -> c_int;
}

/// What `read` has copied of an entry; `None` if there is no entry.
type Found<T> = Result<Option<T>, TryReserveError>;

/// The service of a name.
pub fn getservbyname<T>(
    name: &CStr,
    protocol: Option<&CStr>,
    read: impl Fn(&libc::servent) -> Result<T, TryReserveError>,
) -> Found<T> {
    let protocol = protocol.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: `name` and `protocol` end with NUL, or are null; `look_up` passes the other arguments of such a function.
    unsafe {
        look_up(|entry, buffer, size, found| getservbyname_r(name.as_ptr(), protocol, entry, buffer, size, found), read)
    }
}

/// The service on a port in network order.
pub fn getservbyport<T>(
    port: c_int,
    protocol: Option<&CStr>,
    read: impl Fn(&libc::servent) -> Result<T, TryReserveError>,
) -> Found<T> {
    let protocol = protocol.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: `protocol` ends with NUL, or is null; `look_up` passes the other arguments of such a function.
    unsafe { look_up(|entry, buffer, size, found| getservbyport_r(port, protocol, entry, buffer, size, found), read) }
}

/// The protocol of a name.
#[cfg(not(target_env = "musl"))]
pub fn getprotobyname<T>(name: &CStr, read: impl Fn(&libc::protoent) -> Result<T, TryReserveError>) -> Found<T> {
    // SAFETY: `name` ends with NUL; `look_up` passes the other arguments of such a function.
    unsafe { look_up(|entry, buffer, size, found| getprotobyname_r(name.as_ptr(), entry, buffer, size, found), read) }
}

/// The protocol of a name.
#[cfg(target_env = "musl")]
pub fn getprotobyname<T>(name: &CStr, read: impl Fn(&libc::protoent) -> Result<T, TryReserveError>) -> Found<T> {
    let _alone = Alone::new();
    // SAFETY: `name` ends with NUL. The entry is the process's, and is copied before the next look-up, which waits. Not guaranteed: that no
    // C code of the program makes one at the same time.
    unsafe { libc::getprotobyname(name.as_ptr()).as_ref() }.map(read).transpose()
}

/// The one thread that looks a protocol up. The lock is the number of the process: a child process does not wait for a thread of its parent.
#[cfg(target_env = "musl")]
struct Alone;

#[cfg(target_env = "musl")]
static HOLDER: AtomicI32 = AtomicI32::new(0);

#[cfg(target_env = "musl")]
impl Alone {
    fn new() -> Self {
        let process = crate::sys::thread::process();
        loop {
            let holder = HOLDER.load(Ordering::Relaxed);
            if holder != process
                && HOLDER.compare_exchange(holder, process, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                return Alone;
            }
            std::thread::yield_now();
        }
    }
}

#[cfg(target_env = "musl")]
impl Drop for Alone {
    fn drop(&mut self) {
        HOLDER.store(0, Ordering::Release);
    }
}
