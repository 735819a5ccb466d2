//! The calls of this process that run detached: on which descriptor, and in which thread.
//!
//! Reading the number and entering a call is one step under a lock. Taking the number away and marking its calls is another. So either
//! `close()` gives the number back, when no call runs on it, or the last of its calls does; and nobody uses it after that.
//! The lock is held for nanoseconds, or for an interruption's system call for each thread that is blocked; never while a call blocks.
//! It is one of several, chosen by the socket's address, so that sockets do not wait for each other where there is no GIL.

use std::io;
use std::os::fd::RawFd;
use std::time::Instant;

use self::sync::{Mutex, MutexGuard};
use super::backoff::Backoff;
use super::release::{DeferredClose, close_deferred, closed};
use crate::sys::wake::Thread;

#[cfg(not(loom))]
mod sync {
    pub use std::sync::{Mutex, MutexGuard};
}
#[cfg(loom)]
mod sync {
    pub use loom::sync::{Mutex, MutexGuard};
}

/// Whose call it is: the address of the descriptor, which lives while the call runs. It is only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(usize);

impl Key {
    /// The key of a descriptor.
    pub fn of<Descriptor>(descriptor: &Descriptor) -> Self {
        Key(std::ptr::from_ref(descriptor).addr())
    }

    /// Allocations begin at multiples of 16.
    fn shard(self) -> usize {
        (self.0 >> 4) % SHARDS
    }
}

/// One running call.
#[derive(Clone, Copy, Debug)]
struct Call {
    key: Key,
    fd: RawFd,
    thread: Thread,
    closed: Option<Closed>,
    /// When it is to be interrupted, whether its socket is closed or not.
    alarm: Option<Backoff>,
}

/// What is known of a call since its socket was closed.
#[derive(Clone, Copy, Debug)]
struct Closed {
    number: DeferredClose,
    backoff: Backoff,
}

impl Call {
    fn is_of(&self, key: Key, fd: RawFd) -> bool {
        self.key == key && self.fd == fd && self.closed.is_none()
    }

    fn interrupt(&self) {
        if !self.thread.is_current() {
            // SAFETY: a thread leaves the table before it ends, and the table is locked. What is not guaranteed: that the thread is in
            // its system call at this moment; a call that begins later is interrupted again.
            unsafe { self.thread.interrupt() };
        }
    }
}

/// The calls of some of the sockets, each at a place of its own.
#[derive(Debug, Default)]
pub struct Table {
    calls: Vec<Option<Call>>,
    free: Vec<usize>,
}

impl Table {
    fn enter(&mut self, call: Call) -> io::Result<usize> {
        if let Some(place) = self.free.pop() {
            self.calls[place] = Some(call);
            return Ok(place);
        }
        let no_memory = |_| io::Error::from(io::ErrorKind::OutOfMemory);
        self.calls.try_reserve(1).map_err(no_memory)?;
        // So that leaving never needs memory.
        self.free.try_reserve(self.calls.len() + 1).map_err(no_memory)?;
        self.calls.push(Some(call));
        Ok(self.calls.len() - 1)
    }

    /// Marks the calls on a number as those of a closed socket, and interrupts them; whether there are any.
    fn close(&mut self, key: Key, fd: RawFd) -> bool {
        let mut closed = None;
        for call in self.calls.iter_mut().flatten().filter(|call| call.is_of(key, fd)) {
            let new = || Closed { number: DeferredClose::new(fd), backoff: Backoff::new(Instant::now()) };
            call.closed = Some(*closed.get_or_insert_with(new));
            call.interrupt();
        }
        closed.is_some()
    }

    fn leave(&mut self, place: usize) -> Ended {
        let Some(call) = self.calls[place].take() else {
            return Ended { was_closed: false, number: None };
        };
        self.free.push(place);
        let is_last = !self.closed().any(|other| other.key == call.key && other.fd == call.fd);
        let number = call.closed.filter(|_| is_last).map(|closed| closed.number);
        Ended { was_closed: call.closed.is_some(), number }
    }

