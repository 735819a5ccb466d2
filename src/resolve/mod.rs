//! Look-up functions: hosts, services, protocols, interfaces.
//!
//! | file | contents |
//! | --- | --- |
//! | [`addrinfo`] | `getaddrinfo` |
//! | [`nameinfo`] | `getnameinfo` |
//! | [`hosts`] | `gethostbyname`, `gethostbyname_ex`, `gethostbyaddr` |
//! | [`netdb`] | services and protocols |
//! | [`interfaces`] | network interfaces |
//! | [`hostname`] | the name of this machine |

pub mod addrinfo;
pub mod hostname;
pub mod hosts;
pub mod interfaces;
pub mod nameinfo;
pub mod netdb;
