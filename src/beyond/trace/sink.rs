//! Where the lines of a recording go: a file, or a function.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{CString, c_int};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use super::line::Line;
use crate::error::{Error, Result};
use crate::interpreter::{later, make, observe, signals};
use crate::name;
use crate::sys::memory;
use crate::sys::per_thread::PerThread;
use crate::sys::record::Record;
use crate::sys::shared::Shared;

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

/// The output that a record is.
pub fn file(record: Record) -> Result<Output> {
    let path = record.path().map(|path| memory::until_nul(path.to_bytes())).transpose()?;
    let (may_block, number) = (record.may_block, record.number());
    Ok(Output::File { record: Mutex::new(record), may_block, number: AtomicI32::new(number), path })
}

/// The descriptor that a program gave for a record.
pub fn record_on(number: RawFd, path: Option<CString>) -> Result<Record> {
    // SAFETY: the number is not negative, which the caller has checked. Not guaranteed: that it is open: then the calls on it fail.
    Ok(Record::new(unsafe { BorrowedFd::borrow_raw(number) }, path)?)
}

/// Where the lines of a recording go, and what was lost on the way. A line that has to wait outlives the lock, and perhaps the recording.
#[derive(Debug)]
pub struct Sink {
    pub output: Output,
    /// How many events were lost, and the errno of the last loss.
    pub lost: AtomicU64,
    pub errno: AtomicI32,
}

impl Sink {
    /// A sink; or its output, if there is no memory.
    pub fn try_new(output: Output) -> std::result::Result<Shared<Self>, Output> {
        let sink = Sink { output, lost: AtomicU64::new(0), errno: AtomicI32::new(0) };
        Shared::try_new(sink).map_err(|sink| sink.output)
    }

    pub fn lose(&self, errno: c_int) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.errno.store(errno, Ordering::Relaxed);
    }
}

/// Drops a sink; its output, unless a line still waits for that.
pub fn end_sink(py: Python<'_>, sink: Shared<Sink>) {
    if let Some(sink) = sink.into_inner() {
        release(py, sink.output);
    }
}

/// Drops an output. (PyO3 would put the release of a function off, for which it needs memory.)
pub fn release(py: Python<'_>, output: Output) {
    if let Output::Function(function) = output {
        drop(function.into_bound(py));
    }
}

/// A line for an output that may have to wait.
pub struct Delivery {
    pub sink: Shared<Sink>,
    pub line: Line,
}

impl Delivery {
    /// Writes the line to its file, in spite of signals.
    pub fn write(&self) {
        while let Err(error) = self.try_to_write() {
            if error.kind() != io::ErrorKind::Interrupted {
                return self.sink.lose(error.raw_os_error().unwrap_or(libc::EIO));
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
                        self.sink.lose(libc::EINTR);
                        return later::raise(py, raised);
                    }
                }
                Err(error) => return self.sink.lose(error.raw_os_error().unwrap_or(libc::EIO)),
            }
        }
    }

    /// Writes the line to its file. It fails with EINTR when a signal comes while it waits.
    fn try_to_write(&self) -> io::Result<()> {
        let Output::File { record, number, .. } = &self.sink.output else { return Ok(()) };
        let Some(text) = self.line.text() else {
            return Err(io::Error::from_raw_os_error(libc::ENOMEM));
        };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        let written = record.append(text.as_bytes());
        number.store(record.number(), Ordering::Relaxed);
        written
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
            self.sink.lose(if no_memory { libc::ENOMEM } else { libc::EIO });
            if no_memory {
                error.discard(py);
            } else {
                report(py, function, error.into_pyerr(py));
            }
        }
    }
}

/// The lines for functions that came to a thread while a function ran: a finalizer has closed a socket, for example.
static WAITING: PerThread<RefCell<Option<VecDeque<Delivery>>>> = PerThread::new();

/// Delivers lines, without the lock. The thread is detached while a write may wait. What a function does with sockets is not traced.
pub fn deliver(py: Python<'_>, deliveries: impl IntoIterator<Item = Delivery>) {
    for delivery in deliveries {
        match &delivery.sink.output {
            Output::File { .. } => delivery.write_detached(py),
            Output::Function(_) => call_in_turn(py, delivery),
            Output::Nothing | Output::Missing(_) => {}
        }
    }
}

/// Calls the function of a delivery, or has the call of one that runs in this thread do it afterwards.
fn call_in_turn(py: Python<'_>, delivery: Delivery) {
    let mut given = Some(delivery);
    let is_first = WAITING.with(|waiting| match &mut *waiting.borrow_mut() {
        Some(waiting) => {
            if waiting.try_reserve(1).is_ok() {
                waiting.extend(given.take());
            }
            false
        }
        nothing => {
            *nothing = Some(VecDeque::new());
            true
        }
    });
    if is_first != Some(true) {
        if let Some(lost) = given {
            lost.sink.lose(libc::ENOMEM);
            end_sink(py, lost.sink);
        }
        return;
    }
    let mut next = given;
    while let Some(delivery) = next {
        if let Output::Function(function) = &delivery.sink.output {
            observe::unobserved(|| delivery.call(py, function));
        }
        end_sink(py, delivery.sink);
        next = WAITING
            .with_known(|waiting| {
                let mut waiting = waiting.borrow_mut();
                let next = waiting.as_mut().and_then(VecDeque::pop_front);
                if next.is_none() {
                    *waiting = None;
                }
                next
            })
            .flatten();
    }
}

/// What a function has raised is reported, unless the handler of a signal, which has run in the middle of it, has raised that: it is for the
/// program.
fn report(py: Python<'_>, function: &Py<PyAny>, error: PyErr) {
    let judge = || -> Result<bool> {
        let module = py.import(name!(py, "oxisocket._beyond.tracing")?)?;
        let verdict = module.call_method1(name!(py, "comes_from_signal")?, (error.value(py), error.traceback(py)))?;
        Ok(verdict.is_truthy()?)
    };
    match judge() {
        Ok(true) => later::raise(py, error.into()),
        Ok(false) => error.write_unraisable(py, Some(function.bind(py))),
        Err(another) if another.is_no_memory(py) => {
            another.discard(py);
            error.write_unraisable(py, Some(function.bind(py)));
        }
        Err(another) => {
            // Another signal, meanwhile.
            later::raise(py, error.into());
            later::raise(py, another);
        }
    }
}
