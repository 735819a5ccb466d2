//! Where the events of a trace go: the recordings that run, and what is common to them.
//!
//! All of it is behind one lock. No Python code runs, and nothing waits, while it is held: what may wait is delivered afterwards.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ffi::{CString, c_int};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pyo3::prelude::*;

use super::clock;
use super::event::{Event, Style, Thread};
use super::filter::{Filter, Subject};
use super::line::Line;
use super::socket_facts::{Facts, Sockets};
use crate::error::{Error, Result};
use crate::interpreter::make;
use crate::interpreter::observe;
use crate::interpreter::watch::Watcher;
use crate::sys::record::Record;
use crate::sys::{thread, wake};

type Hasher = BuildHasherDefault<DefaultHasher>;

/// Where the lines of a recording go.
#[derive(Debug)]
pub enum Output {
    /// A file. The number is that of the record, for a child process, where another thread of the parent may hold the lock for ever.
    File { record: Mutex<Record>, may_block: bool, number: AtomicI32, path: Option<CString> },
    /// A function, which is called with each line.
    Function(Py<PyAny>),
    /// Nowhere: the calls are only counted.
    Nothing,
}

/// How the lines look.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// `docs/trace-format.md`.
    Json,
    /// For people.
    Text(Style),
}

/// How many events were lost, and the errno of the last loss.
#[derive(Debug, Default)]
pub struct Losses {
    pub count: AtomicU64,
    pub errno: AtomicI32,
}

/// One recording.
pub struct Recording {
    handle: u64,
    output: Arc<Output>,
    losses: Arc<Losses>,
    form: Form,
    /// How many bytes of data are kept.
    limit: usize,
    filter: Filter,
    /// What the `process` event says of the program: JSON, without the braces.
    program: String,
    /// The versions of the sockets, and the threads, that were told.
    sockets: HashMap<u64, u32, Hasher>,
    threads: HashSet<libc::pid_t, Hasher>,
    _watcher: Watcher,
}

/// The recordings, and what they know of sockets.
#[derive(Default)]
pub struct State {
    pub sockets: Sockets,
    /// The cookies of the pairs that `socketpair` has made, and that were not seen in sockets of the public class yet.
    pub pairs: Vec<[u64; 2]>,
    last_socket: u64,
    last_recording: u64,
    recordings: Vec<Recording>,
    /// Whether this is a child process that has not begun its own records yet, and the process that it was forked from.
    forked_from: Option<libc::pid_t>,
}