    fn closed(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().flatten().filter(|call| call.closed.is_some())
    }

    /// Whether calls run on a number that this socket had.
    pub fn has_closed(&self, key: Key) -> bool {
        self.closed().any(|call| call.key == key)
    }

    /// Interrupts the calls of closed sockets, and those that have an alarm, for which it is time; when it will be for the next, if ever.
    pub fn interrupt_again(&mut self, now: Instant) -> Option<Instant> {
        let mut next = None;
        for call in self.calls.iter_mut().flatten() {
            let closed = call.closed.as_mut().map(|closed| &mut closed.backoff);
            let mut is_due = false;
            for backoff in closed.into_iter().chain(&mut call.alarm) {
                is_due |= backoff.take(now);
                next = next.into_iter().chain(backoff.due()).min();
            }
            if is_due {
                call.interrupt();
            }
        }
        next
    }

    /// Forgets every call, and tells the numbers that nobody else will give back: after a fork, their threads are the parent's.
    pub fn forget(&mut self, mut close_number: impl FnMut(DeferredClose)) {
        // In place: this runs between a fork and what the child does first.
        for place in 0..self.calls.len() {
            if let Some(number) = self.calls[place].and_then(|_| self.leave(place).number) {
                close_number(number);
            }
        }
        self.calls.clear();
        self.free.clear();
    }
}

/// A table that is locked.
pub type Locked<'a> = MutexGuard<'a, Table>;

/// What a call that ends leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Whether its socket was closed while it ran.
    pub was_closed: bool,
    /// The number to give back, if it was the last call on it.
    pub number: Option<DeferredClose>,
}

/// A number that a socket has given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// No call runs on it: it is the caller's to close.
    Unused(RawFd),
    /// The last of its calls closes it.
    InUse,
}

/// Enough that threads on different sockets rarely meet, and few enough to be locked all at a fork.
const SHARDS: usize = if cfg!(Py_GIL_DISABLED) { 32 } else { 4 };

/// All running calls.
#[derive(Debug)]
pub struct Calls([Mutex<Table>; SHARDS]);

impl Calls {
    /// Those of this process.
    #[cfg(not(loom))]
    pub fn of_process() -> &'static Self {
        static CALLS: Calls = Calls([const { Mutex::new(Table { calls: Vec::new(), free: Vec::new() }) }; SHARDS]);
        &CALLS
    }

    /// loom's locks cannot be made in a constant.
    #[cfg(loom)]
    pub fn of_process() -> &'static Self {
        static CALLS: std::sync::OnceLock<Calls> = std::sync::OnceLock::new();
        CALLS.get_or_init(|| Calls(std::array::from_fn(|_| Mutex::default())))
    }

    /// Enters a call on the number that `read` finds. EBADF when it is -1.
    #[inline]
    pub fn enter(&self, key: Key, alarm: Option<Instant>, read: impl FnOnce() -> RawFd) -> io::Result<Lease<'_>> {
        let table = &self.0[key.shard()];
        let mut locked = lock(table);
        let fd = read();
        if fd < 0 {
            return Err(closed());
        }
        let place =
            locked.enter(Call { key, fd, thread: Thread::current(), closed: None, alarm: alarm.map(Backoff::at) })?;
        Ok(Lease { table, fd, place })
    }

    /// Gives up the number that `take` takes away; none when it is -1. Its calls are interrupted.
    pub fn close(&self, key: Key, take: impl FnOnce() -> RawFd) -> Option<Closing> {
        let mut table = lock(&self.0[key.shard()]);
        let fd = take();
        if fd < 0 {
            return None;
        }
        Some(if table.close(key, fd) { Closing::InUse } else { Closing::Unused(fd) })
    }

    /// The table that a descriptor's calls are in.
    pub fn table(&self, key: Key) -> Locked<'_> {
        lock(&self.0[key.shard()])
    }

    /// Every table, one after the other and always in the same order.
    pub fn tables(&self) -> impl Iterator<Item = Locked<'_>> {
        self.0.iter().map(lock)
    }
}

