//! Signals that may interrupt a thread, and whether a thread has one blocked.

use std::ffi::c_int;
use std::iter;

use super::task::Number;

/// The signals that no program uses unless it says so. There are no real-time signals; SIGURG is left, which does nothing by default.
pub fn unused() -> impl Iterator<Item = c_int> {
    iter::empty()
}

/// Whether a thread blocks the signal. The system does not tell, and need not: it matters for a signal that ends the process, and here none
/// is sent that could.
pub fn has_blocked(_thread: Number, _signal: c_int) -> bool {
    false
}