/// A line for an output that may have to wait.
pub struct Delivery {
    output: Arc<Output>,
    losses: Arc<Losses>,
    line: Line,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

/// The state, locked. It is made by [`begin`].
pub struct Locked(MutexGuard<'static, Option<State>>);

/// Locks the state.
pub fn lock() -> Locked {
    Locked(STATE.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Locked {
    /// The state; in a child process its recordings have been made its own.
    pub fn state(&mut self) -> &mut State {
        let state = self.0.get_or_insert_default();
        if let Some(parent) = state.forked_from.take() {
            state.become_child(parent);
        }
        state
    }
}

/// A recording that is to begin.
pub struct Plan {
    pub output: Output,
    pub form: Form,
    pub limit: usize,
    pub filter: Filter,
    pub program: String,
}

/// Begins a recording. Returns its handle.
pub fn begin(plan: Plan) -> Result<u64> {
    watch_forks()?;
    let mut locked = lock();
    let state = locked.state();
    state.recordings.try_reserve(1)?;
    state.last_recording += 1;
    let mut recording = Recording {
        handle: state.last_recording,
        output: Arc::new(plan.output),
        losses: Arc::default(),
        form: plan.form,
        limit: plan.limit,
        filter: plan.filter,
        program: plan.program,
        sockets: HashMap::default(),
        threads: HashSet::default(),
        _watcher: Watcher::new(),
    };
    let delivery = recording.begin(None);
    state.recordings.push(recording);
    observe::switch(true);
    let handle = state.last_recording;
    drop(locked);
    deliver_without_waiting(delivery);
    Ok(handle)
}

/// What is left of a recording that has ended.
pub struct Ended {
    /// How many events were lost, and the errno of the last loss.
    pub lost: u64,
    pub errno: c_int,
    /// Where its record is: in a child process, one of its own.
    pub path: Option<CString>,
}

/// Ends a recording. `None` for a handle that is not known.
pub fn end(py: Python<'_>, handle: u64) -> Option<Ended> {
    let mut locked = lock();
    let state = locked.state();
    let index = state.recordings.iter().position(|recording| recording.handle == handle)?;
    let mut recording = state.recordings.remove(index);
    if state.recordings.is_empty() {
        observe::switch(false);
    }
    let open = state.sockets.values().filter(|facts| !facts.is_closed && recording.sockets.contains_key(&facts.number));
    let mut open: Vec<u64> = open.map(|facts| facts.number).collect();
    open.sort_unstable();
    let delivery = recording.exit(&open);
    drop(locked);
    deliver(py, delivery.into_iter().collect());
    let path = match &*recording.output {
        Output::File { path, .. } => path.clone(),
        _ => None,
    };
    let Losses { count, errno } = &*recording.losses;
    let ended = Ended { lost: count.load(Ordering::Relaxed), errno: errno.load(Ordering::Relaxed), path };
    release(py, recording);
    Some(ended)
}

/// Drops a recording, with the function that it calls.
fn release(py: Python<'_>, recording: Recording) {
    if let Ok(Output::Function(function)) = Arc::try_unwrap(recording.output) {
        drop(function.into_bound(py));
    }
}

impl State {
    /// The number of the next socket.
    pub fn next_socket(&mut self) -> u64 {
        self.last_socket += 1;
        self.last_socket
    }

    /// The most bytes of data that any recording keeps.
    pub fn limit(&self) -> usize {
        self.recordings.iter().map(|recording| recording.limit).max().unwrap_or(0)
    }

    /// Tells an event to all recordings that want it. What may have to wait is returned.
    pub fn tell(
        &mut self,
        event: &Event<'_>,
        subject: &Subject<'_>,
        socket: Option<usize>,
        new: &[usize],
    ) -> Vec<Delivery> {
        let facts = socket.and_then(|key| self.sockets.get(&key));
        let mut deliveries = Vec::new();
        for recording in &mut self.recordings {
            if !recording.filter.lets_pass(subject) {
                continue;
            }
            let mut line = Line::default();
            for facts in facts.into_iter().chain(new.iter().filter_map(|key| self.sockets.get(key))) {
                recording.introduce(&mut line, facts);
            }
            recording.introduce_thread(&mut line, event.thread);
            match recording.form {
                Form::Json => event.write_json(&mut line, recording.limit),
                Form::Text(style) => event.write_text(&mut line, style),
            }
            deliveries.extend(recording.write(line));
        }
        deliveries
    }

    /// Tells that a socket has given its descriptor up. `is_told` says that a line of text about the call has told it already.
    pub fn tell_close(&mut self, key: usize, by: &str, caller: Option<&str>, is_told: bool) -> Vec<Delivery> {
        let Some(facts) = self.sockets.get_mut(&key) else {
            return Vec::new();
        };
        facts.is_closed = true;
        let facts = &*facts;
        let mut deliveries = Vec::new();
        for recording in &mut self.recordings {
            if !recording.sockets.contains_key(&facts.number) {
                continue;
            }
            let mut line = Line::default();
            match recording.form {
                Form::Json => write_close_json(&mut line, facts, by, caller),
                Form::Text(style) if !is_told => write_close_text(&mut line, facts, by, style),
                Form::Text(_) => {}
            }
            deliveries.extend(recording.write(line));
        }
        deliveries
    }

    /// In a child process: gives each recording a file of its own, and lets it begin anew.
    fn become_child(&mut self, parent: libc::pid_t) {
        for recording in &mut self.recordings {
            let output = match &*recording.output {
                Output::File { path: Some(path), .. } => {
                    own_path(path).and_then(|path| file(Record::create(path).ok()?))
                }
                Output::File { number, .. } => {
                    // SAFETY: the number is not negative; `Record::new` only duplicates it, which fails if it is not open.
                    let fd = unsafe { BorrowedFd::borrow_raw(number.load(Ordering::Relaxed)) };
                    Record::new(fd, None).ok().and_then(file)
                }
                // The function is the child's as well.
                Output::Function(_) | Output::Nothing => continue,
            };
            let shares = matches!(&*recording.output, Output::File { path: None, .. });
            recording.output = Arc::new(output.unwrap_or(Output::Nothing));
            recording.sockets.clear();
            recording.threads.clear();
            if let (Form::Text(style), true) = (&mut recording.form, shares) {
                style.process = Some(thread::process());
            }
            let delivery = recording.begin(Some(parent));
            deliver_without_waiting(delivery);
        }
    }
}

/// The output that a record is.
pub fn file(record: Record) -> Option<Output> {
    let (may_block, number, path) = (record.may_block, record.number(), record.path());
    Some(Output::File { record: Mutex::new(record), may_block, number: AtomicI32::new(number), path })
}

/// The path of a child's record: `trace.jsonl` becomes `trace.1234.jsonl`.
fn own_path(path: &CString) -> Option<CString> {
    let text = path.to_str().ok()?;
    let folder = text.rfind('/').map_or(0, |slash| slash + 1);
    let dot = text[folder..].rfind('.').filter(|dot| *dot > 0).map_or(text.len(), |dot| folder + dot);
    CString::new(format!("{}.{}{}", &text[..dot], thread::process(), &text[dot..])).ok()
}

impl Recording {
    /// The first line.
    fn begin(&mut self, parent: Option<libc::pid_t>) -> Option<Delivery> {
        let Form::Json = self.form else { return None };
        let mut line = Line::default();
        let (t, process) = (clock::nanoseconds(Instant::now()), thread::process());
        line.format(format_args!("{{\"event\":\"process\",\"t\":{t},\"format\":1,\"pid\":{process}"));
        if let Some(parent) = parent {
            line.format(format_args!(",\"parent\":{parent}"));
        }
        line.format(format_args!(",{},\"bytes\":{}}}\n", self.program, self.limit));
        self.write(line)
    }

    /// The last line.
    fn exit(&mut self, open: &[u64]) -> Option<Delivery> {
        let Form::Json = self.form else { return None };
        let mut line = Line::default();
        line.format(format_args!("{{\"event\":\"exit\",\"t\":{},\"open\":[", clock::nanoseconds(Instant::now())));
        for (index, socket) in open.iter().enumerate() {
            line.format(format_args!("{}{socket}", if index == 0 { "" } else { "," }));
        }
        line.format(format_args!("],\"lost\":{}}}\n", self.losses.count.load(Ordering::Relaxed)));
        self.write(line)
    }

    fn introduce(&mut self, line: &mut Line, facts: &Facts) {
        let told = self.sockets.get(&facts.number).copied();
        if told == Some(facts.version) || self.sockets.try_reserve(1).is_err() {
            return;
        }
        self.sockets.insert(facts.number, facts.version);
        if let Form::Json = self.form {
            facts.write_json(line);
        }
    }

    fn introduce_thread(&mut self, line: &mut Line, thread: Thread<'_>) {
        if self.threads.try_reserve(1).is_err() || !self.threads.insert(thread.id) {
            return;
        }
        if let Form::Json = self.form {
            let t = clock::nanoseconds(Instant::now());
            line.format(format_args!("{{\"event\":\"thread\",\"t\":{t},\"thread\":{},\"name\":", thread.id));
            line.json_text(thread.name);
            line.push("}\n");
        }
    }

    /// Writes a line, or returns it if that may have to wait.
    fn write(&self, line: Line) -> Option<Delivery> {
        if line.len() == 0 || matches!(&*self.output, Output::Nothing) {
            return None;
        }
        let delivery = Delivery { output: self.output.clone(), losses: self.losses.clone(), line };
        match &*self.output {
            Output::File { may_block: false, .. } => {
                delivery.write();
                None
            }
            _ => Some(delivery),
        }
    }
}

impl Delivery {
    /// Writes the line to its file.
    fn write(&self) {
        let Output::File { record, number, .. } = &*self.output else { return };
        let Some(text) = self.line.text() else {
            return self.lost(libc::ENOMEM);
        };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = record.append(text.as_bytes()) {
            self.lost(error.raw_os_error().unwrap_or(libc::EIO));
        }
        number.store(record.number(), Ordering::Relaxed);
    }

    fn lost(&self, errno: c_int) {
        self.losses.count.fetch_add(1, Ordering::Relaxed);
        self.losses.errno.store(errno, Ordering::Relaxed);
    }

    fn call(&self, py: Python<'_>, function: &Py<PyAny>) {
        let result = match self.line.text() {
            Some(text) => {
                make::text(py, text).and_then(|text| Ok(function.bind(py).call1(make::tuple(py, [text])?)?))
            }
            None => Err(Error::NoMemory),
        };
        if let Err(error) = result {
            self.lost(libc::EIO);
            error.into_pyerr(py).write_unraisable(py, None);
        }
    }
}

/// Delivers lines, without the lock. The thread is detached while a write may wait. What a function does with sockets is not traced.
pub fn deliver(py: Python<'_>, deliveries: Vec<Delivery>) {
    for delivery in deliveries {
        match &*delivery.output {
            Output::File { .. } => py.detach(|| delivery.write()),
            Output::Function(function) => observe::unobserved(|| delivery.call(py, function)),
            Output::Nothing => {}
        }
    }
}

/// Delivers a first line to a file. A function gets none.
fn deliver_without_waiting(delivery: Option<Delivery>) {
    if let Some(delivery) = delivery {
        delivery.write();
    }
}

fn write_close_json(line: &mut Line, facts: &Facts, by: &str, caller: Option<&str>) {
    let t = clock::nanoseconds(Instant::now());
    line.format(format_args!(
        "{{\"event\":\"close\",\"t\":{t},\"thread\":{},\"socket\":{},\"fd\":{},\"by\":\"{by}\"",
        thread::Id::current().number(),
        facts.number,
        facts.fd
    ));
    if let Some(caller) = caller {
        line.push(",\"caller\":");
        line.json_text(caller);
    }
    line.push("}\n");
}

fn write_close_text(line: &mut Line, facts: &Facts, by: &str, style: Style) {
    style.begin_line(line, Instant::now(), "MainThread", Some(facts.fd));
    match (by, &facts.opened) {
        ("finalizer", Some(opened)) => {
            line.format(format_args!("✗ nobody closed this socket, which was opened at {opened}\n"));
        }
        ("finalizer", None) => line.push("✗ nobody closed this socket\n"),
        (by, _) => line.format(format_args!("{by}\n")),
    }
}

thread_local! {
    /// The lock that a thread holds while it forks. If another thread held it, the child process would wait for it for ever.
    static FORK_LOCK: Cell<Option<MutexGuard<'static, Option<State>>>> = const { Cell::new(None) };
}

static PARENT: AtomicI32 = AtomicI32::new(0);

extern "C" fn before_fork() {
    let Locked(locked) = lock();
    PARENT.store(thread::process(), Ordering::Relaxed);
    let _ = FORK_LOCK.try_with(|cell| cell.set(Some(locked)));
}

extern "C" fn after_fork_in_parent() {
    let _ = FORK_LOCK.try_with(Cell::take);
}

extern "C" fn after_fork_in_child() {
    if let Ok(Some(mut locked)) = FORK_LOCK.try_with(Cell::take)
        && let Some(state) = &mut *locked
        && !state.recordings.is_empty()
    {
        state.forked_from = Some(PARENT.load(Ordering::Relaxed));
    }
}

/// Registers the fork handlers, with the first recording.
fn watch_forks() -> Result<()> {
    static DONE: Mutex<bool> = Mutex::new(false);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*done {
        wake::around_fork(before_fork, after_fork_in_parent, after_fork_in_child)?;
        *done = true;
    }
    Ok(())
}

/// The descriptor that a program gave for a record.
pub fn record_on(number: RawFd, path: Option<CString>) -> Result<Record> {
    // SAFETY: the number is not negative, which the caller has checked. Not guaranteed: that it is open: then the calls on it fail.
    Ok(Record::new(unsafe { BorrowedFd::borrow_raw(number) }, path)?)
}
