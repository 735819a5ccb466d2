//! Tests by loom of every order in which threads can enter and end calls, and close the socket: `make loom`.
//!
//! A flag stands for each file descriptor: set while it is open, cleared once, when it is closed.

use loom::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::{Calls, Closing, Key, SHARDS};

const KEY: Key = Key(16);
const CLOSED: i32 = -1;

struct Process {
    calls: Calls,
    number: AtomicI32,
    /// Whether each descriptor is open, by its number.
    open: [AtomicBool; 2],
    gil: Mutex<()>,
}

impl Process {
    fn new() -> Arc<Self> {
        Arc::new(Process {
            calls: Calls(std::array::from_fn::<_, SHARDS, _>(|_| super::sync::Mutex::new(super::Table::default()))),
            number: AtomicI32::new(0),
            open: [AtomicBool::new(true), AtomicBool::new(false)],
            gil: Mutex::new(()),
        })
    }

    fn use_number(&self, number: i32) {
        assert!(self.open[number as usize].load(Ordering::Relaxed), "a number is used after it was closed");
    }

    fn close_number(&self, number: i32) {
        assert!(self.open[number as usize].swap(false, Ordering::Relaxed), "a number is closed twice");
    }

    /// Makes a detached call, with a GIL or without; whether it was made.
    fn detached(&self, with_gil: bool) -> bool {
        let gil = with_gil.then(|| self.gil.lock());
        let entered = self.calls.enter(KEY, None, || self.number.load(Ordering::Acquire));
        drop(gil);
        let Ok(lease) = entered else {
            return false;
        };
        self.use_number(lease.fd());
        if let Some(deferred) = lease.end().number {
            self.close_number(deferred.number);
        }
        true
    }

    fn call(&self, with_gil: bool) {
        let _made = self.detached(with_gil);
    }

    /// Makes an attached call with a GIL, which takes no lease.
    fn attached(&self) {
        let _gil = self.gil.lock();
        match self.number.load(Ordering::Acquire) {
            CLOSED => {}
            number => self.use_number(number),
        }
    }

    fn close(&self, with_gil: bool) {
        let gil = with_gil.then(|| self.gil.lock());
        let closing = self.calls.close(KEY, || self.number.swap(CLOSED, Ordering::AcqRel));
        drop(gil);
        if let Some(Closing::Unused(number)) = closing {
            self.close_number(number);
        }
    }

    fn put(&self, number: i32) {
        self.open[number as usize].store(true, Ordering::Relaxed);
        self.number.store(number, Ordering::Release);
    }

    fn is_open(&self, number: i32) -> bool {
        self.open[number as usize].load(Ordering::Relaxed)
    }
}

fn run_concurrently<const N: usize>(process: &Arc<Process>, bodies: [fn(&Process); N]) {
    let threads = bodies.map(|body| {
        let process = process.clone();
        thread::spawn(move || body(&process))
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn without_a_gil_a_number_is_closed_once_and_never_used_after() {
    loom::model(|| {
        let process = Process::new();
        let call = |process: &Process| process.call(false);
        run_concurrently(&process, [call, call, |process| process.close(false)]);
        assert!(!process.is_open(0), "a number is never closed");
    });
}

#[test]
fn two_closes_close_the_number_once() {
    loom::model(|| {
        let process = Process::new();
        let close = |process: &Process| process.close(false);
        run_concurrently(&process, [close, close, |process| process.call(false)]);
        assert!(!process.is_open(0));
    });
}

#[test]
fn with_a_gil_attached_calls_need_no_lease() {
    loom::model(|| {
        let process = Process::new();
        run_concurrently(
            &process,
            [|process| process.attached(), |process| process.call(true), |process| process.close(true)],
        );
        assert!(!process.is_open(0));
    });
}

#[test]
fn calls_on_an_old_number_do_not_affect_a_new_one() {
    loom::model(|| {
        let process = Process::new();
        let reopen = |process: &Process| {
            process.close(false);
            process.put(1);
            assert!(process.detached(false));
        };
        run_concurrently(&process, [reopen, |process| process.call(false)]);
        assert!(!process.is_open(0));
        assert!(process.is_open(1));
    });
}
