//! The record of what a program does with its sockets: `oxisocket.trace`, `oxisocket.observe`, `oxisocket.sockets`.
//!
//! | file | what |
//! | --- | --- |
//! | [`observer`] | sees each call begin and end |
//! | [`frames`] | the calls that run in a thread |
//! | [`waiting`] | when a call begins to wait |
//! | [`described`] | what a call says of itself |
//! | [`finished`] | what a call that has ended has to tell |
//! | [`catalogue`] | which calls are told, and what of them is data |
//! | [`event`] | a call as a line of JSON or text |
//! | [`closing`] | a socket that gives its descriptor up, as a line |
//! | [`state`] | the recordings that run, behind one lock |
//! | [`recording`] | one of them: what it has told |
//! | [`sink`] | where its lines go: a file, or a function |
//! | [`filter`] | which calls a recording wants |
//! | [`socket_facts`], [`known_sockets`] | what is known of each socket |
//! | [`arguments`], [`transfers`], [`data`], [`address`], [`words`], [`attribute`] | from Python's objects to texts and bytes |
//! | [`line`], [`clock`], [`thread_name`] | what lines are made of |
//! | [`native_tls`] | has native TLS tell its plain text |
//! | [`functions`] | the functions that the Python package calls |

mod address;
mod arguments;
mod attribute;
mod catalogue;
mod clock;
mod closing;
mod data;
mod described;
mod event;
mod filter;
mod finished;
mod frames;
pub mod functions;
mod known_sockets;
mod line;
mod native_tls;
mod observer;
mod recording;
mod sink;
mod socket_facts;
mod state;
mod thread_name;
mod transfers;
mod waiting;
mod words;

use crate::call::hooks::{self, TraceHooks};
use crate::interpreter::observe::{self, Observer};

pub use self::frames::SocketOfFile;
pub use self::words::NameOf;

/// Lets the rest of the crate tell this room of calls, once there is a recording. What it has to know of rooms above it, it is given: the
/// names of constants, and the socket that a file object reads from.
pub fn begin(name_of: NameOf, socket_of_file: SocketOfFile) {
    words::set_names(name_of);
    frames::set_socket_of_file(socket_of_file);
    observe::set(Observer {
        observe: observer::observe,
        progresses: observer::progresses,
        detaches: waiting::detaches,
        attached: waiting::attached,
    });
    hooks::set_trace(TraceHooks { ends: observer::ends, freed: observer::freed });
}
