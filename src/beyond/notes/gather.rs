//! What is known about a call, gathered when it has failed: its addresses, how long it took, and a hint where one is certain.

use std::ffi::{CStr, CString, c_int};
use std::sync::OnceLock;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use socket2::SockAddr;

use super::exception::with_note;
use super::facts::{End, Facts, Hint, Subject, is_name};
use super::places;
use crate::call::failure::{Call, Doing, Failure, Question, Target};
use crate::call::scope;
use crate::call::socket::Socket;
use crate::error::{Error, Exception, Result};
use crate::interpreter::text::utf8;
use crate::sys::option::getsockopt_int;
use crate::sys::socket::{former_peer, getpeername, getsockname};
use crate::sys::{backlog, memory, tcp};

/// The errors of a receive or send that tell about the connection. The others tell about the call.
const OF_A_CONNECTION: [c_int; 8] = [
    libc::ECONNABORTED,
    libc::ECONNREFUSED,
    libc::ECONNRESET,
    libc::EHOSTUNREACH,
    libc::ENETRESET,
    libc::ENETUNREACH,
    libc::EPIPE,
    libc::ETIMEDOUT,
];

/// The error of a call that has failed, with a note if it deserves one.
pub fn failed(py: Python<'_>, error: Error, failure: Failure<'_, '_>) -> Error {
    if !is_noted(py, &error, &failure) {
        return error;
    }
    match facts(py, &error, failure) {
        Ok(facts) => with_note(py, error, facts),
        Err(refused) => {
            refused.discard(py);
            error
        }
    }
}

/// Whether an error gets a note. A non-blocking socket that would have to wait is no failure, and gets none. An exception that Python code
/// has raised is not ours.
fn is_noted(py: Python<'_>, error: &Error, failure: &Failure<'_, '_>) -> bool {
    match (error, failure) {
        (Error::Os(errno), Failure::Call(call)) => {
            let errno = *errno as c_int;
            is_noted_errno(errno, call) || wrong_socket(py, errno, call).is_some()
        }
        (Error::Os(_) | Error::TimedOut | Error::AddrInfo(_) | Error::Host(_), _) => true,
        (Error::Message(message), Failure::LookUp { .. } | Failure::Path { .. }) => matches!(message.0, Exception::Os),
        _ => false,
    }
}

fn is_noted_errno(errno: c_int, call: &Call<'_, '_>) -> bool {
    match (errno, call.doing) {
        // The kernel does not let a connection to a full listener wait; a socket with a timeout might expect it.
        (libc::EAGAIN, Doing::Connecting) => is_unix(call.socket) && !call.socket.timeout().is_zero(),
        (libc::EAGAIN | libc::EALREADY | libc::EINPROGRESS, _) => false,
        (_, Doing::Connecting | Doing::Binding | Doing::Listening) => true,
        (_, Doing::Sending) if call.target.is_some() => true,
        (_, Doing::Accepting | Doing::Receiving | Doing::Sending) => OF_A_CONNECTION.contains(&errno),
    }
}

fn facts(py: Python<'_>, error: &Error, failure: Failure<'_, '_>) -> Result<Facts> {
    match failure {
        Failure::Call(call) => {
            let end = end_of_call(error, &call);
            let local = local_address(py, &call);
            let hint = hint(py, error, &call, local.as_ref());
            Ok(Facts::new(subject(py, &call, local)?, end, hint))
        }
        Failure::LookUp { question, began } => {
            let after = began.map(|began| began.elapsed());
            let end = match error {
                Error::TimedOut if scope::has_passed() => End::Deadline(after),
                Error::TimedOut => End::LookUpTimeout(after),
                _ => End::Failed(after),
            };
            Ok(Facts::new(Subject::LookUp(owned(question)?), end, None))
        }
        Failure::Path { length, longest } => {
            let hint = Some(Hint::Path { length, longest });
            Ok(Facts::new(Subject::Nothing, End::Failed(None), hint))
        }
    }
}

fn end_of_call(error: &Error, call: &Call<'_, '_>) -> End {
    let after = call.began.map(|began| began.elapsed());
    let timeout = call.socket.timeout();
    match error {
        Error::TimedOut if scope::has_passed() => End::Deadline(after),
        Error::TimedOut if timeout.is_positive() => {
            End::Timeout(Duration::from_nanos(timeout.nanoseconds().cast_unsigned()))
        }
        _ if call.doing == Doing::Connecting => End::Failed(after),
        _ => End::Failed(None),
    }
}

fn local_address(py: Python<'_>, call: &Call<'_, '_>) -> Option<SockAddr> {
    match call.doing {
        Doing::Binding => None,
        _ => call.socket.descriptor().attached(py, getsockname).ok(),
    }
}

fn subject(py: Python<'_>, call: &Call<'_, '_>, local: Option<SockAddr>) -> Result<Subject> {
    let peer = match call.doing {
        Doing::Receiving | Doing::Sending if call.target.is_none() => {
            call.socket.descriptor().attached(py, |fd| getpeername(fd).or_else(|_| former_peer(fd))).ok()
        }
        _ => None,
    };
    Ok(Subject::Call {
        doing: call.doing,
        target: call.target.map(|target| target.address.clone()),
        name: match call.target {
            Some(target) => name(target)?.map_or_else(OnceLock::new, OnceLock::from),
            None => OnceLock::new(),
        },
        local,
        peer,
        proto: call.socket.proto(),
    })
}

/// The host of an address that the program gave, if it is a name.
fn name(target: Target<'_, '_>) -> Result<Option<String>> {
    if target.address.as_socket().is_none() {
        return Ok(None);
    }
    let Ok(tuple) = target.given.cast::<PyTuple>() else {
        return Ok(None);
    };
    let Ok(host) = tuple.get_borrowed_item(0) else {
        return Ok(None);
    };
    match host_text(&host).filter(|host| is_name(host)) {
        Some(host) => Ok(Some(memory::try_format(format_args!("{host}"))?)),
        None => Ok(None),
    }
}

