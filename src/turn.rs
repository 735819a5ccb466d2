//! How much the threads of this process have transferred without letting go of the interpreter.
//!
//! The interpreter's loop asks now and then whether another thread waits, and whether a signal came. But code in C that calls a method
//! in a loop (`BufferedReader.readline` from a fast peer) gives it no turn, and a ready transfer does not detach. So after a number of
//! them one is made detached, and runs the handlers first. The number stands for about the interpreter's switch interval of 5 ms: a
//! thread that waits asks for the interpreter after that time, and to detach gives it away only to one that has asked.
//!
//! Without a GIL nobody waits for it, and nothing is counted.

use std::sync::atomic::{AtomicU32, Ordering};

/// How much has been spent of the turn.
static SPENT: AtomicU32 = AtomicU32::new(0);

/// A turn, in system calls of half a microsecond or so. So many bytes take about as long to copy as a call does by itself.
const TURN: u32 = 8 * 1024;
const BYTES_OF_A_CALL: usize = 4 * 1024;

/// Whether the turn is over.
#[inline]
pub fn is_over() -> bool {
    cfg!(not(Py_GIL_DISABLED)) && SPENT.load(Ordering::Relaxed) >= TURN
}

/// Counts a transfer. With the GIL nobody else counts at the same time.
#[inline]
pub fn spend(bytes: usize) {
    if cfg!(not(Py_GIL_DISABLED)) {
        // It cannot overflow: a transfer that is counted is small, and none is after the end of a turn.
        let cost = 1 + (bytes / BYTES_OF_A_CALL) as u32;
        SPENT.store(SPENT.load(Ordering::Relaxed).wrapping_add(cost), Ordering::Relaxed);
    }
}

/// Begins a turn: the thread detaches.
pub fn begin() {
    SPENT.store(0, Ordering::Relaxed);
}

#[cfg(test)]
#[cfg(not(Py_GIL_DISABLED))]
mod tests {
    use super::*;

    #[test]
    fn a_turn_ends_by_calls_and_by_bytes() {
        begin();
        (1..TURN).for_each(|_| spend(1));
        assert!(!is_over());
        spend(1);
        assert!(is_over());
        begin();
        let transfers = std::iter::repeat_with(|| spend(64 * 1024)).take_while(|()| !is_over()).count();
        assert!((400..600).contains(&transfers));
        begin();
    }
}
