//! The module `_socket`: its constants, its small functions, its set-up.
//!
//! | file | what |
//! | --- | --- |
//! | [`fill`] | adds everything to the module |
//! | [`constants`] | the constants |
//! | [`exceptions`] | finds the interpreter's `gaierror` and `herror` |
//! | [`byteorder`] | `htons` and its family |
//! | [`inet`] | IP addresses, packed and as text |
//! | [`cmsg`] | the sizes of control messages |
//! | [`fd`] | `close` and `dup` of a descriptor |
//! | [`socketpair`] | `socketpair` |
//! | [`default_timeout`] | the timeout of new sockets |
//! | [`capi`] | the capsule `_socket.CAPI`, which gives `_ssl` the class |

mod byteorder;
mod capi;
mod cmsg;
mod constants;
mod default_timeout;
mod exceptions;
mod fd;
pub mod fill;
mod inet;
mod socketpair;
