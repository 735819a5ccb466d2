//! Where the lines of a recording go: a file, or a function.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{CString, c_int};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use super::line::Line;
use crate::error::{Error, Result};
use crate::interpreter::{later, make, observe, signals};
use crate::name;
use crate::sys::record::Record;

/// Where the lines of a recording go.
#[derive(Debug)]
pub enum Output {
    /// A file. The number is that of the record, for a child process, where another thread of the parent may hold the lock for ever.
    File { record: Mutex<Record>, may_block: bool, number: AtomicI32, path: Option<CString> },
    /// A function, which is called with each line.
    Function(Py<PyAny>),
    /// Nowhere: the calls are only counted.
    Nothing,
    /// A file that could not be opened, for the reason with this errno: all is lost.
    Missing(c_int),
}

/// How many events were lost, and the errno of the last loss.
#[derive(Debug, Default)]
pub struct Losses {
    pub count: AtomicU64,
    pub errno: AtomicI32,
}

impl Losses {
    /// Counts an event.
    pub fn add(&self, errno: c_int) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.errno.store(errno, Ordering::Relaxed);
    }
}

/// The output that a record is.
pub fn file(record: Record) -> Output {
    let (may_block, number, path) = (record.may_block, record.number(), record.path());
    Output::File { record: Mutex::new(record), may_block, number: AtomicI32::new(number), path }
}

/// The descriptor that a program gave for a record.
pub fn record_on(number: RawFd, path: Option<CString>) -> Result<Record> {
    // SAFETY: the number is not negative, which the caller has checked. Not guaranteed: that it is open: then the calls on it fail.
    Ok(Record::new(unsafe { BorrowedFd::borrow_raw(number) }, path)?)
}

/// A line for an output that may have to wait.
pub struct Delivery {
    pub output: Arc<Output>,
    pub losses: Arc<Losses>,
    pub line: Line,
}

impl Delivery {
    /// Writes the line to its file, in spite of signals.
    pub fn write(&self) {
        while let Err(error) = self.try_to_write() {
            if error.kind() != io::ErrorKind::Interrupted {
                return self.lost(error.raw_os_error().unwrap_or(libc::EIO));
            }
        }
    }

    /// The same, detached. The handlers of signals run meanwhile; what one raises ends the attempt, and is raised later.
    fn write_detached(&self, py: Python<'_>) {
        loop {
            match py.detach(|| self.try_to_write()) {
                Ok(()) => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    if let Err(raised) = signals::run_handlers(py) {
                        self.lost(libc::EINTR);
                        return later::raise(py, raised);
                    }
                }
                Err(error) => return self.lost(error.raw_os_error().unwrap_or(libc::EIO)),
            }
        }
    }

    /// Writes the line to its file. It fails with EINTR when a signal comes while it waits.
    fn try_to_write(&self) -> io::Result<()> {
        let Output::File { record, number, .. } = &*self.output else { return Ok(()) };
        let Some(text) = self.line.text() else {
            return Err(io::Error::from_raw_os_error(libc::ENOMEM));
        };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        let written = record.append(text.as_bytes());
        number.store(record.number(), Ordering::Relaxed);
        written
    }

    pub fn lost(&self, errno: c_int) {
        self.losses.add(errno);
    }

    fn call(&self, py: Python<'_>, function: &Py<PyAny>) {
        let result = match self.line.text() {
            Some(text) => {
                make::text(py, text).and_then(|text| Ok(function.bind(py).call1(make::tuple(py, [text])?)?))
            }
            None => Err(Error::NoMemory),
        };
        if let Err(error) = result {
            let no_memory = error.is_no_memory(py);
            self.lost(if no_memory { libc::ENOMEM } else { libc::EIO });
            if no_memory {
                error.discard(py);
            } else {
                report(py, error.into_pyerr(py));
            }
        }
    }
}

thread_local! {
    /// The lines for functions that came while a function ran: a finalizer has closed a socket, for example.
    static WAITING: RefCell<Option<VecDeque<Delivery>>> = const { RefCell::new(None) };
}

/// Delivers lines, without the lock. The thread is detached while a write may wait. What a function does with sockets is not traced.
pub fn deliver(py: Python<'_>, deliveries: Vec<Delivery>) {
    for delivery in deliveries {
        match &*delivery.output {
            Output::File { .. } => delivery.write_detached(py),
            Output::Function(_) => call_in_turn(py, delivery),
            Output::Nothing | Output::Missing(_) => {}
        }
    }
}

/// Calls the function of a delivery, or has the call of one that runs in this thread do it afterwards.
fn call_in_turn(py: Python<'_>, delivery: Delivery) {
    let mut next = WAITING.with_borrow_mut(|waiting| {
        let Some(waiting) = waiting else {
            *waiting = Some(VecDeque::new());
            return Some(delivery);
        };
        if waiting.try_reserve(1).is_ok() {
            waiting.push_back(delivery);
        } else {
            delivery.lost(libc::ENOMEM);
        }
        None
    });
    while let Some(delivery) = next {
        if let Output::Function(function) = &*delivery.output {
            observe::unobserved(|| delivery.call(py, function));
        }
        drop(delivery);
        next = WAITING.with_borrow_mut(|waiting| {
            let next = waiting.as_mut().and_then(VecDeque::pop_front);
            if next.is_none() {
                *waiting = None;
            }
            next
        });
    }
}

/// What a function has raised is reported, unless the handler of a signal, which has run in the middle of it, has raised that: it is for the
/// program.
fn report(py: Python<'_>, error: PyErr) {
    let judge = || -> Result<bool> {
        let module = py.import(name!(py, "oxisocket._beyond.tracing")?)?;
        let verdict = module.call_method1(name!(py, "comes_from_signal")?, (error.value(py), error.traceback(py)))?;
        Ok(verdict.is_truthy()?)
    };
    match judge() {
        Ok(true) => later::raise(py, error.into()),
        Ok(false) => error.write_unraisable(py, None),
        Err(another) if another.is_no_memory(py) => {
            another.discard(py);
            error.write_unraisable(py, None);
        }
        Err(another) => {
            // Another signal, meanwhile.
            later::raise(py, error.into());
            later::raise(py, another);
        }
    }
}
