//! What is known about a failed call, and its text, which is made when somebody reads the note.

use std::ffi::{CString, c_int};
use std::fmt::{self, Display};
use std::sync::OnceLock;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyString;
use socket2::SockAddr;

use super::quote::Quoted;
use crate::address;
use crate::address::context::Origin;
use crate::address::unix;
use crate::call::descriptor::Descriptor;
use crate::call::failure::{Doing, Question};
use crate::error::Result;
use crate::interpreter::place::Line;
use crate::interpreter::text::utf8;
use crate::sys::listener::Backlog;
use crate::sys::memory::try_format;

/// What is known about a failed call. It holds no Python object, so that a note keeps nothing alive.
#[derive(Debug)]
pub struct Facts {
    /// What failed.
    pub subject: Subject,
    /// How it ended.
    pub end: End,
    /// What may be the cause, where that is certain.
    pub hint: Option<Hint>,
    /// How it ended as `create_connection` knows it, whose time may be shorter than the socket's.
    better_end: OnceLock<End>,
}

/// What failed.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is in a box with the rest")]
pub enum Subject {
    /// A call on a socket.
    Call {
        /// What the call was for.
        doing: Doing,
        /// The address it was given.
        target: Option<SockAddr>,
        /// The host in that address, if it was a name. `create_connection` adds the name that it has looked up.
        name: OnceLock<String>,
        /// The socket's own address.
        local: Option<SockAddr>,
        /// Its peer's.
        peer: Option<SockAddr>,
        /// The socket's protocol, which determines the form of some addresses.
        proto: c_int,
    },
    /// A look-up.
    LookUp(Question<CString>),
    /// Nothing but the hint is of interest.
    Nothing,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// It failed, after this time if that is known.
    Failed(Option<Duration>),
    /// The socket's timeout passed.
    Timeout(Duration),
    /// The deadline of the thread passed.
    Deadline(Option<Duration>),
    /// The time for a look-up passed.
    LookUpTimeout(Option<Duration>),
    /// The `total_timeout` of `create_connection` passed.
    TotalTimeout(Option<Duration>),
}

/// What has ended an attempt of `create_connection`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its own error.
    Error,
    /// The timeout for each address.
    Timeout,
    /// The time for everything together.
    TotalTimeout,
    /// The deadline of the thread.
    Deadline,
}

impl Cause {
    /// The cause that the package calls so.
    pub fn called(name: &str) -> Option<Self> {
        match name {
            "timeout" => Some(Cause::Timeout),
            "total_timeout" => Some(Cause::TotalTimeout),
            "deadline" => Some(Cause::Deadline),
            _ => None,
        }
    }

    /// How an attempt ended that took so long; without a time it had not begun.
    pub fn end(self, after: Option<Duration>) -> End {
        match (self, after) {
            (Cause::Timeout, Some(after)) => End::Timeout(after),
            (Cause::Error | Cause::Timeout, after) => End::Failed(after),
            (Cause::TotalTimeout, after) => End::TotalTimeout(after),
            (Cause::Deadline, after) => End::Deadline(after),
        }
    }
}

/// What is certainly the cause of an error, or tells what to do.
#[derive(Debug)]
pub enum Hint {
    /// A socket of this process has the address.
    Taken {
        /// The address of that socket.
        by: SockAddr,
        /// Where in the program it was bound.
        line: Line,
    },
    /// The listener's backlog is full; the numbers, if they are known.
    Backlog(Option<Backlog>),
    /// A connection is accepted from a socket that does not listen.
    DoesNotListen,
    /// Data is sent to, or received from, a socket that listens.
    Listens,
    /// A path of `length` bytes, where `longest` fit.
    Path {
        /// The length of the path.
        length: usize,
        /// How many bytes fit.
        longest: usize,
    },
    /// The peer has ended a TCP connection.
    Closed {
        /// How many bytes had come from it, if that is certain.
        received: Option<u64>,
        /// How many had been sent to it.
        sent: Option<u64>,
    },
    /// A TCP connection has ended, by the peer, by this program or by the system.
    Ended {
        /// How many bytes had been sent to the peer.
        sent: Option<u64>,
    },
}

impl Facts {
    /// What is known about a call.
    pub fn new(subject: Subject, end: End, hint: Option<Hint>) -> Self {
        Facts { subject, end, hint, better_end: OnceLock::new() }
    }

    fn end(&self) -> End {
        *self.better_end.get().unwrap_or(&self.end)
    }

