//! `futex(2)`: waiting for a word to change.
//!
//! The condition variables of Rust and of the C library begin to wait again after a signal. This wait ends with EINTR, so that the caller
//! can run signal handlers.

use std::io;
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Waits for another thread to change `word` from `expected` and to call [`wake_all`]. Returns at once if `word` has another value already,
/// and after `timeout` at the latest. It may also return early without a reason. A signal handler ends it with EINTR.
///
/// There is always a timeout, because without one the kernel restarts the wait after a handler that was installed with `SA_RESTART`.
pub fn wait(word: &AtomicU32, expected: u32, timeout: Duration) -> io::Result<()> {
    #[cfg_attr(
        target_env = "musl",
        expect(deprecated, reason = "the crate announces the width that time_t has had since musl 1.2")
    )]
    let timeout = libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().cast_signed().into(),
    };
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word and the time live as long as the call, which only reads them.
    let answer = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, expected, &raw const timeout) };
    if answer == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::ETIMEDOUT) => Ok(()),
        _ => Err(error),
    }
}

/// Ends the waits for `word` of all threads.
pub fn wake_all(word: &AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel uses the address only to find the waits. It fails only for an address that is not aligned.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, i32::MAX, ptr::null::<libc::timespec>()) };
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::thread;
    use std::time::Instant;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_word_that_has_changed_is_not_waited_for() {
        let start = Instant::now();
        wait(&AtomicU32::new(1), 0, LONG).unwrap();
        assert!(start.elapsed() < LONG);
    }

    #[test]
    fn a_wait_ends_after_its_timeout() {
        let start = Instant::now();
        wait(&AtomicU32::new(0), 0, Duration::from_millis(5)).unwrap();
        assert!(start.elapsed() < LONG);
    }

    #[test]
    fn a_wait_ends_when_another_thread_wakes_it() {
        static WORD: AtomicU32 = AtomicU32::new(0);
        let start = Instant::now();
        let waiting = thread::spawn(|| {
            while WORD.load(Ordering::Acquire) == 0 {
                wait(&WORD, 0, LONG).unwrap();
            }
        });
        WORD.store(1, Ordering::Release);
        wake_all(&WORD);
        waiting.join().unwrap();
        assert!(start.elapsed() < LONG);
    }
}
