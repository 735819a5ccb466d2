//! PROTOTYPE
use std::cell::Cell;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::deadline::Deadline;
use super::socket::Socket;
use super::transfer::{Attempt, Transfer};
use crate::error::Result;
use crate::interpreter::signals;
use crate::sys::wait::poll_briefly;

struct Knobs {
    limit: u64,
    share: i64,
    cap: i64,
    slow: u64,
    horizon: u64,
    work: u64,
    min_quick: u64,
}
fn knobs() -> &'static Knobs {
    static K: OnceLock<Knobs> = OnceLock::new();
    K.get_or_init(|| {
        let get = |name: &str, default: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
        Knobs {
            limit: get("K_LIMIT", 200) * 1000,
            share: get("K_SHARE", 20) as i64,
            cap: get("K_CAP", 6000) as i64 * 1000,
            slow: get("K_SLOW", 1000) * 1000,
            horizon: get("K_HORIZON", 100) * 1_000_000,
            work: get("K_WORK", 1000) * 1000,
            min_quick: get("K_QUICK", 200) * 1000,
        }
    })
}
fn base() -> Instant {
    static B: OnceLock<Instant> = OnceLock::new();
    *B.get_or_init(Instant::now)
}
pub fn now() -> u64 {
    base().elapsed().as_nanos() as u64 + 1
}
static LAST_SLOW: AtomicU64 = AtomicU64::new(0);
static LEFT: AtomicI64 = AtomicI64::new(0);
static FILLED: AtomicU64 = AtomicU64::new(0);
pub static STAT: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];
thread_local! { static SINCE: Cell<u64> = const { Cell::new(0) }; }

pub fn contended(now: u64) -> bool {
    let last = LAST_SLOW.load(Relaxed);
    last != 0 && now - last.min(now) < knobs().horizon
}
fn charge(now: u64) -> u64 {
    let since = SINCE.with(|s| s.replace(0));
    if since == 0 {
        return 0;
    }
    let took = now - since.min(now);
    LEFT.fetch_sub(took.min(knobs().work) as i64, Relaxed);
    took
}
fn refill(now: u64) {
    let filled = FILLED.swap(now, Relaxed);
    let more = (now - filled.min(now)) as i64 / 100 * knobs().share;
    LEFT.store((LEFT.load(Relaxed) + more).min(knobs().cap), Relaxed);
}

/// A detached call: began, ended, reattached.
pub fn detached(socket: &Socket, began: u64, ended: u64, now: u64) {
    if now - ended > knobs().slow {
        LAST_SLOW.store(now, Relaxed);
    }
    socket.quick().store(u8::from(ended - began < knobs().min_quick), Relaxed);
    STAT[0].fetch_add(1, Relaxed);
    STAT[1].fetch_add(u64::from(ended - began < knobs().min_quick), Relaxed);
}
pub fn detaches() -> u64 {
    let now = now();
    charge(now);
    now
}

pub fn transfer(
    py: Python<'_>,
    socket: &Socket,
    wanted: Transfer,
    deadline: Deadline,
    attempt: &mut dyn Attempt,
) -> Result<Option<usize>> {
    if wanted.direction != crate::sys::wait::Direction::Read { return Ok(None); }
    if matches!(deadline, Deadline::Now) || !wanted.may_be_attempted() || socket.predictor(wanted.direction).is_disabled() {
        return Ok(None);
    }
    if LAST_SLOW.load(Relaxed) == 0 {
        return Ok(None);
    }
    let began = now();
    if !contended(began) || socket.quick().load(Relaxed) == 0 {
        return Ok(None);
    }
    let worked = charge(began);
    refill(began);
    STAT[2].fetch_add(1, Relaxed);
    if worked > knobs().work {
        STAT[3].fetch_add(1, Relaxed);
        return Ok(None);
    }
    if LEFT.load(Relaxed) <= 0 {
        STAT[4].fetch_add(1, Relaxed);
        return Ok(None);
    }
    signals::run_handlers(py)?;
    SINCE.with(|s| s.set(began));
    let limit = Duration::from_nanos(knobs().limit);
    let result = socket.descriptor().attached(py, |fd| {
        if poll_briefly(fd, wanted.direction, limit)? {
            attempt(fd, wanted.flags | libc::MSG_DONTWAIT, 0)
        } else {
            Err(io::Error::from(io::ErrorKind::WouldBlock))
        }
    });
    match result {
        Ok(count) => {
            STAT[5].fetch_add(1, Relaxed);
            Ok(Some(count))
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            signals::run_handlers(py)?;
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            STAT[6].fetch_add(1, Relaxed);
            socket.quick().store(0, Relaxed);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
