//! When a call begins to wait, and for how long.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;

use super::address;
use super::arguments::Arguments;
use super::attribute;
use super::catalogue::Kind;
use super::event::{Event, Thread};
use super::filter::Subject;
use super::frames::{FRAMES, Receiver, receiver};
use super::line::Line;
use super::recording::{Delivery, can_tell, deliver, lock};
use super::socket_facts::{Facts, key};
use super::thread_name;
use crate::beyond::caller;
use crate::interpreter::number::plain_long;
use crate::interpreter::observe::Call;
use crate::name;
use crate::sys::thread;
use crate::sys::wait::{Direction, poll};

/// The thread is about to detach. If its call has to wait, that is told.
pub fn detaches(py: Python<'_>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let running = FRAMES.with(|frames| {
            let frames = frames.borrow();
            frames.last().map(|frame| (frame.call, frame.kind, frame.name, frame.is_tls, frame.began, frame.is_told))
        });
        let Some((call, kind, name, is_tls, began, is_told)) = running else { return };
        // SAFETY: the call is on the stack of this thread until its frame is popped, which this function does not outlive.
        let call = unsafe { &*call };
        let waits = may_wait(py, kind, name, call);
        if waits && !is_told && can_tell() {
            deliver(py, tell_wait(py, call, kind, name, is_tls, began));
        }
        FRAMES.with(|frames| {
            if let Some(frame) = frames.borrow_mut().last_mut() {
                frame.is_told |= waits;
                // What OpenSSL does in the meantime is not known: it counts as waiting if the socket was not ready.
                frame.detached = (waits || !is_tls).then(Instant::now);
            }
        });
    }));
}

/// The thread is attached again.
pub fn attached(_py: Python<'_>) {
    FRAMES.with(|frames| {
        if let Ok(mut frames) = frames.try_borrow_mut()
            && let Some(frame) = frames.last_mut()
            && let Some(detached) = frame.detached.take()
        {
            frame.waited += detached.elapsed();
        }
    });
}

/// Whether a call that detaches is going to wait, as far as can be told.
fn may_wait(py: Python<'_>, kind: Kind, name: &str, call: &Call<'_, '_>) -> bool {
    let direction = match kind {
        Kind::Makes if name == "accept" => Direction::Read,
        Kind::Address => return name.starts_with("connect") && blocks(call) && is_stream(call),
        Kind::ReadTls if has_pending(call) => return false,
        Kind::ReadTls
        | Kind::Receive
        | Kind::ReceiveFrom
        | Kind::ReceiveInto
        | Kind::ReceiveFromInto
        | Kind::ReceiveMessage
        | Kind::ReceiveMessageInto => Direction::Read,
        Kind::Send | Kind::SendAll | Kind::SendTo | Kind::SendMessage | Kind::SendFile => Direction::Write,
        Kind::Plain if name == "do_handshake" => Direction::Read,
        Kind::Plain => return name.starts_with("get") && receiver(call).is_none(),
        _ => return false,
    };
    let Some(socket) = receiver(call).filter(|_| blocks(call)) else { return false };
    let is_ready = socket.socket().descriptor().attached(py, |fd| poll(fd, direction, Some(Duration::ZERO)));
    !is_ready.unwrap_or(true)
}

/// Whether native TLS has plain text that was not read yet.
fn has_pending(call: &Call<'_, '_>) -> bool {
    let Some(connection) = attribute::own(&call.receiver, name!("_sslobj")) else { return true };
    // SAFETY: an object has a class, whose name is a C string.
    let class = unsafe { CStr::from_ptr((*ffi::Py_TYPE(connection.as_ptr())).tp_name) };
    if class != c"_ssl._SSLSocket" {
        return true;
    }
    let pending = name!(call.receiver.py(), "pending").and_then(|name| Ok(connection.call_method0(name)?));
    match pending {
        Ok(pending) => plain_long(&pending) != Some(0),
        Err(error) => {
            error.discard(call.receiver.py());
            true
        }
    }
}

fn is_stream(call: &Call<'_, '_>) -> bool {
    receiver(call).is_some_and(|socket| socket.socket().kind() == libc::SOCK_STREAM)
}

fn blocks(call: &Call<'_, '_>) -> bool {
    receiver(call).is_some_and(|socket| !socket.socket().timeout().is_zero())
}

fn tell_wait(
    py: Python<'_>,
    call: &Call<'_, '_>,
    kind: Kind,
    name: &str,
    is_tls: bool,
    began: Instant,
) -> Vec<Delivery> {
    let arguments = Arguments::of(call);
    let caller = caller::here(py);
    let thread = thread_name::current(py);
    let socket = receiver(call);
    let socket = socket.as_ref().map(Receiver::socket);
    let given = arguments.positional.first().filter(|_| kind == Kind::Address);
    let given = given.and_then(address::host_and_port);
    let limit = lock().state().limit();
    let mut text = Line::default();
    arguments.write(&mut text, name, kind, limit);
    let mut locked = lock();
    let state = locked.state();
    let facts = socket.and_then(|socket| state.sockets.get(&key(socket)));
    let (number, fd) = (facts.map(|facts| facts.number), facts.map(|facts| facts.fd));
    let event = Event {
        began,
        thread: Thread { id: thread::Id::current().number(), name: &thread },
        socket: number,
        fd,
        call: name,
        arguments: text.text().unwrap_or("…"),
        caller: caller.as_deref(),
        is_tls,
        outcome: None,
    };
    let addresses = facts.map_or([None, None], |facts| [facts.local.clone(), facts.peer.clone()]);
    let subject = Subject {
        family_and_kind: facts.map(Facts::family_and_kind),
        addresses: [addresses[0].as_ref(), addresses[1].as_ref()],
        given: given.as_ref().map(|(host, port)| (host.as_str(), *port)),
        path: None,
        fd,
        thread: &thread,
        call: name,
        has_failed: false,
    };
    let deliveries = state.tell(&event, &subject, socket.map(key), &[]);
    // What refers to objects is dropped after it.
    drop(locked);
    deliveries
}
