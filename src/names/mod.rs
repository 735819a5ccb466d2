//! Host names: numeric addresses, IDNA and look-ups for socket addresses.
//!
//! A numeric address needs no resolver, and the thread stays attached. The C library resolves every other name, with the thread detached.
//!
//! | file | contents |
//! | --- | --- |
//! | [`host`] | the address of one host |
//! | [`lookup`] | look-ups that their caller can give up |
//! | [`idna`] | host names in the form of the wire |
//! | [`ip`] | IP addresses and their text |

pub mod host;
pub mod idna;
pub mod ip;
pub mod lookup;