/// A table stays whole whatever panics: each change to it is one step.
fn lock(table: &Mutex<Table>) -> Locked<'_> {
    table.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The right to use a descriptor for one call: its number is not given back before this ends.
#[derive(Debug)]
pub struct Lease<'a> {
    table: &'a Mutex<Table>,
    fd: RawFd,
    place: usize,
}

impl Lease<'_> {
    /// The number.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// Ends it; the number that comes with it is the caller's to close.
    pub fn end(self) -> Ended {
        let ended = lock(self.table).leave(self.place);
        std::mem::forget(self);
        ended
    }
}

impl Drop for Lease<'_> {
    /// For a call that panics.
    fn drop(&mut self) {
        if let Some(number) = lock(self.table).leave(self.place).number {
            close_deferred(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key(16);
    const OTHER: Key = Key(32);

    fn call(key: Key, fd: RawFd) -> Call {
        Call { key, fd, thread: Thread::current(), closed: None, alarm: None }
    }

    fn running(calls: &[(Key, RawFd)]) -> Table {
        let mut table = Table::default();
        for &(key, fd) in calls {
            table.enter(call(key, fd)).unwrap();
        }
        table
    }

    fn number(ended: Ended) -> Option<RawFd> {
        ended.number.map(|deferred| deferred.number)
    }

    #[test]
    fn the_last_call_gives_the_number_back() {
        let mut table = running(&[(KEY, 7), (KEY, 7)]);
        assert!(table.close(KEY, 7));
        assert_eq!(table.leave(0), Ended { was_closed: true, number: None });
        assert_eq!(number(table.leave(1)), Some(7));
    }

    #[test]
    fn without_a_call_the_number_is_the_closers() {
        let mut table = running(&[(OTHER, 8)]);
        assert!(!table.close(KEY, 7));
        assert_eq!(table.leave(0), Ended { was_closed: false, number: None });
    }

    #[test]
    fn calls_on_an_earlier_number_do_not_count() {
        let mut table = running(&[(KEY, 7)]);
        assert!(table.close(KEY, 7));
        let new = table.enter(call(KEY, 9)).unwrap();
        assert_eq!(table.leave(new), Ended { was_closed: false, number: None });
        assert!(!table.close(KEY, 9), "the call of before is not one on it");
        assert_eq!(number(table.leave(0)), Some(7));
    }

    #[test]
    fn places_are_used_again() {
        let mut table = running(&[(KEY, 7)]);
        table.leave(0);
        assert_eq!(table.enter(call(OTHER, 8)).unwrap(), 0);
        assert_eq!(table.enter(call(OTHER, 8)).unwrap(), 1);
    }

    #[test]
    fn interruptions_end() {
        let mut table = running(&[(KEY, 7), (OTHER, 8)]);
        let mut now = Instant::now();
        assert_eq!(table.interrupt_again(now), None, "nobody was closed");
        table.close(KEY, 7);
        let mut rounds = 0;
        while let Some(due) = table.interrupt_again(now) {
            (now, rounds) = (due, rounds + 1);
        }
        assert!(rounds > 3);
        assert!(table.has_closed(KEY), "its call has not ended for that");
    }

    #[test]
    fn who_was_closed_earlier_has_its_own_interruptions() {
        let mut table = running(&[(KEY, 7), (OTHER, 8)]);
        // Taken before both are closed, so that neither is due yet, however slow the machine is.
        let now = Instant::now();
        table.close(KEY, 7);
        let first = table.interrupt_again(now);
        table.close(OTHER, 8);
        assert!(first.is_some());
        assert_eq!(table.interrupt_again(now), first);
    }

    #[test]
    fn a_child_gives_back_what_its_parents_calls_would_have() {
        let mut table = running(&[(KEY, 7), (KEY, 7), (OTHER, 8)]);
        table.close(KEY, 7);
        let mut given_back = Vec::new();
        table.forget(|deferred| given_back.push(deferred.number));
        assert_eq!(given_back, [7]);
        assert!(!table.close(OTHER, 8));
    }
}

#[cfg(all(test, loom))]
mod model;
