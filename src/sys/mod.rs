//! Every system call, and what is made of its answer.
//!
//! A platform supplies:
//!
//! | module | what |
//! | --- | --- |
//! | [`socket`] | the socket calls: `socket2` where it offers them, `libc` for the rest |
//! | [`receive`] | memory to receive into |
//! | [`message`] | `sendmsg(2)` and `recvmsg(2)` |
//! | [`ancillary`] | the layout of control messages |
//! | [`wait`] | waiting until a descriptor is ready |
//! | [`wake`] | ending the system call that another thread is blocked in |
//! | [`interface`] | network interfaces by name and number |
//! | [`interface_address`] | the addresses of network interfaces |
//! | [`presentation`] | IP addresses as text |
//! | [`resolver`] | `getaddrinfo(3)` and its family |
//! | [`database`] | services, protocols and the host's name |
//!
//! Nothing here knows Python. Each function is named after its call and returns an `io::Error` with its errno.
//!
//! Two things of a platform lie elsewhere, beside what Python makes of them: the layout of each family's `sockaddr` in `address`, a file each,
//! and the table of constants in `module::constants`. So a port begins here, and goes on there.

pub mod ancillary;
pub mod database;
pub mod interface;
pub mod interface_address;
pub mod message;
pub mod presentation;
pub mod receive;
mod reentrant;
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
