//! Calls of the C library's re-entrant lookups (`…_r`), which fill a buffer of the caller instead of a static one shared by all threads.

use std::collections::TryReserveError;
use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;
use std::ptr;

use crate::sys::memory;

/// The buffer's first and largest sizes, in bytes.
const FIRST_SIZE: usize = 1 << 10;
const LARGEST_SIZE: usize = 1 << 20;

/// Calls such a function with a buffer that grows until the entry fits, and passes the entry to `read`; `None` if there is no entry.
///
/// `call` gets a pointer to the memory for the entry, the buffer and its size, and a pointer to the result, which is a pointer to the
/// entry. `read` must copy the data that it needs, because the entry and the buffer are freed when this function returns.
///
/// # Safety
///
/// `call` fills its arguments as the C library's functions do: the result is null, or points to the entry, whose own pointers point into
/// the buffer.
pub unsafe fn look_up<Entry, T>(
    call: impl Fn(*mut Entry, *mut c_char, libc::size_t, *mut *mut Entry) -> c_int,
    read: impl Fn(&Entry) -> Result<T, TryReserveError>,
) -> Result<Option<T>, TryReserveError> {
    let mut size = FIRST_SIZE;
    loop {
        // Of `u64`, so that it is aligned for the pointers that the C library stores in it.
        let mut buffer = memory::try_with_capacity::<u64>(size / 8)?;
        let mut entry = MaybeUninit::uninit();
        let mut found = ptr::null_mut();
        let code = call(entry.as_mut_ptr(), buffer.as_mut_ptr().cast(), size, &raw mut found);
        if code == libc::ERANGE && size < LARGEST_SIZE {
            size *= 2;
            continue;
        }
        // SAFETY: the caller guarantees that `found` is null, or points to the initialised `entry`.
        return unsafe { found.as_ref() }.map(read).transpose();
    }
}
