//! Every system call, and everything specific to a platform.
//!
//! A platform supplies:
//!
//! | module | what |
//! | --- | --- |
//! | [`socket`] | the socket calls: `socket2` where it offers them, `libc` for the rest |
//! | [`wait`] | waiting till a descriptor is ready |
//! | [`wake`] | ending the system call that another thread is blocked in |
//! | [`interface`] | network interfaces by name and number |
//! | [`message`] | messages with control data |
//! | [`presentation`] | IP addresses as text |
//! | [`resolver`] | `getaddrinfo(3)` and its family |
//! | [`database`] | services, protocols and the host's name |
//!
//! Nothing here knows Python. Each function is named after its call and answers with `io::Error`, errno kept.

pub mod database;
pub mod interface;
pub mod message;
pub mod presentation;
pub mod resolver;
pub mod socket;
pub mod wait;
pub mod wake;

use std::ffi::c_int;
use std::io;

/// A number that a system call answers with, where -1 stands for failure.
pub trait Answer: Copy {
    /// Whether this is -1.
    fn is_failure(self) -> bool;
}

macro_rules! answer {
    ($($number:ty),*) => {
        $(impl Answer for $number {
            fn is_failure(self) -> bool {
                self == -1
            }
        })*
    };
}

answer!(c_int, isize);

/// What a system call answered, or its errno.
pub fn check<T: Answer>(answer: T) -> io::Result<T> {
    if answer.is_failure() { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// Makes a system call: -1 becomes an `io::Error` with its errno.
macro_rules! syscall {
    ($name:ident($($argument:expr),* $(,)?)) => {
        $crate::sys::check(libc::$name($($argument),*))
    };
}
pub(crate) use syscall;

/// Sets this thread's `errno`, for those who read it from there.
pub fn set_errno(errno: c_int) {
    // SAFETY: the location is this thread's own and valid while it runs.
    unsafe { *libc::__errno_location() = errno };
}
