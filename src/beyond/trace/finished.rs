//! What a call that has ended has to tell.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::address;
use super::arguments::Arguments;
use super::catalogue::Kind;
use super::described::{Described, Peer};
use super::event::Outcome;
use super::frames::{Frame, Receiver, socket_of};
use super::known_sockets::{know, pair_up};
use super::line::Line;
use super::sink::Delivery;
use super::socket_facts::{By, Facts, cookie, key};
use super::state::{State, lock};
use super::transfers::{self, Transferred};
use super::words;
use crate::call::socket::Socket;
use crate::interpreter::number::plain_long;
use crate::interpreter::observe::Call;
use crate::socket::class::as_socket;

/// A call that has ended.
pub struct Finished<'a, 'b, 'py> {
    pub py: Python<'py>,
    pub call: &'a Call<'b, 'py>,
    pub described: &'a Described,
    pub frame: &'a Frame,
    pub result: Option<&'a Bound<'py, PyAny>>,
    pub error: Option<&'a Bound<'py, PyAny>>,
}

impl<'py> Finished<'_, '_, 'py> {
    /// Tells the call to the recordings. All that makes objects, which may run finalizers, is done before the lock is taken.
    pub fn tell(&self) -> Vec<Delivery> {
        let (kind, took) = (self.described.kind, self.described.began.elapsed());
        let waited = self.frame.waited.min(took);
        let arguments = if kind == Kind::Close { Arguments::none() } else { Arguments::of(self.call) };
        let receiver = socket_of(&self.call.receiver);
        let socket = receiver.as_ref().map(Receiver::socket);
        let limit = lock().state().limit();
        let found = self.transferred(&arguments, limit, socket.is_some_and(is_stream));
        let (mut answer, mut address) = (Line::default(), Line::default());
        self.write_answer(&mut answer, limit);
        if let Some(found) = &found.address {
            address::write_python(&mut address, found);
        }
        let answer = answer.text().unwrap_or("…");
        let outcome = Outcome {
            answer: if self.result.is_some() { Ok(answer) } else { Err(answer) },
            errno: self.errno(),
            took,
            waited,
            transfer: found.transfer,
            data: &found.data,
            address: address.text().unwrap_or(""),
            new: &[],
            rights: found.rights,
        };
        let peer = Peer::new(found.address.as_ref());
        let (made, pair) = (self.made(), self.pair());

        let mut locked = lock();
        let state = locked.state();
        let key = self.learn(state, socket, &arguments);
        if kind == Kind::New && key.and_then(|key| state.sockets.get(&key)).is_some_and(Facts::is_of_pair) {
            return Vec::new(); // `socketpair` was told
        }
        self.count(state, socket, key, &found, waited);
        state.remember_pair(pair);
        let new = self.new_sockets(state, key, made.as_ref());
        let numbers = numbers(state, &new);
        let deliveries = self.described.tell(state, key, &peer, Outcome { new: &numbers, ..outcome }, &new);
        // What refers to objects is dropped after it.
        drop(locked);
        deliveries
    }

    /// Learns what the call has changed about its socket. Returns the socket's key.
    fn learn(&self, state: &mut State, socket: Option<&Socket>, arguments: &Arguments<'py>) -> Option<usize> {
        let (py, socket) = (self.py, socket?);
        match self.described.kind {
            Kind::New if self.result.is_some() => {
                let is_from_descriptor = arguments.get(3, "fileno").is_some_and(|fileno| !fileno.is_none());
                let by = if is_from_descriptor { By::FromFd } else { By::Socket };
                know(py, state, socket, by, self.described.caller().map(str::to_owned))?;
                pair_up(state, key(socket));
            }
            Kind::New => return None,
            Kind::Address => state.sockets.get_mut(&key(socket))?.ask_names(py, socket),
            Kind::Listen if self.result.is_some() => {
                let facts = state.sockets.get_mut(&key(socket))?;
                facts.set_listens();
                facts.ask_names(py, socket);
            }
            _ => {}
        }
        state.sockets.contains_key(&key(socket)).then(|| key(socket))
    }

