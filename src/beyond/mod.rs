//! What goes beyond CPython, and uses the rest as any program could.
//!
//! | file | what |
//! | --- | --- |
//! | [`caller`] | who in the program calls |
//! | [`deadline`] | one deadline for all calls of a thread |
//! | [`description`] | a socket in one line |
//! | [`errors`] | the exceptions that the Python package defines |
//! | [`exact`] | receives of exactly `n` bytes |
//! | [`interfaces`] | the addresses of network interfaces |
//! | [`methods`] | the methods that the public class has in addition |
//! | [`notes`] | notes on errors |
//! | [`option_value`] | the value of a socket option, of any length |
//! | [`package`] | functions of the Python package `oxisocket._beyond` |
//! | [`read_ahead`] | the buffer of a `Reader` |
//! | [`reader`] | the class `Reader` |
//! | [`readiness`] | what a socket is ready for, and how much lies in its queues |
//! | [`separator`] | what `readuntil` of a `Reader` looks for |
//! | [`source`] | where the bytes of an exact receive or of a `Reader` come from |
//! | [`tcp_info`] | what the kernel knows of a TCP connection |
//! | [`trace`] | the record of what a program does with its sockets |

mod caller;
pub mod deadline;
pub mod description;
pub mod errors;
pub mod exact;
pub mod interfaces;
pub mod methods;
pub mod notes;
pub mod option_value;
mod package;
mod read_ahead;
pub mod reader;
pub mod readiness;
mod separator;
mod source;
pub mod tcp_info;
pub mod trace;
