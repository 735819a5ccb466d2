//! The calls of this process that run detached: on which descriptor, and in which thread.
//!
//! Reading the number and entering a call is one step under a lock; taking the number from the socket and marking its calls is another. So
//! either `close()` closes the number, if no call runs on it, or the last of its calls does, and no thread uses the number after that.
//! The lock is held for nanoseconds, or for the system calls that interrupt each blocked thread; never while a call blocks. There are
//! several locks, chosen by the socket's address, so that threads on different sockets do not wait for each other without a GIL.

use std::io;
use std::os::fd::RawFd;
use std::time::Instant;

use super::backoff::Backoff;
use super::release::{DeferredClose, close_deferred, closed_error};
use super::sync::{Mutex, MutexGuard, Thread, now, of_process};

/// Identifies the socket of a call: the address of its `Descriptor`, which lives while the call runs. It is only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(usize);

impl Key {
    /// The key of a descriptor.
    pub fn of<Descriptor>(descriptor: &Descriptor) -> Self {
        Key(std::ptr::from_ref(descriptor).addr())
    }

    /// The index of the socket's table. Allocations begin at multiples of 16, so the low bits say nothing.
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

/// The state of a call whose socket was closed.
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
            // SAFETY: the thread has not ended: it removes its call from the table before it ends, and the table is locked. Not
            // guaranteed: that the thread is in its system call at this moment; a thread that is not is interrupted again later.
            unsafe { self.thread.interrupt() };
        }
    }
}

/// The calls on the sockets of one shard, each in a slot.
#[derive(Debug, Default)]
#[cfg_attr(loom, derive(Clone))]
pub struct Table {
    calls: Vec<Option<Call>>,
    free: Vec<usize>,
}

impl Table {
    fn enter(&mut self, call: Call) -> io::Result<usize> {
        if let Some(slot) = self.free.pop() {
            self.calls[slot] = Some(call);
            return Ok(slot);
        }
        let no_memory = |_| io::Error::from(io::ErrorKind::OutOfMemory);
        self.calls.try_reserve(1).map_err(no_memory)?;
        // Reserved here, so that `leave` needs no memory.
        self.free.try_reserve(self.calls.len() + 1).map_err(no_memory)?;
        self.calls.push(Some(call));
        Ok(self.calls.len() - 1)
    }

    /// Marks the calls on a number as calls on a closed socket, and interrupts them; whether there are any.
    fn close(&mut self, key: Key, fd: RawFd) -> bool {
        let mut closed = None;
        for call in self.calls.iter_mut().flatten().filter(|call| call.is_of(key, fd)) {
            let new = || Closed { number: DeferredClose::new(fd), backoff: Backoff::new(now()) };
            call.closed = Some(*closed.get_or_insert_with(new));
            call.interrupt();
        }
        closed.is_some()
    }

    fn leave(&mut self, slot: usize) -> Ended {
        let Some(call) = self.calls[slot].take() else {
            return Ended { was_closed: false, number: None };
        };
        self.free.push(slot);
        let is_last = !self.closed_calls().any(|other| other.key == call.key && other.fd == call.fd);
        let number = call.closed.filter(|_| is_last).map(|closed| closed.number);
        Ended { was_closed: call.closed.is_some(), number }
    }

    fn closed_calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().flatten().filter(|call| call.closed.is_some())
    }

    /// Whether calls still run that began before this socket was closed.
    pub fn has_closed(&self, key: Key) -> bool {
        self.closed_calls().any(|call| call.key == key)
    }

    /// Whether any call runs. For the models.
    #[cfg(loom)]
    pub fn has_calls(&self) -> bool {
        self.calls.iter().any(Option::is_some)
    }

    /// Interrupts the calls on closed sockets, and those with an alarm, whose next interruption is due. When the next one is due; `None` if
    /// there is none.
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

    /// Removes every call, and passes to `close_number` each number that a call would have closed. For a forked child, which does not have
    /// the threads of these calls.
    pub fn forget(&mut self, mut close_number: impl FnMut(DeferredClose)) {
        // In place, without allocating: this runs in the child before `fork` returns.
        for slot in 0..self.calls.len() {
            if let Some(number) = self.calls[slot].and_then(|_| self.leave(slot).number) {
                close_number(number);
            }
        }
        self.calls.clear();
        self.free.clear();
    }
}

/// A table that is locked.
pub type Locked<'a> = MutexGuard<'a, Table>;

/// The result of ending a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Whether its socket was closed while it ran.
    pub was_closed: bool,
    /// The number to close, if this was the last call on it.
    pub number: Option<DeferredClose>,
}

/// A number that a socket has given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// No call runs on it: the caller must close it.
    Unused(RawFd),
    /// The last of its calls closes it.
    InUse,
}

/// The number of tables. Enough that threads on different sockets rarely share a lock, and few enough to lock them all at a fork.
pub const SHARDS: usize = match () {
    () if cfg!(loom) => 2,
    () if cfg!(Py_GIL_DISABLED) => 32,
    () => 4,
};

/// All running calls.
#[derive(Debug)]
pub struct Calls([Mutex<Table>; SHARDS]);

