//! The public class, `oxisocket.socket`: what CPython's `socket.py` adds to `_socket.socket`, without Python on the way.
//!
//! | file | what |
//! | --- | --- |
//! | [`class`] | the class: its table of methods and its slots |
//! | [`identity`] | which objects are its instances |
//! | [`pristine`] | whether the class is as it was made |
//! | [`lifecycle`] | construction, accept, dup, close, repr, the with-statement |
//! | [`makefile`], [`file`] | file objects, and their raw layer |
//! | [`sendfile`] | sending files |
//! | [`borrowed`] | methods that a class which is no socket has taken |
//! | [`addrinfo`] | `getaddrinfo` with members of enumerations |
//! | [`members`] | families and types as members of their enumerations |
//! | [`package`], [`registry`] | what the Python package makes, and how it hands that over |
//! | [`io`] | the module `io` |

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
