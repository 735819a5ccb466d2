//! The seam for notes on errors, and for traces: what is called when a call has failed, when a socket was bound, and when a socket that
//! someone has written something down about is closed.
//!
//! The code that the hooks call is above this room. A call that succeeds does not come here, except for `bind` and `listen`, and for a
//! look at the clock in calls that take microseconds.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use pyo3::prelude::*;

use super::failure::{Call, Doing, Failure};
use super::socket::{Mark, Socket};
use crate::error::Error;
use crate::interpreter::watch::is_watched;

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

/// What is called for a socket that is traced.
#[derive(Clone, Copy, Debug)]
pub struct TraceHooks {
    /// Before the socket gives its number up.
    pub ends: fn(Python<'_>, &Socket, Ending),
    /// Before its memory is freed.
    pub freed: fn(&Socket),
}

/// How a socket gives its number up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The program has closed it.
    Closed,
    /// The number is the program's now.
    Detached,
    /// Nobody has closed it: its finalizer does.
    Finalized,
}

static TRACE_HOOKS: OnceLock<TraceHooks> = OnceLock::new();

/// Sets what is called for a socket that is traced. Only the first call has an effect.
pub fn set_trace(hooks: TraceHooks) {
    let _first_wins = TRACE_HOOKS.set(hooks);
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
pub fn ends(py: Python<'_>, socket: &Socket, ending: Ending) {
    if socket.is_marked() {
        tell_end(py, socket, ending);
    }
}

#[cold]
#[inline(never)]
fn tell_end(py: Python<'_>, socket: &Socket, ending: Ending) {
    if socket.has_mark(Mark::Bound) {
        socket.set_mark(Mark::Bound, false);
        if let Some(hooks) = HOOKS.get() {
            (hooks.unbound)(py, socket);
        }
    }
    if socket.has_mark(Mark::Traced)
        && socket.descriptor().number() >= 0
        && let Some(hooks) = TRACE_HOOKS.get()
    {
        (hooks.ends)(py, socket, ending);
    }
}

/// The memory of a socket is about to be freed.
#[inline]
pub fn freed(socket: &Socket) {
    if socket.has_mark(Mark::Traced)
        && let Some(hooks) = TRACE_HOOKS.get()
    {
        (hooks.freed)(socket);
    }
}
