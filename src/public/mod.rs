//! The public class, `oxisocket.socket`: what CPython's `socket.py` adds to `_socket.socket`, without Python on the way.
//!
//! | file | what |
//! | --- | --- |
//! | [`borrowed`] | methods that a class which is no socket has taken |
//! | [`class`] | the class: its table of methods and its slots |
//! | [`io`] | the module `io` |
//! | [`kinds`] | families and types as members of their enums |
//! | [`lifecycle`] | construction, accept, dup, close, repr, the with-statement |
//! | [`makefile`] | file objects |
//! | [`pristine`] | whether the class is as it was made |
//! | [`sendfile`] | sending files |

pub mod borrowed;
pub mod class;
pub mod io;
pub mod kinds;
pub mod lifecycle;
pub mod makefile;
pub mod pristine;
pub mod sendfile;
