//! What a call says of itself when it begins: everything that comes from Python's objects.
//!
//! It is made before the state is locked. To look at objects can make others, for which the garbage collector may run, and with it any
//! finalizer: that of a socket locks the state.

use std::time::Instant;

use pyo3::prelude::*;

use super::address;
use super::arguments::Arguments;
use super::catalogue::Kind;
use super::event::{Event, Outcome, Thread};
use super::filter::Subject;
use super::line::Line;
use super::sink::Delivery;
use super::socket_facts::Facts;
use super::state::{State, lock};
use super::thread_name;
use crate::beyond::caller;
use crate::sys::thread;

/// What a call says of itself.
pub struct Described {
    pub kind: Kind,
    pub name: &'static str,
    pub is_tls: bool,
    pub began: Instant,
    arguments: Line,
    peer: Peer,
    caller: Option<String>,
    thread: String,
}

/// The address that a call was given, or got.
#[derive(Default)]
pub struct Peer {
    host_and_port: Option<(String, i64)>,
    path: Option<String>,
}

impl Peer {
    /// The address that an object is.
    pub fn new(address: Option<&Bound<'_, PyAny>>) -> Self {
        Peer { host_and_port: address.and_then(address::host_and_port), path: address.and_then(address::path) }
    }
}

impl Described {
    /// Describes a call that is about to begin.
    pub fn new(py: Python<'_>, kind: Kind, name: &'static str, is_tls: bool, arguments: &Arguments<'_>) -> Self {
        let limit = lock().state().limit();
        let mut text = Line::default();
        arguments.write(&mut text, name, kind, limit);
        let peer = Peer::new(arguments.target(kind));
        let (caller, thread) = (caller::here(py), thread_name::current(py));
        Described { kind, name, is_tls, began: Instant::now(), arguments: text, peer, caller, thread }
    }

    /// Who has called: `server.py:12`.
    pub fn caller(&self) -> Option<&str> {
        self.caller.as_deref()
    }

    /// Tells that the call begins to wait.
    pub fn tell_wait(&self, socket: Option<usize>) -> Vec<Delivery> {
        self.tell_to(lock().state(), socket, &self.peer, None, &[])
    }

    /// Tells how the call has ended. `peer` is the address that it got; `new` are the keys of the sockets that it has made.
    pub fn tell(
        &self,
        state: &mut State,
        socket: Option<usize>,
        peer: &Peer,
        outcome: Outcome<'_>,
        new: &[usize],
    ) -> Vec<Delivery> {
        self.tell_to(state, socket, peer, Some(outcome), new)
    }

    fn tell_to(
        &self,
        state: &mut State,
        socket: Option<usize>,
        peer: &Peer,
        outcome: Option<Outcome<'_>>,
        new: &[usize],
    ) -> Vec<Delivery> {
        let facts = socket.and_then(|key| state.sockets.get(&key));
        let event = Event {
            began: self.began,
            thread: Thread { id: thread::Id::current().number(), name: &self.thread },
            socket: facts.map(|facts| facts.number),
            fd: facts.map(|facts| facts.fd),
            call: self.name,
            arguments: self.arguments.text().unwrap_or("…"),
            caller: self.caller(),
            is_tls: self.is_tls,
            outcome,
        };
        let [own, other] = facts.map_or([None, None], |facts| [facts.local.clone(), facts.peer.clone()]);
        let subject = Subject {
            family_and_kind: facts.map(Facts::family_and_kind),
            addresses: [own.as_ref(), other.as_ref()],
            given: peer.host_and_port.as_ref().map(|(host, port)| (host.as_str(), *port)),
            path: peer.path.as_deref(),
            fd: event.fd,
            thread: &self.thread,
            call: self.name,
            has_failed: outcome.is_some_and(|outcome| outcome.answer.is_err()),
        };
        state.tell(&event, &subject, socket, new)
    }
}
