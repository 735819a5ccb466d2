//! Waiting for a word to change.
//!
//! There is no `futex(2)`, and the condition variables of Rust and of the C library begin to wait again after a signal; they also have a lock,
//! which a child process would find locked if another thread of its parent had it. So this wait sleeps for a moment, looks at the word, and
//! sleeps for longer. It waits for look-ups of names, which take at least as long as the longest sleep. A signal ends the sleep with EINTR.

use std::io;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::syscall;

/// The first sleep and the longest.
const FIRST: Duration = Duration::from_micros(50);
const LONGEST: Duration = Duration::from_millis(2);

/// Waits for another thread to change `word` from `expected`. Returns at once if `word` has another value already, and after `timeout` at the
/// latest. A signal handler ends it with EINTR.
pub fn wait(word: &AtomicU32, expected: u32, timeout: Duration) -> io::Result<()> {
    let start = Instant::now();
    let mut pause = FIRST;
    while word.load(Ordering::Acquire) == expected {
        let left = timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            break;
        }
        sleep(pause.min(left))?;
        pause = LONGEST.min(pause * 2);
    }
    Ok(())
}

/// Ends the waits for `word` of all threads, which is done by its change.
pub fn wake_all(_word: &AtomicU32) {}

/// `nanosleep(2)`, for less than a second.
fn sleep(duration: Duration) -> io::Result<()> {
    let request = libc::timespec { tv_sec: 0, tv_nsec: duration.subsec_nanos().into() };
    // SAFETY: the call reads the time, and is not asked for what is left of it.
    unsafe { syscall!(nanosleep(&raw const request, ptr::null_mut())).map(drop) }
}
