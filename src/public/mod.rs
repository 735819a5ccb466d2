//! The public class `oxisocket.socket`: in Rust what `socket.py` adds.
//!
//! | file | what |
//! | --- | --- |
//! | [`class`] | the class: its table of methods and its slots |
//! | [`identity`] | identifies the class and its instances |
//! | [`pristine`] | whether the class is unchanged |
//! | [`lifecycle`] | construction, accept, dup, close, repr, the with-statement |
//! | [`makefile`], [`file`] | file objects, and their raw layer |
//! | [`sendfile`] | `sendfile` and its fallbacks |
//! | [`borrowed`] | methods that classes other than sockets may also use |
//! | [`addrinfo`] | `getaddrinfo`, which returns members of enumerations |
//! | [`members`] | families and types as members of their enumerations |
//! | [`package`], [`registry`] | what the Python package makes, and how it registers that |
//! | [`io`] | the module `io`, imported early |

pub mod addrinfo;
pub mod borrowed;
pub mod class;
pub mod file;
pub mod identity;
pub mod io;
pub mod lifecycle;
pub mod makefile;
pub mod members;
pub mod package;
pub mod pristine;
pub mod registry;
pub mod sendfile;
