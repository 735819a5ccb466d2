//! Tests by loom of every order in which threads can enter and end calls, close the socket and fork: `make loom`.
//!
//! The code is the real one, with and without a GIL. Loom's locks and atomics, and the [`kernel`], are models.

pub mod kernel;

use std::cell::Cell;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering as Counting};
use std::time::Duration;

use loom::sync::atomic::{AtomicI32, Ordering};
use loom::sync::{Mutex, MutexGuard};

use self::kernel::{Identity, at_once, block, close_number, files, is_open, named, now, open, spawn};
use super::lease::{Calls, Closing, Key, Table};
use super::{CLOSED, Descriptor, watcher};

const FIRST: Identity = Identity::Socket(1);
const SECOND: Identity = Identity::Socket(2);
const HOUR: Duration = Duration::from_secs(3600);

loom::lazy_static! {
    static ref GIL: Mutex<()> = Mutex::new(());
    static ref WORD: AtomicI32 = AtomicI32::new(0);
}

/// A word that models store something in.
fn word() -> &'static AtomicI32 {
    &WORD
}

/// Holds the GIL, if there is one.
fn attach() -> Option<MutexGuard<'static, ()>> {
    cfg!(not(loom_without_gil)).then(|| GIL.lock().unwrap())
}

/// A socket with an open file. Its address is the same in each execution, because it chooses the table.
fn socket() -> &'static Descriptor {
    thread_local! { static ADDRESS: Cell<*mut Descriptor> = const { Cell::new(std::ptr::null_mut()) } }
    if ADDRESS.get().is_null() {
        ADDRESS.set(Box::into_raw(Box::<Descriptor>::new_uninit()).cast());
    }
    // SAFETY: the memory is never freed, and the last execution's threads have ended.
    let socket = unsafe {
        ADDRESS.get().write(Descriptor::closed());
        &*ADDRESS.get()
    };
    put(socket, FIRST);
    socket
}

fn put(socket: &Descriptor, file: Identity) {
    // SAFETY: the number is the model's: no real descriptor is closed, because it is never dropped.
    socket.put(unsafe { OwnedFd::from_raw_fd(open(file)) });
}

/// As `Descriptor::detached`.
fn detached(socket: &Descriptor, call: fn(RawFd) -> io::Result<()>) -> io::Result<()> {
    let attached = attach();
    let lease = socket.lease(None)?;
    drop(attached);
    lease.make(|fd| call(fd.as_raw_fd()))
}

/// As `Descriptor::attached`.
fn attached(socket: &Descriptor) -> io::Result<()> {
    let _attached = attach();
    // SAFETY: the lock that stands for the GIL is held until the call has returned.
    unsafe { socket.while_attached(|fd| at_once(fd.as_raw_fd())) }
}

/// As `Descriptor::close`.
fn close(socket: &Descriptor) {
    let attached = attach();
    let closing = socket.give_up();
    drop(attached);
    if let Some(closing) = closing {
        socket.finish(closing).unwrap();
    }
}

/// A call that blocks must end, and with EBADF.
fn blocks_until_closed(socket: &Descriptor) {
    let error = detached(socket, block).unwrap_err();
    assert_eq!(
        error.raw_os_error(),
        Some(libc::EBADF),
        "a call is interrupted, and does not know that its socket is closed"
    );
}

/// Opens a file that has nothing to do with the socket, and must stay what it is.
fn bystander() {
    let number = open(Identity::Other);
    loom::thread::yield_now();
    assert_eq!(named(number), Some(Identity::Other), "the number of another file was closed");
    close_number(number);
}

/// Runs the bodies, each in a thread, in every order.
fn in_every_order<const N: usize>(bodies: [fn(&Descriptor); N], after: fn(&Descriptor)) {
    let executions = AtomicUsize::new(0);
    let executions: &'static AtomicUsize = Box::leak(Box::new(executions));
    loom::model(move || {
        executions.fetch_add(1, Counting::Relaxed);
        let socket = socket();
        let mut index = 0;
        let threads = bodies.map(|body| {
            index += 1;
            spawn(index, move || body(socket))
        });
        for thread in threads {
            thread.join().unwrap();
        }
        while !watcher::has_ended() {
            loom::thread::yield_now();
        }
        after(socket);
    });
    println!("{} orders", executions.load(Counting::Relaxed));
}

fn nothing_is_open(socket: &Descriptor) {
    assert_eq!(socket.number(), CLOSED);
    assert_eq!(files(), [None; 4], "a number is never closed");
    assert!(!Calls::of_process().table(Key::of(socket)).has_closed(Key::of(socket)));
}

fn call(socket: &Descriptor) {
    let _made = detached(socket, at_once);
}

fn attached_call(socket: &Descriptor) {
    let _made = attached(socket);
}

#[test]
fn a_number_is_closed_once_and_never_used_after() {
    in_every_order([call, call, close], nothing_is_open);
}

#[test]
fn two_closes_close_the_number_once() {
    in_every_order([close, close, call], nothing_is_open);
}

#[test]
fn attached_calls_use_no_closed_number() {
    in_every_order([attached_call, call, close], nothing_is_open);
}

