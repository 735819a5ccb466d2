//! System calls, and the conversion of their results.
//!
//! What systems have in common is here, and what they have not is in a folder for each: `linux` and `macos`, which supply the same names.
//! The one that this is compiled for is `system`. A port to another platform is one more such folder.
//!
//! | module | what |
//! | --- | --- |
//! | [`socket`] | the socket calls: `socket2` where it offers them, `libc` for the rest |
//! | [`option`] | `getsockopt(2)` and `setsockopt(2)` |
//! | [`inheritance`] | whether a program that `exec` starts inherits a descriptor |
//! | [`address`], [`sockaddr`] | addresses as the socket calls take them |
//! | [`file`] | files of any size |
//! | [`fork`] | what happens around `fork(2)` |
//! | [`receive`] | the memory that a call receives into |
//! | [`message`] | `sendmsg(2)` and `recvmsg(2)` |
//! | [`ancillary`] | the layout of control messages (ancillary data) |
//! | [`listener`], [`backlog`] | the backlog of a TCP listener |
//! | [`memory`] | fallible allocation: no memory is an error, not an abort |
//! | [`options`] | options that change what a transfer means |
//! | [`shared`] | a value with several owners, allocated fallibly |
//! | [`taken`] | whether a socket keeps another from being bound |
//! | [`record`] | a file that is appended to while a program may close its number |
//! | [`time`] | the local time |
//! | [`traffic`], [`tcp`] | how much a TCP connection has carried |
//! | [`wait`] | waiting until a descriptor is ready |
//! | [`futex`] | waiting until a word changes |
//! | [`thread`] | threads that outlive the call that starts them |
//! | [`per_thread`], [`thread_block`] | the data of a thread: no memory is an error there, too |
//! | [`wake`] | interrupting the system call in which another thread is blocked |
//! | [`working_directory`] | the directory that relative paths begin at |
//! | [`interface`] | network interfaces by name and index |
//! | [`interface_address`] | the addresses of network interfaces |
//! | [`search`] | bytes among bytes |
//! | [`presentation`] | IP addresses as text |
//! | [`resolver`] | `getaddrinfo(3)`, `getnameinfo(3)`, `gethostbyname(3)`, `gethostbyaddr(3)` |
//! | [`database`] | services, protocols and the host's name |
//!
//! Nothing here uses Python. Each function is named after its system call, and returns an `io::Error` with the errno.
//!
//! Two more things differ between systems, and are next to their Python forms, as columns of tables: the families of addresses in `address`,
//! and the constants in `module::constants`.

#[cfg(target_os = "linux")]
pub mod linux;
#[cfg(target_os = "macos")]
pub mod macos;
#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!(
    "oxisocket runs on Linux, and compiles for macOS. A port is a folder beside src/sys/linux, which supplies the same names."
);

pub mod address;
pub mod ancillary;
pub mod database;
pub mod file;
pub mod fork;
pub mod inheritance;
pub mod interface;
pub mod interface_address;
pub mod listener;
pub mod memory;
pub mod message;
pub mod option;
pub mod per_thread;
pub mod presentation;
pub mod receive;
pub mod record;
pub mod resolver;
mod result;
pub mod search;
pub mod shared;
pub mod socket;
pub mod taken;
pub mod thread;
pub mod thread_block;
pub mod time;
pub mod traffic;
pub mod wait;
#[cfg_attr(loom, allow(dead_code, reason = "the models have signals of their own"))]
pub mod wake;
pub mod working_directory;

pub(crate) use result::syscall;
pub use result::{check, set_errno};
pub use system::{backlog, futex, options, sockaddr, tcp};
