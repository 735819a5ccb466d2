//! System calls, and the conversion of their results.
//!
//! A port to another platform must supply:
//!
//! | module | what |
//! | --- | --- |
//! | [`socket`] | the socket calls: `socket2` where it offers them, `libc` for the rest |
//! | [`file`] | files of any size |
//! | [`receive`] | the memory that a call receives into |
//! | [`message`] | `sendmsg(2)` and `recvmsg(2)` |
//! | [`ancillary`] | the layout of control messages (ancillary data) |
//! | [`listener`] | the backlog of a TCP listener |
//! | [`memory`] | fallible allocation: no memory is an error, not an abort |
//! | [`shared`] | a value with several owners, allocated fallibly |
//! | [`taken`] | whether a socket keeps another from being bound |
//! | [`record`] | a file that is appended to while a program may close its number |
//! | [`time`] | the local time |
//! | [`traffic`] | how much a TCP connection has carried |
//! | [`wait`] | waiting until a descriptor is ready |
//! | [`futex`] | waiting until a word changes |
//! | [`thread`] | threads that outlive the call that starts them |
//! | [`wake`] | interrupting the system call in which another thread is blocked |
//! | [`working_directory`] | the directory that relative paths begin at |
//! | [`interface`] | network interfaces by name and index |
//! | [`interface_address`] | the addresses of network interfaces |
//! | [`search`] | bytes among bytes |
//! | [`presentation`] | IP addresses as text |
//! | [`resolver`] | `getaddrinfo(3)`, `getnameinfo(3)`, `gethostbyname_r(3)`, `gethostbyaddr_r(3)` |
//! | [`database`] | services, protocols and the host's name |
//!
//! Nothing here uses Python. Each function is named after its system call, and returns an `io::Error` with the errno.
//!
//! Two platform-specific things are elsewhere, next to their Python forms: the layout of each family's `sockaddr` in `address`, one file
//! for each family, and the table of constants in `module::constants`. A port must change them also.

pub mod ancillary;
pub mod database;
pub mod file;
pub mod futex;
pub mod interface;
pub mod interface_address;
pub mod listener;
pub mod memory;
pub mod message;
pub mod presentation;
pub mod receive;
pub mod record;
mod reentrant;
pub mod resolver;
pub mod search;
pub mod shared;
pub mod socket;
pub mod taken;
pub mod thread;
pub mod time;
pub mod traffic;
pub mod wait;
#[cfg_attr(loom, allow(dead_code, reason = "the models have signals of their own"))]
pub mod wake;
pub mod working_directory;

use std::ffi::c_int;
use std::io;

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

return_values!(c_int, isize);

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
    unsafe { *libc::__errno_location() = errno };
}