    fn transferred(&self, arguments: &Arguments<'py>, limit: usize, is_stream: bool) -> Transferred<'py> {
        let said = &self.frame.said;
        match (self.result, self.error) {
            (Some(result), _) => transfers::of(self.described.kind, arguments, Ok(result), said, limit, is_stream),
            (None, Some(error)) => transfers::of(self.described.kind, arguments, Err(error), said, limit, is_stream),
            (None, None) => Transferred::default(),
        }
    }

    /// Counts what the call has done.
    fn count(
        &self,
        state: &mut State,
        socket: Option<&Socket>,
        key: Option<usize>,
        found: &Transferred<'py>,
        waited: Duration,
    ) {
        let Some(facts) = key.and_then(|key| state.sockets.get_mut(&key)) else { return };
        facts.counts.calls += 1;
        facts.counts.waited += waited;
        facts.counts.received += found.transfer.received.unwrap_or(0);
        facts.counts.sent += found.transfer.sent.unwrap_or(0);
        let has_transferred = found.transfer.received.is_some() || found.transfer.sent.is_some();
        if let Some(socket) = socket.filter(|_| has_transferred && facts.lacks_names()) {
            facts.ask_names(self.py, socket);
        }
    }

    /// The socket that the call has made.
    fn made(&self) -> Option<Bound<'py, PyAny>> {
        let result = self.result.filter(|_| self.described.kind == Kind::Makes)?;
        let first = result.cast_exact::<PyTuple>().ok().and_then(|tuple| tuple.get_item(0).ok());
        first.or_else(|| Some(result.clone())).filter(|made| as_socket(made).is_some())
    }

    /// The cookies of the pair that the call has made.
    fn pair(&self) -> Option<[u64; 2]> {
        let result = self.result.filter(|_| self.described.kind == Kind::Pair)?.cast_exact::<PyTuple>().ok()?;
        Some([cookie_of(&result.get_item(0).ok()?)?, cookie_of(&result.get_item(1).ok()?)?])
    }

    /// The sockets that the call has made: their keys.
    fn new_sockets(&self, state: &mut State, origin: Option<usize>, made: Option<&Bound<'py, PyAny>>) -> Vec<usize> {
        let caller = self.described.caller();
        let Some(made) = made.and_then(as_socket) else { return Vec::new() };
        let origin = origin.and_then(|key| state.sockets.get(&key)).map_or(0, |facts| facts.number);
        let by = if self.described.name == "dup" { By::Dup(origin) } else { By::Accept(origin) };
        if let Some(facts) = know(self.py, state, made.socket(), by, caller.map(str::to_owned)) {
            facts.set_origin(by, caller);
        }
        vec![key(made.socket())]
    }

    fn write_answer(&self, line: &mut Line, limit: usize) {
        match (self.result, self.error) {
            (Some(_), _) if self.described.kind == Kind::New => words::object(line, &self.call.receiver, limit),
            (Some(result), _) => words::object(line, result, limit),
            (None, Some(error)) => words::exception(line, error),
            (None, None) => {}
        }
    }

    fn errno(&self) -> Option<i32> {
        if let Some(error) = self.error {
            return words::errno(error);
        }
        let result = self.result.filter(|_| self.described.name == "connect_ex").and_then(plain_long)?;
        i32::try_from(result).ok().filter(|errno| *errno != 0)
    }
}

fn is_stream(socket: &Socket) -> bool {
    matches!(socket.kind(), libc::SOCK_STREAM | libc::SOCK_SEQPACKET)
}

fn cookie_of(socket: &Bound<'_, PyAny>) -> Option<u64> {
    as_socket(socket)?.socket().descriptor().attached(socket.py(), cookie).ok()
}

fn numbers(state: &State, keys: &[usize]) -> Vec<u64> {
    keys.iter().filter_map(|key| state.sockets.get(key)).map(|facts| facts.number).collect()
}
