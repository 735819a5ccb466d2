//! Whether anything watches calls, such as a deadline of a thread: the one word that a ready call looks at.
//!
//! While nothing watches, this costs a ready call a load and a branch. All else about what watches is in cold code.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many watchers there are in this process.
static WATCHERS: AtomicUsize = AtomicUsize::new(0);

/// Whether there is any watcher in this process. A thread that has added one itself sees it at once.
#[inline]
pub fn is_watched() -> bool {
    WATCHERS.load(Ordering::Relaxed) != 0
}

/// A watcher, for as long as this lives.
#[derive(Debug)]
pub struct Watcher(());

impl Watcher {
    /// Adds a watcher.
    pub fn new() -> Self {
        WATCHERS.fetch_add(1, Ordering::Relaxed);
        Watcher(())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        WATCHERS.fetch_sub(1, Ordering::Relaxed);
    }
}
