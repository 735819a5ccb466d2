//! The class `_socket.socket`, with the methods of socketmodule.c.
//!
//! | file | what |
//! | --- | --- |
//! | [`class`] | the class: its table of methods and its slots |
//! | [`object`] | the layout of an instance, and access to its state |
//! | [`lifecycle`] | construction, close, detach, the finalizer, repr |
//! | [`connect`] | bind, listen, accept, connect, shutdown, getsockname, getpeername |
//! | [`transfer`] | the recv and send families |
//! | [`message`] | recvmsg and sendmsg |
//! | `afalg` | sendmsg_afalg, on Linux |
//! | [`peer`] | a cache of the last sender's address |
//! | [`options`] | socket options, blocking mode and timeout |

#[cfg(target_os = "linux")]
pub mod afalg;
pub mod class;
pub mod connect;
pub mod lifecycle;
pub mod message;
pub mod object;
pub mod options;
pub mod peer;
pub mod transfer;
