//! Leases: a descriptor's number is not given back while a call runs on it.
//!
//! `close()` in another thread marks the socket closed at once and closes the connection at once; what must wait for the running
//! calls is the *number*, or the kernel would give it to the next `open`, and the call would read a stranger's data.
//!
//! With the GIL, a call made attached cannot be raced by a `close()`: it needs no lease. A call that detaches, and on
//! free-threaded builds every call, is counted in the socket's [`Leases`]; a call that can block is also listed in [`BLOCKED`], so that
//! `close()` knows which threads to wake.

use std::cell::Cell;
use std::io;
use std::marker::PhantomData;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use crate::error::{Error, Result};
use crate::socket::Socket;
use crate::sys::{self, wake};

/// The running calls of one socket, in one word: how many, whether the socket was closed under them, and in which generation of
/// the process: after a fork the child has none of the threads whose calls were counted.
#[derive(Debug)]
pub struct Leases {
    word: AtomicU32,
    /// The number to give back when the last call ends, or `NONE`.
    number: AtomicI32,
}

const NONE: RawFd = -1;

impl Default for Leases {
    fn default() -> Self {
        Leases { word: AtomicU32::new(0), number: AtomicI32::new(NONE) }
    }
}

const COUNT: u32 = (1 << 20) - 1;
const CLOSED: u32 = 1 << 20;
const GENERATION_SHIFT: u32 = 24;

/// Counts forks, as seen from this process.
static GENERATION: AtomicU32 = AtomicU32::new(0);

fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed) << GENERATION_SHIFT
}

/// The word without what an earlier generation left in it.
fn current(word: u32) -> u32 {
    let generation = generation();
    if word & !(COUNT | CLOSED) == generation { word } else { generation }
}

/// Makes forks count. Called when the module is made.
pub fn watch_forks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| wake::around_fork(before_fork, after_fork_in_parent, after_fork_in_child));
}

thread_local! {
    /// The list of blocked calls while this thread forks: were another thread to hold it, the child would wait for it for ever.
    static HELD: Cell<Option<MutexGuard<'static, Blocked>>> = const { Cell::new(None) };
}

extern "C" fn before_fork() {
    let _ = HELD.try_with(|held| held.set(Some(blocked())));
}

extern "C" fn after_fork_in_parent() {
    let _ = HELD.try_with(Cell::take);
}

extern "C" fn after_fork_in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    if let Ok(Some(mut held)) = HELD.try_with(Cell::take) {
        held.forget();
    }
}

impl Leases {
    fn acquire(&self) {
        let _ = self.update(|word| Some(word + 1));
    }

    /// Ends one lease; the number to close, if it was the last of a closed socket.
    fn release(&self, taken_in: u32) -> Option<RawFd> {
        let before = self.update(|word| {
            let mine = word & !(COUNT | CLOSED) == taken_in && word & COUNT > 0;
            mine.then(|| if word & (COUNT | CLOSED) == CLOSED | 1 { taken_in } else { word - 1 })
        })?;
        (before & (COUNT | CLOSED) == CLOSED | 1).then(|| self.number.swap(NONE, Ordering::AcqRel))
    }

    /// Leaves `number` to the last running call, if there is one. Who closes is then one of them, so that the number stays till it has
    /// been made to name nothing: to be ended by [`Leases::release`].
    fn bequeath(&self, number: RawFd) -> bool {
        // There is room for one: a socket that was initialised anew under its last calls keeps the number they have.
        if self.number.compare_exchange(NONE, number, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return false;
        }
        let left =
            self.update(|word| (word & COUNT > 0 && word & CLOSED == 0).then_some((word | CLOSED) + 1)).is_some();
        if !left {
            self.number.store(NONE, Ordering::Release);
        }
        left
    }

    fn closed(&self) -> bool {
        current(self.word.load(Ordering::Acquire)) & CLOSED != 0
    }

    fn update(&self, change: impl Fn(u32) -> Option<u32>) -> Option<u32> {
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| change(current(word))).ok().map(current)
    }
}

/// The right to use a socket's descriptor for one call.
#[derive(Debug)]
pub struct Lease<'a> {
    socket: &'a Socket,
    fd: RawFd,
    generation: u32,
    /// Where this call stands in [`BLOCKED`].
    place: usize,
    /// Belongs to the thread it was taken in.
    _thread: PhantomData<*const ()>,
}

impl<'a> Lease<'a> {
    /// A lease for a call that detaches and cannot block.
    pub fn take_briefly(socket: &'a Socket) -> Result<Self> {
        socket.leases().acquire();
        let lease =
            Lease { socket, fd: socket.fd(), generation: generation(), place: usize::MAX, _thread: PhantomData };
        if lease.fd < 0 { Err(Error::closed()) } else { Ok(lease) }
    }

    /// A lease for a call that can block.
    pub fn take(socket: &'a Socket) -> Result<Self> {
        let mut lease = Self::take_briefly(socket)?;
        lease.place =
            blocked().enter(Call { socket: std::ptr::from_ref(socket).addr(), thread: wake::Thread::current() });
        Ok(lease)
    }

    /// The descriptor.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// Whether the socket was closed since this was taken.
    pub fn closed(&self) -> bool {
        self.socket.leases().closed()
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.place != usize::MAX && self.generation == generation() {
            blocked().leave(self.place);
        }
        end(self.socket.leases(), self.generation);
    }
}

