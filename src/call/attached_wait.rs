//! A short wait without detaching, where a detached one would cost far more: beside a thread that computes.
//!
//! A thread that detaches for a receive gets the interpreter back only when a computing thread gives it away, 5 ms later, even if the data
//! comes after 20 µs. So it stays attached for a moment, in `ppoll`. It does so only where this pays and harms nobody:
//!
//! - threads have waited long for the interpreter of late ([`contention`]). Where nobody computes, nothing is different;
//! - the last waits on this socket were short ([`turnaround`](super::turnaround));
//! - the thread's work since its last wait was short: one whose requests take long gains little;
//! - the time that threads keep in this way is less than their [`allowance`](super::allowance). What counts is all the time from one wait
//!   to the next, the work between them included: without the wait, another thread would have had it. It also counts where a thread has
//!   detached and was faster than those who wait for the interpreter;
//! - no other thread, whose call is over, waits for the interpreter. If one does, data that is there is taken, but not waited for;
//! - no signal handler is due.
//!
//! `docs/architecture.md` has the whole model. Without a GIL there is none of it.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyo3::prelude::*;

use super::allowance::Allowance;
use super::contention::{self, Reattaching};
use super::deadline::Deadline;
use super::moment::Moment;
use super::socket::Socket;
use super::turn;
use super::turnaround::SOON;
use crate::error::{Error, Result};
use crate::interpreter::{observe, signals};
use crate::sys::wait::{Direction, poll_briefly};

/// The longest work between two waits, in nanoseconds. Work that takes longer has lost the interpreter meanwhile, or needs so much of it
/// that a wait of 5 ms hardly matters.
const WORK: u64 = 1_000_000;

static ALLOWANCE: Allowance = Allowance::new();

/// Whether the system has refused the wait.
static REFUSED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Since when this thread has kept the interpreter from others by a wait, if it has.
    static KEPT_SINCE: Cell<Option<Moment>> = const { Cell::new(None) };
}

/// Waits attached until a receive or an accept is likely to succeed, if that is worthwhile. Whether it is likely to.
pub fn is_soon_ready(py: Python<'_>, socket: &Socket, deadline: Deadline) -> Result<bool> {
    if !contention::is_possible() || matches!(deadline, Deadline::Now) || !socket.turnaround().is_short() {
        return Ok(false);
    }
    if REFUSED.load(Ordering::Relaxed) {
        return Ok(false);
    }
    let now = Moment::now();
    if !contention::is_high(now) {
        return Ok(false);
    }
    // The policy is asked for each receive, for as long as there is contention: a ready one counts too.
    socket.predictor(Direction::Read).pause();
    let worked = count_kept(now);
    ALLOWANCE.fill(now);
    if worked > WORK || !ALLOWANCE.is_left() || turn::is_over(py) {
        return Ok(false);
    }
    signals::run_handlers(py)?;
    let waiting = observe::before_detaching(py);
    let limit = if contention::others_wait() { Duration::ZERO } else { limit(deadline) };
    let ready = waiting.stay(py, || socket.descriptor().attached(py, |fd| poll_briefly(fd, Direction::Read, limit)));
    match ready {
        Ok(true) => {
            socket.turnaround().hit();
            let _ = KEPT_SINCE.try_with(|since| since.set(Some(now)));
            Ok(true)
        }
        Ok(false) => {
            ALLOWANCE.spend(Moment::now().since(now));
            if !limit.is_zero() {
                socket.turnaround().miss();
            }
            Ok(false)
        }
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
            signals::run_handlers(py)?;
            Ok(false)
        }
        Err(error) if error.raw_os_error() == Some(libc::EBADF) => Err(Error::from(error)),
        Err(_) => {
            // A policy that allows `poll` may refuse `ppoll`. The call waits without it.
            REFUSED.store(true, Ordering::Relaxed);
            Ok(false)
        }
    }
}

/// How long a wait may last.
fn limit(deadline: Deadline) -> Duration {
    let limit = Duration::from_nanos(SOON);
    match deadline {
        Deadline::At(instant) => limit.min(instant.saturating_duration_since(std::time::Instant::now())),
        Deadline::Now | Deadline::Never => limit,
    }
}

/// Whether this thread keeps the interpreter by short waits, and may go on with that: then its answers are sent attached as well.
#[cold]
pub fn goes_on() -> bool {
    contention::is_possible()
        && KEPT_SINCE.try_with(Cell::get).is_ok_and(|since| since.is_some())
        && ALLOWANCE.is_left()
}

/// When a call has ended, for the last time that it was made. Nothing where nobody asks.
pub struct Ended(Option<Moment>);

impl Ended {
    /// Makes the call.
    pub fn after<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let result = call();
        if let Some(ended) = &mut self.0 {
            *ended = Moment::now();
        }
        result
    }
}

/// Makes a call that waits detached, and learns from how long it has waited.
pub fn learn<T>(socket: &Socket, call: impl FnOnce(&mut Ended) -> T) -> T {
    let began = contention::is_possible().then(Moment::now);
    let mut ended = Ended(began);
    let result = call(&mut ended);
    if let (Some(began), Some(ended)) = (began, ended.0) {
        socket.turnaround().waited(ended.since(began));
    }
    result
}

/// The thread is about to detach: what it has kept until now counts.
#[inline]
pub fn ends() {
    if contention::is_possible() {
        count_kept(Moment::now());
    }
}

/// The thread is attached again.
pub fn reattached(py: Python<'_>, reattaching: Reattaching) {
    if let Some((now, has_waited_long)) = reattaching.end(py)
        && !has_waited_long
        && contention::is_possible()
    {
        // It was faster than those who wait for the interpreter, if anybody does.
        let _ = KEPT_SINCE.try_with(|since| since.set(Some(now)));
    }
}

/// Counts the time that this thread has kept, and ends it. The nanoseconds.
fn count_kept(now: Moment) -> u64 {
    let kept = KEPT_SINCE.try_with(Cell::take).ok().flatten().map_or(0, |since| now.since(since));
    // Work that takes longer has lost the interpreter to another thread meanwhile.
    ALLOWANCE.spend(kept.min(WORK));
    kept
}
