//! What a case is.

use std::io;
use std::time::Duration;

/// Does so many rounds, and says how long they took.
pub type Case = Box<dyn FnMut(u64) -> io::Result<Duration>>;