    /// What was tried, from where, and how it ended; empty if only the hint is of interest.
    pub fn what(&self, py: Python<'_>) -> Result<String> {
        match &self.subject {
            Subject::Call { doing, target, name, local, peer, proto } => {
                let shown = |address: &Option<SockAddr>| match address {
                    Some(address) => shown(py, address, *proto),
                    None => Ok(None),
                };
                let route = Route {
                    doing: *doing,
                    target: shown(target)?,
                    name: name.get().map(String::as_str),
                    local: shown(local)?,
                    peer: shown(peer)?,
                };
                Ok(try_format(format_args!("{route}{}", self.end()))?)
            }
            Subject::LookUp(question) => Ok(try_format(format_args!("looking up {}{}", Shown(question), self.end()))?),
            Subject::Nothing => Ok(String::new()),
        }
    }

    /// The text of the hint.
    pub fn hint(&self, py: Python<'_>) -> Result<Option<String>> {
        let Some(hint) = &self.hint else {
            return Ok(None);
        };
        let text = match hint {
            Hint::Taken { by, line } => {
                let by = shown(py, by, 0)?.unwrap_or_default();
                let Line { file, number } = line;
                try_format(format_args!(
                    "{by} is taken by a socket of this process, which was bound at {file}:{number}"
                ))?
            }
            Hint::Backlog(Some(Backlog { waiting, limit })) => try_format(format_args!(
                "the listener's backlog is full (connections that wait to be accepted: {waiting}, backlog: {limit})"
            ))?,
            Hint::Backlog(None) => try_format(format_args!("the listener's backlog is full"))?,
            Hint::DoesNotListen => {
                try_format(format_args!("the socket does not listen: call listen() before accept()"))?
            }
            Hint::Listens => try_format(format_args!(
                "the socket listens for connections: data goes through the socket that accept() returns"
            ))?,
            Hint::Path { length, longest } => {
                try_format(format_args!("the path has {length} bytes, and {longest} fit"))?
            }
            Hint::Closed { received, sent } => try_format(format_args!("{}", Closed(*received, *sent)))?,
            Hint::Ended { sent: Some(sent) } => {
                try_format(format_args!("the connection has ended after {sent} bytes to the other end"))?
            }
            Hint::Ended { sent: None } => try_format(format_args!("the connection has ended"))?,
        };
        Ok(Some(text))
    }

    /// Says what has ended an attempt that has used up the socket's timeout, if `create_connection` had shortened that.
    pub fn set_end(&self, cause: Cause) {
        if let (End::Timeout(after), Cause::Deadline | Cause::TotalTimeout) = (self.end, cause) {
            let _first_wins = self.better_end.set(cause.end(Some(after)));
        }
    }

    /// Adds the name of the host whose address was connected to, unless it is known, or is that address.
    pub fn set_name(&self, host: &str) -> Result<()> {
        if let Subject::Call { doing: Doing::Connecting, name, .. } = &self.subject
            && is_name(host)
        {
            let _first_wins = name.set(try_format(format_args!("{host}"))?);
        }
        Ok(())
    }
}

/// Whether a host is a name and not an address.
pub fn is_name(host: &str) -> bool {
    let ip = host.split_once('%').map_or(host, |(ip, _scope)| ip);
    !host.is_empty() && ip.parse::<std::net::IpAddr>().is_err()
}

/// An address as text: `host:port`, a path in quotes, or Python's form. `None` for an address that says nothing.
fn shown(py: Python<'_>, address: &SockAddr, proto: c_int) -> Result<Option<String>> {
    if let Some(address) = address.as_socket() {
        let says_nothing = address.ip().is_unspecified() && address.port() == 0;
        return if says_nothing { Ok(None) } else { Ok(Some(try_format(format_args!("{address}"))?)) };
    }
    if c_int::from(address.family()) == libc::AF_UNIX {
        let path = unix::path_of(address);
        return if path.is_empty() { Ok(None) } else { Ok(Some(try_format(format_args!("{}", Quoted(path)))?)) };
    }
    let origin = Origin { proto, descriptor: &Descriptor::closed() };
    let shown = address::to_python(py, address, origin)?.repr()?;
    let shown = shown.cast::<PyString>().ok().and_then(utf8).unwrap_or_default();
    Ok(Some(try_format(format_args!("{shown}"))?))
}

/// What a call on a socket was for, and its addresses.
struct Route<'a> {
    doing: Doing,
    target: Option<String>,
    name: Option<&'a str>,
    local: Option<String>,
    peer: Option<String>,
}

