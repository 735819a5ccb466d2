//! The class `_socket.socket`: its methods are those of socketmodule.c.
//!
//! | file | what |
//! | --- | --- |
//! | [`class`] | the class: its table of methods and its slots |
//! | [`object`] | an instance, and how methods get at its state |
//! | [`lifecycle`] | construction, close, detach, the finalizer, repr |
//! | [`connect`] | bind, listen, accept, connect, shutdown, the addresses of both ends |
//! | [`transfer`] | the recv and send families |
//! | [`message`] | recvmsg and sendmsg |
//! | [`peer`] | the address of the last peer, in both its forms |
//! | [`options`] | socket options, blocking mode and timeout |

pub mod class;
pub mod connect;
pub mod lifecycle;
pub mod message;
pub mod object;
pub mod options;
pub mod peer;
pub mod transfer;
