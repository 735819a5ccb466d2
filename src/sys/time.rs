//! The local time.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;

/// `localtime_r(3)`: the hour, minute and second of a time in seconds since 1970. All of them are 0 for a time that the call refuses.
pub fn time_of_day(seconds: u64) -> (c_int, c_int, c_int) {
    #[cfg_attr(
        target_env = "musl",
        expect(deprecated, reason = "the crate announces the width that time_t has had since musl 1.2")
    )]
    let seconds = libc::time_t::try_from(seconds).unwrap_or(libc::time_t::MAX);
    let mut local = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: the call reads a number and fills a `tm`. All zeros, which it leaves behind if it fails, is a valid `tm`.
    let local = unsafe {
        let _ = libc::localtime_r(ptr::from_ref(&seconds), local.as_mut_ptr());
        local.assume_init()
    };
    (local.tm_hour, local.tm_min, local.tm_sec)
}