#[test]
fn a_number_is_not_reused_under_a_call() {
    in_every_order([call, close, |_| bystander()], nothing_is_open);
}

#[test]
fn a_number_is_not_reused_under_an_attached_call() {
    in_every_order([attached_call, close, |_| bystander()], nothing_is_open);
}

#[test]
fn no_call_is_missed() {
    in_every_order([blocks_until_closed, close], nothing_is_open);
}

#[test]
fn two_closes_miss_no_call() {
    in_every_order([blocks_until_closed, close, close], nothing_is_open);
}

#[test]
fn no_call_of_two_is_missed() {
    in_every_order([blocks_until_closed, blocks_until_closed, close], nothing_is_open);
}

#[test]
fn calls_on_an_old_number_do_not_affect_a_new_one() {
    fn reopen(socket: &Descriptor) {
        close(socket);
        put(socket, SECOND);
        attached(socket).unwrap();
        detached(socket, at_once).unwrap();
    }
    in_every_order([reopen, call], |socket| {
        assert_eq!(named(socket.number()), Some(SECOND));
        assert!(!is_open(FIRST));
    });
}

/// The socket is closed a second time, with another number, while calls on the first may still run.
#[test]
fn calls_on_two_closed_numbers_close_each_its_own() {
    fn close_and_reopen_and_close(socket: &Descriptor) {
        let attached = attach();
        let first = socket.give_up().expect("nobody else closes it");
        if let Closing::Unused(number) = first {
            close_number(number); // or the last of its calls does, before or after the next close
        }
        put(socket, SECOND);
        drop(attached);
        close(socket);
    }
    fn long_call(socket: &Descriptor) {
        let _made = detached(socket, |number| {
            at_once(number)?;
            loom::thread::yield_now();
            at_once(number)
        });
    }
    in_every_order([close_and_reopen_and_close, long_call, long_call], nothing_is_open);
}

/// `detach()` beside calls and a close: one of the two has the number. The program's stays open until the program closes it.
#[test]
fn a_number_that_was_detached_is_not_closed() {
    fn detach(socket: &Descriptor) {
        let _attached = attach();
        let number = socket.number();
        if number != CLOSED && socket.take_if(number) {
            word().store(1, Ordering::Relaxed);
        }
    }
    in_every_order([detach, close, call], |socket| {
        let is_detached = word().load(Ordering::Relaxed) != 0;
        assert_eq!(is_open(FIRST), is_detached, "closed although it was detached, or never closed");
        if is_detached {
            close_number(0);
        }
        nothing_is_open(socket);
    });
}

/// What `begin` has stored before it puts the number is seen by whoever finds the number.
#[test]
fn who_finds_the_number_finds_what_was_stored_before() {
    fn begin(socket: &Descriptor) {
        word().store(1, Ordering::Relaxed);
        put(socket, SECOND);
    }
    fn look(socket: &Descriptor) {
        if socket.number() > 0 {
            assert_eq!(word().load(Ordering::Relaxed), 1, "a number without its family");
        }
    }
    in_every_order([begin, look], |_| {});
}

/// The watcher sleeps until an alarm, an hour from now; it must not sleep on where another call has come.
#[test]
fn the_watcher_does_not_sleep_over_a_close() {
    fn with_alarm(socket: &Descriptor) {
        let attached = attach();
        let lease = socket.lease(Some(now() + HOUR));
        drop(attached);
        if let Ok(lease) = lease {
            watcher::wake_watcher();
            let _interrupted = lease.make(|fd| block(fd.as_raw_fd()));
        }
    }
    in_every_order([with_alarm, close], nothing_is_open);
}

/// The watcher, woken for a call that has just ended, ends when no call is left; it must not end where another call has come.
#[test]
fn the_watcher_does_not_end_over_a_close() {
    fn close_after_another(socket: &Descriptor) {
        watcher::wake_watcher();
        loom::thread::yield_now();
        close(socket);
    }
    in_every_order([blocks_until_closed, close_after_another], nothing_is_open);
}

/// A child, which has none of the threads, closes what their calls would have closed, and nothing else.
#[test]
fn a_child_closes_what_its_parents_calls_would_have_closed() {
    fn fork(socket: &Descriptor) {
        let attached = attach();
        watcher::before_fork();
        let mut child = watcher::tables_of_child();
        let (number, mut left) = (socket.number(), files());
        watcher::after_fork_in_parent();
        drop(attached);
        let had_calls = child.iter().any(Table::has_calls);
        for table in &mut child {
            table.forget(|deferred| {
                assert_eq!(left[deferred.number as usize].take(), Some(FIRST), "a child closes another file");
            });
            assert!(!table.has_closed(Key::of(socket)));
        }
        if had_calls && number == CLOSED {
            assert_eq!(left[0], None, "the child keeps what its parent's calls would have closed");
        }
        if number != CLOSED {
            assert_eq!(left[number as usize], Some(FIRST), "the child's socket has a closed number");
        }
    }
    in_every_order([blocks_until_closed, close, fork], nothing_is_open);
}
