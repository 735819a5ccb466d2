//! What a call that has ended has to tell.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::address;
use super::arguments::Arguments;
use super::catalogue::Kind;
use super::described::{Described, Which};
use super::event::Outcome;
use super::frames::{Frame, Receiver, receiver};
use super::known_sockets::{know, pair_up};
use super::line::Line;
use super::recording::{Delivery, State, lock};
use super::socket_facts::{By, Facts, cookie, key};
use super::transfers::{self, Transferred};
use super::words;
use crate::call::socket::Socket;
use crate::interpreter::number::plain_long;
use crate::interpreter::observe::Call;
use crate::name;
use crate::socket::class::as_socket;

/// A call that has ended.
pub struct Finished<'a, 'b, 'py> {
    pub py: Python<'py>,
    pub call: &'a Call<'b, 'py>,
    pub frame: &'a Frame,
    pub result: Option<&'a Bound<'py, PyAny>>,
    pub error: Option<&'a Bound<'py, PyAny>>,
}

impl<'py> Finished<'_, '_, 'py> {
    /// Tells the call to the recordings.
    pub fn tell(&self) -> Vec<Delivery> {
        let Which { kind, began, .. } = self.frame.which;
        let (took, waited) = (began.elapsed(), self.frame.waited);
        let arguments = if kind == Kind::Close { Arguments::none() } else { Arguments::of(self.call) };
        let receiver = receiver(self.call);
        let socket = receiver.as_ref().map(Receiver::socket);
        let limit = lock().state().limit();
        let found = self.transferred(&arguments, limit, socket.is_some_and(is_stream));
        let described = Described::new(self.py, self.frame.which, &arguments, found.address.as_ref(), limit);
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
            waited: waited.min(took),
            transfer: found.transfer,
            data: &found.data,
            address: address.text().unwrap_or(""),
            new: &[],
            rights: found.rights,
        };
        let made = self.made();
        let mut locked = lock();
        let state = locked.state();
        let key = self.learn(state, socket, &arguments, described.caller());
        if kind == Kind::New && key.and_then(|key| state.sockets.get(&key)).is_some_and(Facts::is_of_pair) {
            return Vec::new(); // `socketpair` was told
        }
        self.count(state, socket, key, &found, waited);
        let new = self.learn_made(state, &made, key, described.caller());
        let numbers = numbers(state, &new);
        described.tell(state, key, Some(Outcome { new: &numbers, ..outcome }), &new)
    }

    /// Learns what the call has changed about its socket. Returns the socket's key.
    fn learn(
        &self,
        state: &mut State,
        socket: Option<&Socket>,
        arguments: &Arguments<'py>,
        caller: Option<&str>,
    ) -> Option<usize> {
        let (py, socket) = (self.py, socket?);
        match self.frame.which.kind {
            Kind::New if self.result.is_some() => {
                let fileno = arguments.get(3, "fileno").filter(|fileno| !fileno.is_none());
                let by = if fileno.is_some() { By::FromFd } else { By::Socket };
                know(py, state, socket, by, caller.map(str::to_owned))?;
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
        match (self.result, self.error) {
            (Some(result), _) => transfers::of(self.frame.which.kind, arguments, Ok(result), limit, is_stream),
            (None, Some(error)) => transfers::of(self.frame.which.kind, arguments, Err(error), limit, is_stream),
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

    /// The sockets that the call has returned.
    fn made(&self) -> Vec<Bound<'py, PyAny>> {
        let Some(result) = self.result else { return Vec::new() };
        let parts = result.cast_exact::<PyTuple>().map(|tuple| tuple.iter().take(2).collect());
        let parts: Vec<_> = parts.unwrap_or_else(|_| vec![result.clone()]);
        let returns_sockets = matches!(self.frame.which.kind, Kind::Makes | Kind::Pair);
        parts.into_iter().filter(|part| returns_sockets && as_socket(part).is_some()).collect()
    }

    /// Learns of the sockets that the call has made. Returns their keys.
    fn learn_made(
        &self,
        state: &mut State,
        made: &[Bound<'py, PyAny>],
        origin: Option<usize>,
        caller: Option<&str>,
    ) -> Vec<usize> {
        let origin = origin.and_then(|key| state.sockets.get(&key)).map_or(0, |facts| facts.number);
        match (self.frame.which.kind, made) {
            (Kind::Makes, [made]) => {
                let Some(socket) = as_socket(made) else { return Vec::new() };
                let by = if self.frame.which.name == "dup" { By::Dup(origin) } else { By::Accept(origin) };
                know(self.py, state, socket.socket(), by, caller.map(str::to_owned));
                vec![key(socket.socket())]
            }
            (Kind::Pair, [one, other]) => {
                if let (Some(one), Some(other)) = (cookie_of(one), cookie_of(other))
                    && state.pairs.try_reserve(1).is_ok()
                {
                    state.pairs.push([one, other]);
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn write_answer(&self, line: &mut Line, limit: usize) {
        match (self.result, self.error) {
            (Some(_), _) if self.frame.which.kind == Kind::New => words::object(line, &self.call.receiver, limit),
            (Some(result), _) => words::object(line, result, limit),
            (None, Some(error)) => words::exception(line, error),
            (None, None) => {}
        }
    }

    fn errno(&self) -> Option<i32> {
        let Some(error) = self.error else {
            let failed = self.frame.which.name == "connect_ex";
            let errno = self.result.filter(|_| failed).and_then(plain_long)?;
            return i32::try_from(errno).ok().filter(|errno| *errno != 0);
        };
        if !error.is_instance_of::<pyo3::exceptions::PyOSError>() {
            return None;
        }
        let errno = error.getattr_opt(name!(self.py, "errno").ok()?).ok().flatten()?;
        plain_long(&errno).and_then(|errno| i32::try_from(errno).ok())
    }
}

/// Whether a receive of nothing is the end.
fn is_stream(socket: &Socket) -> bool {
    matches!(socket.kind(), libc::SOCK_STREAM | libc::SOCK_SEQPACKET)
}

fn cookie_of(socket: &Bound<'_, PyAny>) -> Option<u64> {
    as_socket(socket)?.socket().descriptor().attached(socket.py(), cookie).ok()
}

fn numbers(state: &State, keys: &[usize]) -> Vec<u64> {
    keys.iter().filter_map(|key| state.sockets.get(key)).map(|facts| facts.number).collect()
}
