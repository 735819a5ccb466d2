//! What Linux supplies to [`sys`](super); `macos` supplies the same.
//!
//! | module | what |
//! | --- | --- |
//! | [`backlog`] | the backlog of a TCP listener, by `sock_diag(7)` |
//! | [`binding`] | when two sockets may be bound to the same port |
//! | [`control`] | the layout of control messages |
//! | [`errno`] | where the C library keeps `errno` |
//! | [`file`] | `fstat(2)`, `sendfile(2)`, `statx(2)` |
//! | [`futex`] | waiting until a word changes |
//! | [`hosts`] | `gethostbyname_r(3)`, `gethostbyaddr_r(3)`, `h_errno` |
//! | [`interface`] | network interfaces by `ioctl(2)`, for families that only Linux has |
//! | [`link`] | hardware addresses in the list of `getifaddrs(3)` |
//! | [`message`] | the flags of messages, and the descriptors that come with one |
//! | [`netdb`] | services and protocols |
//! | [`open`] | the calls that make descriptors |
//! | [`option_unit`] | what the length of a socket option counts |
//! | [`options`] | socket options that tell what a socket is, or change what a transfer means |
//! | [`reentrant`] | how the lookups whose names end with `_r` are called |
//! | [`signals`] | signals that may interrupt a thread |
//! | [`sockaddr`] | the head of an address, and the size of a path |
//! | [`task`] | threads, as the kernel calls them |
//! | [`tcp`] | `TCP_INFO` |
//! | [`wait`] | what `poll(2)` tells besides |

pub mod backlog;
pub mod binding;
pub mod control;
pub mod errno;
pub mod file;
pub mod futex;
pub mod hosts;
pub mod interface;
pub mod link;
pub mod message;
pub mod netdb;
pub mod open;
pub mod option_unit;
pub mod options;
mod reentrant;
pub mod signals;
pub mod sockaddr;
pub mod task;
pub mod tcp;
pub mod wait;