/// A host, a `str` or bytes, as text.
pub fn host_text<'a>(host: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    match (host.cast::<PyString>(), host.cast::<PyBytes>()) {
        (Ok(text), _) => utf8(text),
        (_, Ok(bytes)) => std::str::from_utf8(bytes.as_bytes()).ok(),
        _ => None,
    }
}

/// What is certainly the cause.
fn hint(py: Python<'_>, error: &Error, call: &Call<'_, '_>, local: Option<&SockAddr>) -> Option<Hint> {
    let errno = match error {
        Error::Os(errno) => *errno as c_int,
        Error::TimedOut => libc::ETIMEDOUT,
        _ => return None,
    };
    let target = call.target.map(|target| target.address);
    match (errno, call.doing) {
        (libc::EADDRINUSE, Doing::Binding | Doing::Listening) => {
            let (by, line) = places::holder(py, call.socket, target.or(local)?)?;
            Some(Hint::Taken { by, line })
        }
        (libc::EAGAIN, Doing::Connecting) => Some(Hint::Backlog(None)),
        (libc::EINVAL | libc::ENOTCONN, _) => wrong_socket(py, errno, call),
        (libc::ETIMEDOUT, Doing::Connecting) => full_backlog(call, target?, local),
        (libc::ECONNRESET | libc::EPIPE, Doing::Receiving | Doing::Sending) => {
            wrong_socket(py, errno, call).or_else(|| ended(py, errno, call))
        }
        _ => None,
    }
}

/// The hint for a call on the wrong one of a server's two sockets, or before `listen`.
fn wrong_socket(py: Python<'_>, errno: c_int, call: &Call<'_, '_>) -> Option<Hint> {
    let (hint, listens) = match (errno, call.doing) {
        (libc::EINVAL, Doing::Accepting) => (Hint::DoesNotListen, 0),
        (libc::ENOTCONN | libc::EPIPE, Doing::Receiving | Doing::Sending) => (Hint::Listens, 1),
        _ => return None,
    };
    let value = call.socket.descriptor().attached(py, |fd| getsockopt_int(fd, libc::SOL_SOCKET, libc::SO_ACCEPTCONN));
    value.is_ok_and(|value| value == listens).then_some(hint)
}

/// Whether a listener's backlog is what a connection has waited for in vain.
fn full_backlog(call: &Call<'_, '_>, target: &SockAddr, local: Option<&SockAddr>) -> Option<Hint> {
    if is_unix(call.socket) {
        // A connection between UNIX sockets is made at once, or waits for room in the backlog: it waits for nothing else.
        return call.was_made.then_some(Hint::Backlog(None));
    }
    let (server, client) = (target.as_socket()?, local?.as_socket()?);
    let is_here = server.ip().to_canonical().is_loopback() || server.ip() == client.ip();
    if !is_tcp(call.socket) || !is_here {
        return None;
    }
    let backlog = backlog::backlog(server, client).ok()??;
    backlog.is_full().then_some(Hint::Backlog(Some(backlog)))
}

/// How much a TCP connection has carried that has ended.
///
/// Only a reset tells that the peer has ended it. EPIPE is also the error of a connection that this program has shut down, or that the system
/// has given up: the kernel does not tell these apart.
fn ended(py: Python<'_>, errno: c_int, call: &Call<'_, '_>) -> Option<Hint> {
    if !is_tcp(call.socket) {
        return None;
    }
    let traffic = call.socket.descriptor().attached(py, |fd| {
        // A socket that was never connected, or is shut for sending by its own program, has EPIPE too.
        former_peer(fd)?;
        tcp::traffic(fd)
    });
    let traffic = traffic.ok().filter(|traffic| traffic.is_over)?;
    match (errno, call.doing) {
        // The kernel counts a FIN as a byte. A receive does not fail after one; whether one came before a send that fails is not known.
        (libc::ECONNRESET, Doing::Receiving) => Some(Hint::Closed { received: traffic.received, sent: traffic.sent }),
        (libc::ECONNRESET, _) => Some(Hint::Closed { received: None, sent: traffic.sent }),
        // A connection that was refused ends without having been one.
        _ => traffic.was_connected.then_some(Hint::Ended { sent: traffic.sent }),
    }
}

fn is_unix(socket: &Socket) -> bool {
    socket.family() == libc::AF_UNIX
}

fn is_tcp(socket: &Socket) -> bool {
    [libc::AF_INET, libc::AF_INET6].contains(&socket.family())
        && socket.kind() == libc::SOCK_STREAM
        && [0, libc::IPPROTO_TCP].contains(&socket.proto())
}

/// A question with texts of its own.
fn owned(question: Question<&CStr>) -> Result<Question<CString>> {
    let own = |text: &CStr| memory::until_nul(text.to_bytes());
    let own_if_any = |text: Option<&CStr>| text.map(own).transpose();
    Ok(match question {
        Question::Addresses { host, service, family } => {
            Question::Addresses { host: own_if_any(host)?, service: own_if_any(service)?, family }
        }
        Question::Names(ip) => Question::Names(ip),
        Question::Service(name, protocol) => Question::Service(own(name)?, own_if_any(protocol)?),
        Question::Port(port, protocol) => Question::Port(port, own_if_any(protocol)?),
        Question::Protocol(name) => Question::Protocol(own(name)?),
        Question::Interface(name) => Question::Interface(own(name)?),
        Question::InterfaceNumber(number) => Question::InterfaceNumber(number),
    })
}
