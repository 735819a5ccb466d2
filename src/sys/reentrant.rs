//! The C library's look-ups that fill a caller's buffer, so that no threads share a static one: the functions whose names end with `_r`.

use std::collections::TryReserveError;
use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;
use std::ptr;

use crate::sys::memory;

/// How large the buffer is at first, and how large it may grow, in bytes.
const FIRST_SIZE: usize = 1 << 10;
const LARGEST_SIZE: usize = 1 << 20;

/// Calls such a function with a buffer that grows until the entry fits, and reads what it found; `None` where it found nothing.
///
/// `call` gets where to put the entry, the buffer and its size, and where to put the pointer to the entry. `read` must copy what it wants:
/// the entry and the buffer end with this call.
///
/// # Safety
///
/// `call` fills what it is given as the C library's functions do: the last pointer becomes null, or points to the entry, whose own pointers
/// point into the buffer.
pub unsafe fn look_up<Entry, T>(
    call: impl Fn(*mut Entry, *mut c_char, libc::size_t, *mut *mut Entry) -> c_int,
    read: impl Fn(&Entry) -> Result<T, TryReserveError>,
) -> Result<Option<T>, TryReserveError> {
    let mut size = FIRST_SIZE;
    loop {
        // In words, so that it is aligned for the pointers that the C library puts into it.
        let mut buffer = memory::try_with_capacity::<u64>(size / 8)?;
        let mut entry = MaybeUninit::uninit();
        let mut found = ptr::null_mut();
        let code = call(entry.as_mut_ptr(), buffer.as_mut_ptr().cast(), size, &raw mut found);
        if code == libc::ERANGE && size < LARGEST_SIZE {
            size *= 2;
            continue;
        }
        // SAFETY: null, or `entry`, filled, as the caller promises.
        return unsafe { found.as_ref() }.map(read).transpose();
    }
}
