//! The module `_socket`: its constants, its functions that are not of a room of their own, and how it is filled.
//!
//! | file | what |
//! | --- | --- |
//! | [`fill`] | fills the module |
//! | [`constants`] | the constants |
//! | [`exceptions`] | finds the interpreter's `gaierror` and `herror` |
//! | [`byteorder`] | `htons` and its family |
//! | [`inet`] | IP addresses, packed and as text |
//! | [`cmsg`] | the sizes of control messages |
//! | [`fd`] | `close` and `dup` |
//! | [`socketpair`] | `socketpair` |
//! | [`default_timeout`] | the timeout of new sockets |
//! | [`capi`] | the capsule through which `_ssl` learns the class |

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
