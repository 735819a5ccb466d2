//! The times in a trace: nanoseconds since 1970 that never run backwards within a process.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The same moment by both clocks.
struct Anchor {
    monotonic: Instant,
    since_1970: u64,
}

/// Nanoseconds since 1970.
pub fn nanoseconds(at: Instant) -> u64 {
    static ANCHOR: OnceLock<Anchor> = OnceLock::new();
    let anchor = ANCHOR.get_or_init(|| {
        let monotonic = Instant::now();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Anchor { monotonic, since_1970: u64::try_from(since_1970).unwrap_or(u64::MAX) }
    });
    let distance = |from: Instant, to: Instant| u64::try_from((to - from).as_nanos()).unwrap_or(u64::MAX);
    if at >= anchor.monotonic {
        anchor.since_1970.saturating_add(distance(anchor.monotonic, at))
    } else {
        anchor.since_1970.saturating_sub(distance(at, anchor.monotonic))
    }
}
