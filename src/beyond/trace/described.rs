//! What a call says of itself: everything that comes from Python's objects.
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
use super::recording::{Delivery, State};
use super::socket_facts::Facts;
use super::thread_name;
use crate::beyond::caller;
use crate::interpreter::observe::Call;
use crate::sys::thread;

/// Which call it is.
#[derive(Clone, Copy)]
pub struct Which {
    /// The call. It is borrowed from further up the stack, where it lives until its frame is popped.
    pub call: *const Call<'static, 'static>,
    pub kind: Kind,
    pub name: &'static str,
    pub is_tls: bool,
    pub began: Instant,
}

/// What a call says of itself.
pub struct Described {
    which: Which,
    arguments: Line,
    /// The host and the port, and the path, that the call was given or got.
    given: Option<(String, i64)>,
    path: Option<String>,
    caller: Option<String>,
    thread: String,
}

impl Described {
    /// Describes a call. Of data in the arguments, `limit` bytes are shown. The address is that which the call was given, or got.
    pub fn new(
        py: Python<'_>,
        which: Which,
        arguments: &Arguments<'_>,
        address: Option<&Bound<'_, PyAny>>,
        limit: usize,
    ) -> Self {
        let mut text = Line::default();
        arguments.write(&mut text, which.name, which.kind, limit);
        Described {
            which,
            arguments: text,
            given: address.and_then(address::host_and_port),
            path: address.and_then(address::path),
            caller: caller::here(py),
            thread: thread_name::current(py),
        }
    }

    /// Who has called: `server.py:12`.
    pub fn caller(&self) -> Option<&str> {
        self.caller.as_deref()
    }

    /// Tells the call to the recordings: that it begins to wait, or how it has ended. `new` are the keys of the sockets that it has made.
    pub fn tell(
        &self,
        state: &mut State,
        socket: Option<usize>,
        outcome: Option<Outcome<'_>>,
        new: &[usize],
    ) -> Vec<Delivery> {
        let facts = socket.and_then(|key| state.sockets.get(&key));
        let Which { name: call, is_tls, began, .. } = self.which;
        let event = Event {
            began,
            thread: Thread { id: thread::Id::current().number(), name: &self.thread },
            socket: facts.map(|facts| facts.number),
            fd: facts.map(|facts| facts.fd),
            call,
            arguments: self.arguments.text().unwrap_or("…"),
            caller: self.caller(),
            is_tls,
            outcome,
        };
        let [local, peer] = facts.map_or([None, None], |facts| [facts.local.clone(), facts.peer.clone()]);
        let subject = Subject {
            family_and_kind: facts.map(Facts::family_and_kind),
            addresses: [local.as_ref(), peer.as_ref()],
            given: self.given.as_ref().map(|(host, port)| (host.as_str(), *port)),
            path: self.path.as_deref(),
            fd: event.fd,
            thread: &self.thread,
            call,
            has_failed: outcome.is_some_and(|outcome| outcome.answer.is_err()),
        };
        state.tell(&event, &subject, socket, new)
    }
}
