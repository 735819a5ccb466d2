//! When a call begins to wait, and for how long.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::arguments::Arguments;
use super::catalogue::Kind;
use super::described::{Described, Which};
use super::frames::{FRAMES, Frame, receiver};
use super::recording::{Delivery, deliver, lock};
use super::socket_facts::key;
use crate::error::Error;
use crate::interpreter::number::plain_long;
use crate::interpreter::observe::Call;
use crate::name;
use crate::sys::wait::{Direction, poll};

/// The thread is about to detach. If its call has to wait, that is told.
pub fn detaches(py: Python<'_>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let frame = with_frame(|frame| (frame.which, frame.is_told));
        let Some((which, is_told)) = frame else { return };
        // SAFETY: the call is on the stack of this thread until its frame is popped.
        let call = unsafe { &*which.call };
        let waits = may_wait(py, which, call);
        if waits && !is_told {
            with_frame(|frame| frame.is_told = true);
            deliver(py, tell_wait(py, call, which));
        }
        // What OpenSSL does in the meantime is not known: it counts as waiting if the socket was not ready.
        if waits || !which.is_tls {
            with_frame(|frame| frame.detached = Some(Instant::now()));
        }
    }));
}

/// Calls a function with the frame of the innermost call. No other code runs meanwhile.
fn with_frame<T>(function: impl FnOnce(&mut Frame) -> T) -> Option<T> {
    FRAMES.with(|frames| frames.borrow_mut().last_mut().map(function))
}

/// The thread is attached again.
pub fn attached(_py: Python<'_>) {
    with_frame(|frame| {
        if let Some(detached) = frame.detached.take() {
            frame.waited += detached.elapsed();
        }
    });
}

/// Whether a call that detaches is going to wait, as far as can be told.
fn may_wait(py: Python<'_>, which: Which, call: &Call<'_, '_>) -> bool {
    let Which { kind, name, .. } = which;
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
    let pending = || {
        let py = call.receiver.py();
        let connection = call.receiver.getattr_opt(name!(py, "_sslobj")?)?.filter(|connection| !connection.is_none());
        let pending = connection.map(|connection| connection.call_method0(name!(py, "pending")?).map_err(Error::from));
        pending.transpose()
    };
    match pending() {
        Ok(pending) => pending.as_ref().and_then(plain_long) != Some(0),
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

fn tell_wait(py: Python<'_>, call: &Call<'_, '_>, which: Which) -> Vec<Delivery> {
    let arguments = Arguments::of(call);
    let socket = receiver(call).map(|receiver| key(receiver.socket()));
    let limit = lock().state().limit();
    let described = Described::new(py, which, &arguments, arguments.target(which.kind), limit);
    described.tell(lock().state(), socket, None, &[])
}
