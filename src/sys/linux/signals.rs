//! Signals that may interrupt a thread, and whether a thread has one blocked.

use std::ffi::c_int;
use std::fs::File;
use std::io::{Read, Write};

use super::task::Number;

/// The signals that no program uses unless it says so, the best first: the highest, because programs number theirs from SIGRTMIN up. Their
/// default action ends the process.
pub fn unused() -> impl Iterator<Item = c_int> {
    (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev()
}

/// Whether a thread blocks the signal, as `/proc` shows; false if that cannot be read.
pub fn has_blocked(thread: Number, signal: c_int) -> bool {
    let mut buffer = [0; 4096];
    let mask = status(thread, &mut buffer).and_then(signals_blocked).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}

/// What `/proc` says of a thread, as far as there is room for it. Nothing is allocated: there may be no memory.
fn status(thread: Number, buffer: &mut [u8]) -> Option<&[u8]> {
    let mut path = [0; 64];
    let mut rest = &mut path[..];
    write!(rest, "/proc/self/task/{thread}/status").ok()?;
    let unused = rest.len();
    let path = std::str::from_utf8(&path[..path.len() - unused]).ok()?;
    let mut file = File::open(path).ok()?;
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]).ok()? {
            0 => break,
            count => filled += count,
        }
    }
    Some(&buffer[..filled])
}

/// The set of blocked signals in the status of a thread: bit 0 stands for signal 1.
fn signals_blocked(status: &[u8]) -> Option<u64> {
    let mask = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"SigBlk:"))?;
    u64::from_str_radix(std::str::from_utf8(mask).ok()?.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::linux::task;
    use crate::sys::wake::without_signals;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no signals")]
    fn a_blocked_signal_is_recognised() {
        let signal = libc::SIGRTMIN();
        let this = task::current();
        assert!(!has_blocked(this, signal));
        without_signals(|| assert!(has_blocked(this, signal)));
        without_signals(|| assert!(!has_blocked(0, signal), "cannot be read"));
    }
}