/// Ends a lease, and gives the number back if it was the last one of a closed socket.
fn end(leases: &Leases, taken_in: u32) {
    if let Some(number) = leases.release(taken_in) {
        // The connection was closed long ago, and whatever its number names since cannot fail to be closed.
        let _ = sys::socket::close(number);
    }
}

/// A lease for a call that cannot block: with the GIL held there is nobody to race with, and it is only the number.
#[derive(Debug)]
pub struct BriefLease<'a> {
    fd: RawFd,
    #[cfg(Py_GIL_DISABLED)]
    counted: (&'a Socket, u32),
    _attached: PhantomData<&'a Socket>,
}

impl<'a> BriefLease<'a> {
    /// A lease for a call that cannot block, made attached.
    #[inline]
    pub fn take(socket: &'a Socket) -> Self {
        #[cfg(Py_GIL_DISABLED)]
        socket.leases().acquire();
        BriefLease {
            fd: socket.fd(),
            #[cfg(Py_GIL_DISABLED)]
            counted: (socket, generation()),
            _attached: PhantomData,
        }
    }

    /// The descriptor; -1 where the socket is closed.
    #[inline]
    pub fn fd(&self) -> RawFd {
        self.fd
    }
}

#[cfg(Py_GIL_DISABLED)]
impl Drop for BriefLease<'_> {
    fn drop(&mut self) {
        let (socket, generation) = self.counted;
        end(socket.leases(), generation);
    }
}

/// Closes a descriptor that its socket has just given up: at once, but for its number where calls still run on it.
///
/// Those calls are woken. Called detached: the close of a socket that lingers takes its time.
pub fn close(socket: &Socket, fd: RawFd) -> io::Result<()> {
    let generation = generation();
    if !socket.leases().bequeath(fd) {
        return sys::socket::close(fd);
    }
    let closed = wake::close_keeping_number(fd);
    blocked().wake(std::ptr::from_ref(socket).addr());
    end(socket.leases(), generation);
    closed
}

/// A call that can block.
#[derive(Clone, Copy, Debug)]
struct Call {
    /// The address of its socket, which lives while the call runs; only compared.
    socket: usize,
    thread: wake::Thread,
}

/// The calls of this process that can block, each at a place of its own.
#[derive(Debug)]
struct Blocked {
    calls: Vec<Option<Call>>,
    free: Vec<usize>,
}

static BLOCKED: Mutex<Blocked> = Mutex::new(Blocked { calls: Vec::new(), free: Vec::new() });

/// The list of blocked calls. It is held for a few nanoseconds and never across a system call that blocks.
fn blocked() -> MutexGuard<'static, Blocked> {
    BLOCKED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Blocked {
    fn enter(&mut self, call: Call) -> usize {
        match self.free.pop() {
            Some(place) => {
                self.calls[place] = Some(call);
                place
            }
            None => {
                self.calls.push(Some(call));
                self.calls.len() - 1
            }
        }
    }

    fn leave(&mut self, place: usize) {
        self.calls[place] = None;
        self.free.push(place);
    }

    /// Forgets every call: after a fork, their threads are the parent's.
    fn forget(&mut self) {
        self.calls.clear();
        self.free.clear();
    }

    /// Interrupts the other threads' calls on a socket.
    fn wake(&self, socket: usize) {
        let on_socket = |call: &&Call| call.socket == socket;
        for call in self.calls.iter().flatten().filter(on_socket) {
            if !call.thread.is_current() {
                // SAFETY: a thread leaves the list before it ends, and the list is locked. What is not guaranteed: that the thread
                // still is in its system call, or already; for that the number names a shut socket by now.
                unsafe { call.thread.interrupt() };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lease_inherits_the_number() {
        let leases = Leases::default();
        leases.acquire();
        leases.acquire();
        assert!(leases.bequeath(7));
        assert!(leases.closed());
        assert_eq!([(); 3].map(|()| leases.release(generation())), [None, None, Some(7)]);
        assert!(!leases.closed());
    }

    #[test]
    fn the_number_stays_while_it_is_being_closed() {
        let leases = Leases::default();
        leases.acquire();
        assert!(leases.bequeath(7));
        assert_eq!(leases.release(generation()), None, "the call ends of itself, before it was woken");
        assert_eq!(leases.release(generation()), Some(7), "who closes is done");
    }

    #[test]
    fn without_a_lease_nothing_is_inherited() {
        let leases = Leases::default();
        assert!(!leases.bequeath(7));
        leases.acquire();
        assert_eq!(leases.release(generation()), None);
        assert!(!leases.bequeath(7));
    }

    #[test]
    fn one_number_is_left_at_a_time() {
        let leases = Leases::default();
        leases.acquire();
        assert!(leases.bequeath(7));
        assert!(!leases.bequeath(8));
        assert_eq!([(); 2].map(|()| leases.release(generation())), [None, Some(7)]);
        leases.acquire();
        assert!(leases.bequeath(8));
        assert_eq!([(); 2].map(|()| leases.release(generation())), [None, Some(8)]);
    }

    #[test]
    fn leases_of_an_earlier_generation_do_not_count() {
        let leases = Leases::default();
        leases.acquire();
        let other = generation().wrapping_add(1 << GENERATION_SHIFT);
        assert_eq!(leases.release(other), None);
        assert_eq!(leases.word.load(Ordering::Relaxed) & COUNT, 1);
    }
}
