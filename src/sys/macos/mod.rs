//! What macOS supplies to [`sys`](super), under the same names as `linux`. It compiles; it was not run yet.
//!
//! | module | what |
//! | --- | --- |
//! | [`backlog`] | the backlog of a TCP listener, which is not told |
//! | [`binding`] | when two sockets may be bound to the same port |
//! | [`control`] | the layout of control messages |
//! | [`errno`] | where the C library keeps `errno` |
//! | [`file`] | `fstat(2)`, `sendfile(2)` |
//! | [`futex`] | waiting until a word changes |
//! | [`hosts`] | `gethostbyname(3)`, `gethostbyaddr(3)`, `h_errno` |
//! | [`kernel_control`] | the numbers of kernel controls |
//! | [`link`] | hardware addresses in the list of `getifaddrs(3)` |
//! | [`message`] | the flags of messages, and the descriptors that come with one |
//! | [`netdb`] | services and protocols |
//! | [`open`] | the calls that make descriptors |
//! | [`option_unit`] | what the length of a socket option counts |
//! | [`options`] | socket options that tell what a socket is, or change what a transfer means |
//! | [`signals`] | signals that may interrupt a thread |
//! | [`sockaddr`] | the head of an address, and the size of a path |
//! | [`task`] | threads, as the kernel calls them |
//! | [`tcp`] | `TCP_CONNECTION_INFO` |
//! | [`wait`] | what `poll(2)` tells besides |

pub mod backlog;
pub mod binding;
pub mod control;
pub mod errno;
pub mod file;
pub mod futex;
pub mod hosts;
pub mod kernel_control;
pub mod link;
pub mod message;
pub mod netdb;
pub mod open;
pub mod option_unit;
pub mod options;
pub mod signals;
pub mod sockaddr;
pub mod task;
pub mod tcp;
pub mod wait;
