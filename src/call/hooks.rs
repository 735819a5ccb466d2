//! The seam for notes on errors: what is called when a call has failed, when a socket was bound, and when such a socket is closed.
//!
//! The code that the hooks call is above this room. A call that succeeds does not come here, except for `bind` and `listen`, and for a
//! look at the clock in calls that take microseconds.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use pyo3::prelude::*;

use super::failure::{Call, Doing, Failure};
use super::socket::Socket;
use super::watch::is_watched;
use crate::error::Error;

/// What is called.
#[derive(Clone, Copy, Debug)]
pub struct Hooks {
    /// For a call that has failed with this error. Returns the error to raise.
    pub failed: fn(Python<'_>, Error, Failure<'_, '_>) -> Error,
    /// For a socket that was bound, or listens.
    pub bound: fn(Python<'_>, &Socket),
    /// For a socket that was bound, before its number can name another file.
    pub unbound: fn(Python<'_>, &Socket),
}

static HOOKS: OnceLock<Hooks> = OnceLock::new();
static ON: AtomicBool = AtomicBool::new(false);

/// Sets what is called. Only the first call has an effect.
pub fn set(hooks: Hooks) {
    let _first_wins = HOOKS.set(hooks);
}

/// Switches notes on or off; returns whether they were on.
pub fn switch(on: bool) -> bool {
    ON.swap(on, Ordering::Relaxed)
}

/// Whether notes are on.
pub fn are_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// The time, for a call whose failure tells how long it took; `None` if notes are off.
pub fn now() -> Option<Instant> {
    are_on().then(Instant::now)
}

/// The time, for a call that can end at a deadline of its thread; `None` if there is no deadline. (A socket's own timeout tells how long
/// a call has waited.)
pub fn now_if_watched() -> Option<Instant> {
    if is_watched() { now() } else { None }
}

/// The error of a call that has failed, with a note if notes are on.
#[cold]
#[inline(never)]
pub fn failed(py: Python<'_>, error: Error, failure: Failure<'_, '_>) -> Error {
    match HOOKS.get() {
        Some(hooks) if are_on() => (hooks.failed)(py, error, failure),
        _ => error,
    }
}

/// The error of a call that has used up its time between two system calls.
#[cold]
pub fn timed_out(py: Python<'_>, socket: &Socket, doing: Doing) -> Error {
    failed(py, Error::TimedOut, Failure::Call(Call::new(socket, doing)))
}

/// A socket was bound, or listens.
pub fn bound(py: Python<'_>, socket: &Socket) {
    if are_on()
        && let Some(hooks) = HOOKS.get()
    {
        (hooks.bound)(py, socket);
    }
}

/// A socket is about to give its number up.
#[inline]
pub fn unbound(py: Python<'_>, socket: &Socket) {
    if socket.is_recorded() {
        forget(py, socket);
    }
}

#[cold]
#[inline(never)]
fn forget(py: Python<'_>, socket: &Socket) {
    socket.set_recorded(false);
    if let Some(hooks) = HOOKS.get() {
        (hooks.unbound)(py, socket);
    }
}
