//! A model of the kernel, as far as closing depends on it: numbers that name files, threads that block, signals and time.
//!
//! What is assumed of the kernel is what this file does: a number is the lowest that is free; a signal ends the system call in which a
//! thread is blocked at that moment, and is lost on a thread that is not in one.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use loom::sync::{Condvar, Mutex};

const THREADS: usize = 5;
const NUMBERS: usize = 4;

/// The file that a number names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The file of a socket. The second one comes from another `__init__`.
    Socket(u8),
    /// A file that has nothing to do with the socket.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Running,
    Blocked,
    Interrupted,
    Ended,
}

struct Kernel {
    files: Mutex<[Option<Identity>; NUMBERS]>,
    places: [Mutex<Place>; THREADS],
    changed: [Condvar; THREADS],
    /// No part of what loom explores: the time that has passed, in microseconds.
    clock: AtomicU64,
}

loom::lazy_static! {
    static ref KERNEL: Kernel = Kernel {
        files: Mutex::new([None; NUMBERS]),
        places: std::array::from_fn(|_| Mutex::new(Place::Running)),
        changed: std::array::from_fn(|_| Condvar::new()),
        clock: AtomicU64::new(0),
    };
}

loom::thread_local! {
    static INDEX: Cell<usize> = Cell::new(0);
}

/// A thread that may be blocked in a system call.
#[derive(Clone, Copy, Debug)]
pub struct Thread(usize);

impl Thread {
    pub fn current() -> Self {
        Thread(INDEX.with(Cell::get))
    }

    pub fn is_current(self) -> bool {
        self.0 == INDEX.with(Cell::get)
    }

    pub unsafe fn interrupt(self) {
        let mut place = KERNEL.places[self.0].lock().unwrap();
        assert_ne!(*place, Place::Ended, "a signal to a thread that has ended");
        if *place == Place::Blocked {
            *place = Place::Interrupted;
            KERNEL.changed[self.0].notify_all();
        }
    }
}

/// Starts a thread with a number of its own, from 1 on.
pub fn spawn(index: usize, body: impl FnOnce() + 'static) -> loom::thread::JoinHandle<()> {
    loom::thread::spawn(move || {
        INDEX.with(|own| own.set(index));
        body();
        *KERNEL.places[index].lock().unwrap() = Place::Ended;
    })
}

/// `open(2)`, `socket(2)`: the lowest free number.
pub fn open(file: Identity) -> RawFd {
    let mut files = KERNEL.files.lock().unwrap();
    let number = files.iter().position(Option::is_none).expect("too many files");
    files[number] = Some(file);
    number as RawFd
}

/// The file that a number names.
pub fn named(number: RawFd) -> Option<Identity> {
    KERNEL.files.lock().unwrap()[number as usize]
}

/// Whether any number names this file.
pub fn is_open(file: Identity) -> bool {
    files().contains(&Some(file))
}

/// What each number names.
pub fn files() -> [Option<Identity>; NUMBERS] {
    *KERNEL.files.lock().unwrap()
}

/// `close(2)`.
#[allow(clippy::needless_pass_by_value, reason = "as the real one")]
pub fn close(fd: OwnedFd) -> io::Result<()> {
    close_number(fd.into_raw_fd());
    Ok(())
}

pub fn close_number(number: RawFd) {
    let closed = KERNEL.files.lock().unwrap()[number as usize].take();
    assert!(closed.is_some(), "a number is closed twice");
}

/// `fstat(2)`.
pub fn identity(fd: BorrowedFd<'_>) -> io::Result<Identity> {
    named(fd.as_raw_fd()).ok_or(io::Error::from_raw_os_error(libc::EBADF))
}

/// A system call that does not block.
pub fn at_once(number: RawFd) -> io::Result<()> {
    assert!(matches!(named(number), Some(Identity::Socket(_))), "a call uses a number that its socket does not own");
    Ok(())
}

/// A system call that ends only when a signal interrupts it.
pub fn block(number: RawFd) -> io::Result<()> {
    let file = named(number);
    assert!(matches!(file, Some(Identity::Socket(_))), "a call uses a number that its socket does not own");
    let thread = Thread::current().0;
    let mut place = KERNEL.places[thread].lock().unwrap();
    *place = Place::Blocked;
    while *place == Place::Blocked {
        place = KERNEL.changed[thread].wait(place).unwrap();
    }
    *place = Place::Running;
    drop(place);
    assert_eq!(named(number), file, "a number is reused under a call");
    Err(io::Error::from_raw_os_error(libc::EINTR))
}

/// The time.
pub fn now() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now) + Duration::from_micros(KERNEL.clock.load(Ordering::Relaxed))
}

/// The time passes. The other threads may have gone on, or not.
pub fn sleep(duration: Duration) {
    KERNEL.clock.fetch_add(duration.as_micros() as u64, Ordering::Relaxed);
}

/// The same, and the other threads have gone on. But nobody waits for an hour: a thread that does must be woken.
pub fn park_timeout(duration: Duration) {
    if duration < Duration::from_secs(1000) {
        loom::thread::yield_now();
        sleep(duration);
    } else {
        loom::thread::park();
    }
}
