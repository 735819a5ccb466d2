//! The results of system calls, and `errno`.

use std::ffi::c_int;
use std::io;

use super::system::errno::location;

/// The return value of a system call, where -1 means failure.
pub trait ReturnValue: Copy {
    /// Whether the value is -1.
    fn is_failure(self) -> bool;
}

macro_rules! return_values {
    ($($number:ty),*) => {
        $(impl ReturnValue for $number {
            fn is_failure(self) -> bool {
                self == -1
            }
        })*
    };
}

// `c_int`, `c_long` and `ssize_t`.
return_values!(i32, i64, isize);

/// Converts -1 to an `io::Error` with this thread's `errno`.
pub fn check<T: ReturnValue>(value: T) -> io::Result<T> {
    if value.is_failure() { Err(io::Error::last_os_error()) } else { Ok(value) }
}

/// Makes a system call. -1 becomes an `io::Error` with the errno.
macro_rules! syscall {
    ($name:ident($($argument:expr),* $(,)?)) => {
        $crate::sys::check(libc::$name($($argument),*))
    };
}
pub(crate) use syscall;

/// Sets this thread's `errno`, for C code that reads it from there.
pub fn set_errno(errno: c_int) {
    // SAFETY: the C library guarantees that the location belongs to this thread and is valid while the thread runs.
    unsafe { *location() = errno };
}
