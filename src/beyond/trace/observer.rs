//! What observes the calls: it times them, sees whether they wait, and tells the recordings.
//!
//! It runs no Python code: no `repr`, no comparison, no attribute that a program defines. So a trace does not change what it shows, no signal
//! handler runs in the middle of it, and nothing that it looks at is changed by it. The one exception is the function of
//! `oxisocket.observe`, which is called when all else is done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;

use super::catalogue::{self, Kind, On};
use super::finished::Finished;
use super::frames::{FRAMES, Frame, on, receiver};
use super::known_sockets::know;
use super::native_tls;
use super::recording::{deliver, lock};
use super::socket_facts::{By, key};
use super::waiting::{attached, detaches};
use super::words;
use crate::beyond::caller;
use crate::call::hooks::Ending;
use crate::call::socket::Socket;
use crate::interpreter::observe::{Call, is_unobserved};
use crate::interpreter::saved_exception::SavedException;
use crate::socket::class::is_base;

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
    let began = catch_unwind(AssertUnwindSafe(|| begin(&call, is_tls))).unwrap_or(false);
    // OpenSSL detaches without a word.
    if began && is_tls {
        detaches(py);
    }
    let result = make();
    if began && is_tls {
        attached(py);
    }
    if began {
        let _ = catch_unwind(AssertUnwindSafe(|| finish(&call, result)));
    }
    result
}

/// Whether the call is traced. Then it has a frame.
fn begin(call: &Call<'_, '_>, is_tls: bool) -> bool {
    let name = words::name_of(call.name);
    let on = on(call);
    let found = if is_tls { catalogue::find_tls(name) } else { catalogue::find(on, name) };
    let Some((kind, name)) = found else { return false };
    if on == On::Socket && is_base(&call.receiver) {
        return false; // the halves of a pair, before the package makes sockets of them
    }
    if kind == Kind::New {
        native_tls::see(&call.receiver);
    } else if let Some(socket) = receiver(call) {
        let mut locked = lock();
        know(call.receiver.py(), locked.state(), socket.socket(), By::Found, None);
    }
    FRAMES.with(|frames| {
        let mut frames = frames.borrow_mut();
        // Sockets that a call makes are told with it, and a `with` statement ends with one `close`.
        let is_part = frames
            .last()
            .is_some_and(|outer| matches!((outer.kind, kind), (Kind::Makes, Kind::New) | (Kind::Close, Kind::Close)));
        if is_part || frames.try_reserve(1).is_err() {
            return false;
        }
        let began = Instant::now();
        let call = ptr::from_ref(call).cast();
        frames.push(Frame { call, kind, name, is_tls, began, waited: Duration::ZERO, detached: None, is_told: false });
        true
    })
}

/// Tells a call that has ended.
fn finish(call: &Call<'_, '_>, result: *mut ffi::PyObject) {
    let py = call.receiver.py();
    let Some(frame) = FRAMES.with(|frames| frames.borrow_mut().pop()) else { return };
    // SAFETY: the caller owns the result, which is an object or null, until this function returns.
    let result = unsafe { Bound::from_borrowed_ptr_or_opt(py, result) };
    // No exception is set while this function runs; then it is the current one again.
    let mut exception = SavedException::take(py);
    let error = exception.value();
    let deliveries = Finished { py, call, frame: &frame, result: result.as_ref(), error: error.as_ref() }.tell();
    deliver(py, deliveries);
    drop(exception);
}

/// A socket gives its number up.
pub fn ends(py: Python<'_>, socket: &Socket, ending: Ending) {
    if is_unobserved() {
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
        let is_told = FRAMES.with(|frames| frames.borrow().last().is_some_and(|frame| frame.kind == Kind::Close));
        let deliveries = lock().state().tell_close(key(socket), by, caller.as_deref(), is_told);
        deliver(py, deliveries);
        drop(exception);
    }));
}

/// The memory of a socket is freed.
pub fn freed(socket: &Socket) {
    lock().state().sockets.remove(&key(socket));
}