impl Calls {
    /// The calls of this process.
    #[inline]
    pub fn of_process() -> &'static Self {
        #[cfg(not(loom))]
        return of_process!(
            Calls([const { Mutex::new(Table { calls: Vec::new(), free: Vec::new() }) }; SHARDS]),
            Calls
        );
        #[cfg(loom)]
        of_process!(Calls(std::array::from_fn(|_| Mutex::default())), Calls)
    }

    /// Enters a call on the number that `read` returns. EBADF if that is -1.
    #[inline]
    pub fn enter(&self, key: Key, alarm: Option<Instant>, read: impl FnOnce() -> RawFd) -> io::Result<Lease<'_>> {
        let table = &self.0[key.shard()];
        let mut locked = lock(table);
        let fd = read();
        if fd < 0 {
            return Err(closed_error());
        }
        let alarm = alarm.map(Backoff::at);
        let slot = locked.enter(Call { key, fd, thread: Thread::current(), closed: None, alarm })?;
        Ok(Lease { table, fd, slot })
    }

    /// Gives up the number that `take` returns, and interrupts the calls on it. `None` if the number is -1.
    pub fn close(&self, key: Key, take: impl FnOnce() -> RawFd) -> Option<Closing> {
        let mut table = lock(&self.0[key.shard()]);
        let fd = take();
        if fd < 0 {
            return None;
        }
        Some(if table.close(key, fd) { Closing::InUse } else { Closing::Unused(fd) })
    }

    /// The table that holds a descriptor's calls, locked.
    pub fn table(&self, key: Key) -> Locked<'_> {
        lock(&self.0[key.shard()])
    }

    /// Every table, locked together, always in the same order. Nothing is allocated: this runs just before a fork.
    pub fn lock_all(&self) -> [Locked<'_>; SHARDS] {
        self.0.each_ref().map(lock)
    }

    /// Every table, locked one after the other.
    pub fn tables(&self) -> impl Iterator<Item = Locked<'_>> {
        self.0.iter().map(lock)
    }
}

/// Locks a table. Poisoning is ignored: a panic cannot leave a table half changed, because each change to it is one step.
fn lock(table: &Mutex<Table>) -> Locked<'_> {
    table.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The right to use a descriptor for one call: its number is not closed before the lease ends.
#[derive(Debug)]
pub struct Lease<'a> {
    table: &'a Mutex<Table>,
    fd: RawFd,
    slot: usize,
}

impl Lease<'_> {
    /// The number.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// Ends the lease. The caller must close the number that the result may hold.
    pub fn end(self) -> Ended {
        let ended = lock(self.table).leave(self.slot);
        std::mem::forget(self);
        ended
    }
}

impl Drop for Lease<'_> {
    /// Ends the lease of a call that panics.
    fn drop(&mut self) {
        if let Some(number) = lock(self.table).leave(self.slot).number {
            close_deferred(number);
        }
    }
}

#[cfg(all(test, not(loom)))]
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
    fn the_last_call_returns_the_number_to_close() {
        let mut table = running(&[(KEY, 7), (KEY, 7)]);
        assert!(table.close(KEY, 7));
        assert_eq!(table.leave(0), Ended { was_closed: true, number: None });
        assert_eq!(number(table.leave(1)), Some(7));
    }

    #[test]
    fn without_a_call_the_closing_thread_closes_the_number() {
        let mut table = running(&[(OTHER, 8)]);
        assert!(!table.close(KEY, 7));
        assert_eq!(table.leave(0), Ended { was_closed: false, number: None });
    }

    #[test]
    fn calls_on_an_earlier_number_are_counted_apart() {
        let mut table = running(&[(KEY, 7)]);
        assert!(table.close(KEY, 7));
        let new = table.enter(call(KEY, 9)).unwrap();
        assert_eq!(table.leave(new), Ended { was_closed: false, number: None });
        assert!(!table.close(KEY, 9), "the earlier call does not run on this number");
        assert_eq!(number(table.leave(0)), Some(7));
    }

    #[test]
    fn slots_are_reused() {
        let mut table = running(&[(KEY, 7)]);
        table.leave(0);
        assert_eq!(table.enter(call(OTHER, 8)).unwrap(), 0);
        assert_eq!(table.enter(call(OTHER, 8)).unwrap(), 1);
    }

    #[test]
    fn the_number_of_interruptions_is_limited() {
        let mut table = running(&[(KEY, 7), (OTHER, 8)]);
        let mut now = Instant::now();
        assert_eq!(table.interrupt_again(now), None, "no socket was closed");
        table.close(KEY, 7);
        let mut rounds = 0;
        while let Some(due) = table.interrupt_again(now) {
            (now, rounds) = (due, rounds + 1);
        }
        assert!(rounds > 3);
        assert!(table.has_closed(KEY), "the call itself has not ended");
    }

    #[test]
    fn each_closed_socket_has_its_own_backoff() {
        let mut table = running(&[(KEY, 7), (OTHER, 8)]);
        // Taken before both are closed, so that no interruption is due yet, however slow the machine is.
        let now = Instant::now();
        table.close(KEY, 7);
        let first = table.interrupt_again(now);
        table.close(OTHER, 8);
        assert!(first.is_some());
        assert_eq!(table.interrupt_again(now), first);
    }

    #[test]
    fn a_forked_child_closes_the_numbers_of_its_parents_calls() {
        let mut table = running(&[(KEY, 7), (KEY, 7), (OTHER, 8)]);
        table.close(KEY, 7);
        let mut to_close = Vec::new();
        table.forget(|deferred| to_close.push(deferred.number));
        assert_eq!(to_close, [7]);
        assert!(!table.close(OTHER, 8));
    }
}
