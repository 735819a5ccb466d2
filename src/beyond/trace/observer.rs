//! What observes the calls: it times them, sees whether they wait, and tells the recordings.
//!
//! It runs no Python code: no `repr`, no comparison, no attribute that a program defines. So a trace does not change what it shows, no signal
//! handler runs in the middle of it, and nothing that it looks at is changed by it. The one exception is the function of
//! `oxisocket.observe`, which is called when all else is done.
//!
//! An object that is made may start the garbage collector, and that may run finalizers, which may call sockets. So no object is made while
//! the lock, or the list of frames, is held.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use super::arguments::Arguments;
use super::catalogue::{self, Kind, On};
use super::closing::Closing;
use super::data;
use super::described::Described;
use super::event::Thread;
use super::finished::Finished;
use super::frames::{enter, leave, on, socket_of, with_innermost};
use super::known_sockets::know;
use super::native_tls;
use super::sink::deliver;
use super::socket_facts::{By, key};
use super::state::{can_tell, lock};
use super::thread_name;
use super::waiting::{attached, detaches};
use super::words;
use crate::beyond::caller;
use crate::call::hooks::Ending;
use crate::call::socket::Socket;
use crate::interpreter::observe::{Call, Progress, is_unobserved};
use crate::interpreter::saved_exception::SavedException;
use crate::socket::class::is_base;
use crate::sys::thread;

/// Makes a call, and tells it.
pub fn observe(call: Call<'_, '_>, make: &mut dyn FnMut() -> *mut ffi::PyObject) -> *mut ffi::PyObject {
    observe_as(call, false, make)
}

/// The same for a method of native TLS.
pub fn observe_tls(call: Call<'_, '_>, make: &mut dyn FnMut() -> *mut ffi::PyObject) -> *mut ffi::PyObject {
    observe_as(call, true, make)
}

fn observe_as(call: Call<'_, '_>, is_tls: bool, make: &mut dyn FnMut() -> *mut ffi::PyObject) -> *mut ffi::PyObject {
    // A panic in here must not reach the program: the call is made in any case.
    let py = call.receiver.py();
    let Some(number) = catch_unwind(AssertUnwindSafe(|| begin(&call, is_tls))).unwrap_or(None) else {
        return make();
    };
    // OpenSSL detaches without a word.
    if is_tls {
        detaches(py);
    }
    let result = make();
    if is_tls {
        attached(py);
    }
    let _ = catch_unwind(AssertUnwindSafe(|| finish(&call, number, result)));
    result
}

/// The number of the call's frame, if the call is traced.
fn begin(call: &Call<'_, '_>, is_tls: bool) -> Option<u64> {
    let py = call.receiver.py();
    let name = words::name_of(call.name);
    let on = on(&call.receiver);
    let (kind, name) = if is_tls { catalogue::find_tls(name) } else { catalogue::find(on, name) }?;
    if on == On::Socket && is_base(&call.receiver) {
        return None; // the halves of a pair, before the package makes sockets of them
    }
    if kind == Kind::New {
        native_tls::see(&call.receiver);
    } else if let Some(socket) = socket_of(&call.receiver) {
        let makes = with_innermost(|outer| outer.kind == Kind::Makes).unwrap_or(false);
        let mut locked = lock();
        let state = locked.state();
        if makes && matches!(name, "setblocking" | "settimeout") && !state.sockets.contains_key(&key(socket.socket())) {
            return None; // `dup` and `accept` give it to the socket that they are making
        }
        know(py, state, socket.socket(), By::Found, None);
    }
    if !can_tell() {
        return None;
    }
    let arguments = if kind == Kind::Close { Arguments::none() } else { Arguments::of(call) };
    let is_made_from_descriptor = kind == Kind::New && arguments.get(3, "fileno").is_some();
    let described = Described::new(py, kind, name, is_tls, &arguments);
    let receiver = call.receiver.as_ptr();
    // The socket that a call makes is told with it, and a `with` statement ends with one `close`.
    enter(receiver, described, |outer| match (outer.kind, kind) {
        (Kind::Makes, Kind::New) => is_made_from_descriptor,
        (Kind::Close, Kind::Close) => outer.receiver == receiver,
        _ => false,
    })
}

/// A call says something of itself.
pub fn progresses(receiver: Borrowed<'_, '_, PyAny>, progress: Progress<'_>) {
    let limit = match progress {
        Progress::Received(_) | Progress::ReceivedAll(_) => lock().state().limit(),
        _ => 0,
    };
    with_innermost(|frame| {
        if !ptr::eq(frame.receiver, receiver.as_ptr()) {
            return;
        }
        match progress {
            Progress::InParts => frame.said.in_parts = true,
            Progress::Sent(count) => frame.said.sent = Some(count),
            Progress::Received(bytes) | Progress::ReceivedAll(bytes) => {
                frame.said.received = Some(bytes.len() as u64);
                frame.said.is_eof = matches!(progress, Progress::ReceivedAll(_));
                data::copy(bytes, limit, &mut frame.said.data);
            }
        }
    });
}

/// Tells a call that has ended.
fn finish(call: &Call<'_, '_>, number: u64, result: *mut ffi::PyObject) {
    let py = call.receiver.py();
    let Some(mut frame) = leave(number) else { return };
    let Some(described) = frame.described.take().filter(|_| can_tell()) else { return };
    // SAFETY: the caller owns the result, which is an object or null, until this function returns.
    let result = unsafe { Bound::from_borrowed_ptr_or_opt(py, result) };
    // No exception is set while this function runs; then it is the current one again.
    let mut exception = SavedException::take(py);
    let error = exception.value();
    let finished =
        Finished { py, call, described: &described, frame: &frame, result: result.as_ref(), error: error.as_ref() };
    deliver(py, finished.tell());
    drop(exception);
}

/// A socket gives its number up.
pub fn ends(py: Python<'_>, socket: &Socket, ending: Ending) {
    if is_unobserved() && ending != Ending::Finalized {
        lock().state().forget_descriptor(key(socket));
        return;
    }
    if !can_tell() {
        lock().state().forget_descriptor(key(socket));
        return;
    }
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let by = match ending {
            Ending::Closed => "close",
            Ending::Detached => "detach",
            Ending::Finalized => "finalizer",
        };
        // A finalizer runs with whatever exception the program is handling.
        let exception = SavedException::take(py);
        let caller = if ending == Ending::Finalized { None } else { caller::here(py) };
        let thread = thread_name::current(py);
        let is_told = with_innermost(|frame| frame.kind == Kind::Close && ending != Ending::Finalized);
        let close = Closing {
            by,
            thread: Thread { id: thread::Id::current().number(), name: &thread },
            caller: caller.as_deref(),
            is_told: is_told.unwrap_or(false),
        };
        let deliveries = lock().state().tell_close(key(socket), close);
        deliver(py, deliveries);
        drop(exception);
    }));
}

/// The memory of a socket is freed.
pub fn freed(socket: &Socket) {
    lock().state().forget(key(socket));
}
