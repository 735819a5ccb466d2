//! When a call begins to wait, and for how long.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;

use super::attribute;
use super::catalogue::Kind;
use super::described::Described;
use super::frames::{socket_of, with_frame, with_innermost};
use super::sink::deliver;
use super::socket_facts::key;
use super::state::can_tell;
use crate::interpreter::number::plain_long;
use crate::name;
use crate::sys::wait::{Direction, poll};

/// The thread is about to detach. If its call has to wait, that is told.
pub fn detaches(py: Python<'_>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let running =
            with_innermost(|frame| Some((frame.number, frame.receiver, frame.is_told, frame.described.take()?)));
        let Some((number, receiver, is_told, described)) = running.flatten() else { return };
        // SAFETY: the receiver lives as long as the frame is in the list, and the call does not end before this function.
        let receiver = unsafe { Bound::from_borrowed_ptr(py, receiver) };
        let waits = may_wait(py, &described, &receiver);
        let is_tls = described.is_tls;
        let socket = socket_of(&receiver).map(|socket| key(socket.socket()));
        let deliveries = if waits && !is_told && can_tell() { described.tell_wait(socket) } else { Vec::new() };
        with_frame(number, |frame| {
            frame.described = Some(described);
            frame.is_told |= waits;
        });
        deliver(py, deliveries);
        // What OpenSSL does in the meantime is not known: it counts as waiting if the socket was not ready.
        with_frame(number, |frame| frame.detached = (waits || !is_tls).then(Instant::now));
    }));
}

/// The thread is attached again.
pub fn attached(_py: Python<'_>) {
    with_innermost(|frame| {
        if let Some(detached) = frame.detached.take() {
            frame.waited += detached.elapsed();
        }
    });
}

/// Whether a call that detaches is going to wait, as far as can be told.
fn may_wait(py: Python<'_>, described: &Described, receiver: &Bound<'_, PyAny>) -> bool {
    let name = described.name;
    let direction = match described.kind {
        Kind::Makes if name == "accept" => Direction::Read,
        Kind::Address => return name.starts_with("connect") && blocks(receiver) && is_stream(receiver),
        Kind::ReadTls if has_pending(receiver) => return false,
        Kind::ReadTls
        | Kind::Receive
        | Kind::ReceiveFrom
        | Kind::ReceiveInto
        | Kind::ReceiveFromInto
        | Kind::ReceiveMessage
        | Kind::ReceiveMessageInto => Direction::Read,
        Kind::Send | Kind::SendAll | Kind::SendTo | Kind::SendMessage | Kind::SendFile => Direction::Write,
        Kind::Plain if name == "do_handshake" => Direction::Read,
        Kind::Plain => return name.starts_with("get") && socket_of(receiver).is_none(),
        _ => return false,
    };
    let Some(socket) = socket_of(receiver).filter(|_| blocks(receiver)) else { return false };
    let is_ready = socket.socket().descriptor().attached(py, |fd| poll(fd, direction, Some(Duration::ZERO)));
    !is_ready.unwrap_or(true)
}

/// Whether native TLS has plain text that was not read yet.
fn has_pending(receiver: &Bound<'_, PyAny>) -> bool {
    let Some(connection) = attribute::own(receiver, name!("_sslobj")) else { return true };
    // SAFETY: an object has a class, whose name is a C string.
    let class = unsafe { CStr::from_ptr((*ffi::Py_TYPE(connection.as_ptr())).tp_name) };
    if class != c"_ssl._SSLSocket" {
        return true;
    }
    let pending = name!(receiver.py(), "pending").and_then(|name| Ok(connection.call_method0(name)?));
    match pending {
        Ok(pending) => plain_long(&pending) != Some(0),
        Err(error) => {
            error.discard(receiver.py());
            true
        }
    }
}

fn is_stream(receiver: &Bound<'_, PyAny>) -> bool {
    socket_of(receiver).is_some_and(|socket| socket.socket().kind() == libc::SOCK_STREAM)
}

fn blocks(receiver: &Bound<'_, PyAny>) -> bool {
    socket_of(receiver).is_some_and(|socket| !socket.socket().timeout().is_zero())
}