impl Display for Route<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, before_target, before_peer, before_local) = match self.doing {
            Doing::Accepting => ("waiting for a connection", "", "", "at"),
            Doing::Binding => ("binding", "to", "", ""),
            Doing::Connecting => ("connecting", "to", "", "from"),
            Doing::Listening => ("listening", "", "", "at"),
            Doing::Receiving => ("receiving", "", "from", "at"),
            Doing::Sending => ("sending", "to", "to", "from"),
        };
        formatter.write_str(verb)?;
        if let Some(target) = &self.target {
            write!(formatter, " {before_target} {target}")?;
            if let Some(name) = self.name {
                write!(formatter, " ({name})")?;
            }
        } else if let Some(peer) = &self.peer
            && !before_peer.is_empty()
        {
            write!(formatter, " {before_peer} {peer}")?;
        }
        match &self.local {
            Some(local) if !before_local.is_empty() => write!(formatter, " {before_local} {local}"),
            _ => Ok(()),
        }
    }
}

impl Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Failed(None) => Ok(()),
            End::Failed(Some(after)) => write!(formatter, ", failed after {}", Shown(after)),
            End::Timeout(after) => {
                write!(formatter, ", gave up after {}, the timeout of the socket", Shown(after))
            }
            End::Deadline(None) => formatter.write_str(", gave up when the deadline of this thread passed"),
            End::Deadline(Some(after)) if after.as_micros() < 50 => {
                formatter.write_str(", not begun: the deadline of this thread had passed")
            }
            End::Deadline(Some(after)) => {
                write!(formatter, ", gave up after {}, when the deadline of this thread passed", Shown(after))
            }
            End::TotalTimeout(None) => formatter.write_str(", not begun: total_timeout had passed"),
            End::TotalTimeout(Some(after)) => {
                write!(formatter, ", gave up after {}, when total_timeout had passed", Shown(after))
            }
            End::LookUpTimeout(None) => formatter.write_str(", gave up"),
            End::LookUpTimeout(Some(after)) => write!(formatter, ", gave up after {}", Shown(after)),
        }
    }
}

/// The bytes of a connection that the other end has ended: received, and sent.
struct Closed(Option<u64>, Option<u64>);

impl Display for Closed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the other end closed the connection")?;
        match self {
            Closed(Some(received), Some(sent)) => {
                write!(formatter, " after {received} bytes from it and {sent} bytes to it")
            }
            Closed(Some(received), None) => write!(formatter, " after {received} bytes from it"),
            Closed(None, Some(sent)) => write!(formatter, " after {sent} bytes to it"),
            Closed(None, None) => Ok(()),
        }
    }
}

/// A value as a note shows it.
struct Shown<'a, T>(&'a T);

impl Display for Shown<'_, Duration> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        match self.0.as_micros() {
            0..10_000 => write!(formatter, "{:.2} ms", seconds * 1e3),
            10_000..1_000_000 => write!(formatter, "{:.0} ms", seconds * 1e3),
            _ => write!(formatter, "{seconds:.1} s"),
        }
    }
}

impl Display for Shown<'_, Question<CString>> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Question::Addresses { host, service, family } => {
                match host {
                    Some(host) => write!(formatter, "{}", Quoted(host.to_bytes()))?,
                    None => formatter.write_str("this machine")?,
                }
                if let Some(service) = service {
                    let service = service.to_bytes();
                    if service.iter().all(u8::is_ascii_digit) {
                        write!(formatter, ", port {}", String::from_utf8_lossy(service))?;
                    } else {
                        write!(formatter, ", service {}", Quoted(service))?;
                    }
                }
                match *family {
                    libc::AF_INET => formatter.write_str(", IPv4 only"),
                    libc::AF_INET6 => formatter.write_str(", IPv6 only"),
                    _ => Ok(()),
                }
            }
            Question::Names(ip) => write!(formatter, "the name of {ip}"),
            Question::Service(name, protocol) => {
                write!(formatter, "the service {}{}", Quoted(name.to_bytes()), Over(protocol))
            }
            Question::Port(port, protocol) => write!(formatter, "the service of port {port}{}", Over(protocol)),
            Question::Protocol(name) => write!(formatter, "the protocol {}", Quoted(name.to_bytes())),
            Question::Interface(name) => write!(formatter, "the network interface {}", Quoted(name.to_bytes())),
            Question::InterfaceNumber(number) => write!(formatter, "the network interface {number}"),
        }
    }
}

/// The protocol of a service, if one was asked for.
struct Over<'a>(&'a Option<CString>);

impl Display for Over<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(protocol) => write!(formatter, " over {}", Quoted(protocol.to_bytes())),
            None => Ok(()),
        }
    }
}
