//! Names of hosts: what an address of a socket needs of them.
//!
//! A numeric address needs no resolver, and the GIL is not released for it. Every other question goes to the C library, detached.
//!
//! | file | what |
//! | --- | --- |
//! | [`host`] | looking up one host |
//! | [`idna`] | names as they go over the wire |
//! | [`ip`] | IP addresses, and their text |

pub mod host;
pub mod idna;
pub mod ip;
