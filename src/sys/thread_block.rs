//! The block of a thread's data that `thread_local!` keeps: this library's, PyO3's, and that of Rust's own library.
//!
//! The C library allocates it when a thread first uses any of it, and ends the process if there is no memory. So each call from the
//! interpreter asks [`is_there`] first, and can fail.

use std::cell::Cell;
use std::hint::black_box;
use std::ptr::NonNull;

use super::memory::has_room;
use super::per_thread::Key;

/// The bytes that must be free before the block is allocated: it has some 600, and the table of a thread's blocks may have to grow.
pub const ROOM: usize = 8 * 1024;

/// Set in each thread that has its block. A key takes no memory, unless the program has more than 30 others.
static KNOWN: Key = Key::new(None);

thread_local! {
    static ANY: Cell<u8> = const { Cell::new(0) };
}

/// Whether this thread has its block; it gets one if there is memory for it.
#[inline(always)]
pub fn is_there() -> bool {
    !KNOWN.get().is_null() || is_made()
}

#[cold]
#[inline(never)]
fn is_made() -> bool {
    if !has_room(ROOM) {
        return false;
    }
    ANY.set(black_box(1));
    // If the key cannot be set, the next call does this again.
    KNOWN.set(NonNull::<u8>::dangling().as_ptr().cast());
    true
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_gets_its_block_once() {
        thread::spawn(|| {
            assert!(KNOWN.get().is_null());
            assert!(is_there());
            assert!(!KNOWN.get().is_null() && ANY.get() == 1);
            ANY.set(2);
            assert!(is_there() && ANY.get() == 2);
        })
        .join()
        .unwrap();
    }
}
