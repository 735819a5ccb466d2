//! Where the events of a trace go: the recordings that run, and what is common to them.
//!
//! All of it is behind one lock. No Python code runs, and nothing waits, while it is held: what may wait is delivered afterwards.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::{CStr, CString, c_int};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::io;
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
use super::thread_name;
use crate::error::{Error, Result};
use crate::interpreter::make;
use crate::interpreter::watch::Watcher;
use crate::interpreter::{later, observe, signals};
use crate::name;
use crate::sys::record::Record;
use crate::sys::{memory, thread, wake};

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
    /// A file that could not be opened, for the reason with this errno: all is lost.
    Missing(c_int),
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

/// Whether there is memory to tell an event. If not, it counts as lost. What is large is allocated fallibly besides.
pub fn can_tell() -> bool {
    const ROOM: usize = 16 * 1024;
    let has_room = memory::has_room(ROOM);
    if !has_room {
        lock().state().lose();
    }
    has_room
}

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
pub fn begin(py: Python<'_>, plan: Plan) -> Result<u64> {
    watch_forks()?;
    let mut locked = lock();
    let state = locked.state();
    state.recordings.try_reserve(1)?;
    if state.recordings.is_empty() {
        // What an earlier recording knew is old: nobody has watched since.
        state.sockets.clear();
        state.pairs.clear();
        state.last_socket = 0;
    }
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
    deliver(py, delivery.into_iter().collect());
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
    // Before the lock: it makes objects.
    let thread = thread_name::current(py);
    let mut locked = lock();
    let state = locked.state();
    let index = state.recordings.iter().position(|recording| recording.handle == handle)?;
    let mut recording = state.recordings.remove(index);
    if state.recordings.is_empty() {
        observe::switch(false);
    }
    let open = state.sockets.values().filter(|facts| !facts.is_closed && recording.sockets.contains_key(&facts.number));
    let mut open: Vec<&Facts> = open.collect();
    open.sort_unstable_by_key(|facts| facts.number);
    let delivery = recording.exit(&open, &thread);
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

    /// Remembers a pair until both its sockets were seen. Of those that never are, a program may make any number.
    pub fn remember_pair(&mut self, pair: Option<[u64; 2]>) {
        const MOST: usize = 256;
        if self.pairs.len() >= MOST {
            self.pairs.remove(0);
        }
        if let Some(pair) = pair
            && self.pairs.try_reserve(1).is_ok()
        {
            self.pairs.push(pair);
        }
    }

    /// Forgets a socket, of which nothing more can be told.
    pub fn forget(&mut self, key: usize) {
        if let Some(facts) = self.sockets.remove(&key) {
            for recording in &mut self.recordings {
                recording.sockets.remove(&facts.number);
            }
        }
    }

    /// Notes that a socket has given its descriptor up, in a call that is not told.
    pub fn forget_descriptor(&mut self, key: usize) {
        if let Some(facts) = self.sockets.get_mut(&key) {
            facts.is_closed = true;
        }
    }

    /// Counts an event that cannot be told for lack of memory.
    pub fn lose(&self) {
        for recording in &self.recordings {
            recording.losses.count.fetch_add(1, Ordering::Relaxed);
            recording.losses.errno.store(libc::ENOMEM, Ordering::Relaxed);
        }
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

    /// Tells that a socket has given its descriptor up.
    pub fn tell_close(&mut self, key: usize, close: Close<'_>) -> Vec<Delivery> {
        let Some(facts) = self.sockets.get_mut(&key) else {
            return Vec::new();
        };
        facts.is_closed = true;
        let facts = &*facts;
        let mut deliveries = Vec::new();
        for recording in &mut self.recordings {
            let mut line = Line::default();
            if !recording.sockets.contains_key(&facts.number) {
                // A call that closes may be the first on its socket; but of one whose calls were not wanted, nothing is told.
                if !recording.filter.is_empty() {
                    continue;
                }
                recording.introduce(&mut line, facts);
            }
            recording.introduce_thread(&mut line, close.thread);
            match recording.form {
                Form::Json => close.write_json(&mut line, facts),
                Form::Text(style) if !close.is_told => close.write_text(&mut line, facts, style),
                Form::Text(_) => {}
            }
            deliveries.extend(recording.write(line));
        }
        deliveries
    }

    /// In a child process: gives each recording a file of its own, and lets it begin anew.
    fn become_child(&mut self, parent: libc::pid_t) {
        for recording in &mut self.recordings {
            let record = match &*recording.output {
                Output::File { path: Some(path), .. } => Record::create(own_path(path)),
                Output::File { number, .. } => {
                    // SAFETY: the number is not negative; `Record::new` only duplicates it, which fails if it is not open.
                    let fd = unsafe { BorrowedFd::borrow_raw(number.load(Ordering::Relaxed)) };
                    Record::new(fd, None)
                }
                // The function is the child's as well.
                Output::Function(_) | Output::Nothing | Output::Missing(_) => continue,
            };
            let shares = matches!(&*recording.output, Output::File { path: None, .. });
            let missing = |error: io::Error| Output::Missing(error.raw_os_error().unwrap_or(libc::EIO));
            recording.output = Arc::new(record.map_or_else(missing, file));
            recording.losses = Arc::default();
            recording.sockets.clear();
            recording.threads.clear();
            if let (Form::Text(style), true) = (&mut recording.form, shares) {
                style.process = Some(thread::process());
            }
            let delivery = recording.begin(Some(parent));
            // To a file. A function gets none here, inside the lock.
            if let Some(delivery) = delivery {
                delivery.write();
            }
        }
    }
}

/// The output that a record is.
pub fn file(record: Record) -> Output {
    let (may_block, number, path) = (record.may_block, record.number(), record.path());
    Output::File { record: Mutex::new(record), may_block, number: AtomicI32::new(number), path }
}

/// The path of a child's record: `trace.jsonl` becomes `trace.1234.jsonl`. A path may have any bytes.
fn own_path(path: &CStr) -> CString {
    let path = path.to_bytes();
    let name = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let dot = path[name..].iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
    let (stem, suffix) = path.split_at(dot.map_or(path.len(), |dot| name + dot));
    let own = [stem, format!(".{}", thread::process()).as_bytes(), suffix].concat();
    // SAFETY: it is made of a C string and of digits: there is no NUL in it.
    unsafe { CString::from_vec_unchecked(own) }
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

    /// The end: the sockets that are open. People are told of those that were made meanwhile.
    fn exit(&mut self, open: &[&Facts], thread: &str) -> Option<Delivery> {
        let mut line = Line::default();
        match self.form {
            Form::Json => self.write_exit(&mut line, open),
            Form::Text(style) => {
                for facts in open.iter().filter(|facts| !facts.is_found()) {
                    style.begin_line(&mut line, Instant::now(), thread, Some(facts.fd));
                    match &facts.opened {
                        Some(opened) => line.harmless(format_args!("is still open: it was opened at {opened}")),
                        None => line.push("is still open"),
                    }
                    line.push("\n");
                }
            }
        }
        self.write(line)
    }

    fn write_exit(&self, line: &mut Line, open: &[&Facts]) {
        line.format(format_args!("{{\"event\":\"exit\",\"t\":{},\"open\":[", clock::nanoseconds(Instant::now())));
        for (index, facts) in open.iter().enumerate() {
            line.format(format_args!("{}{}", if index == 0 { "" } else { "," }, facts.number));
        }
        line.format(format_args!("],\"lost\":{}}}\n", self.losses.count.load(Ordering::Relaxed)));
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
            Output::Missing(errno) => {
                delivery.lost(*errno);
                None
            }
            _ => Some(delivery),
        }
    }
}

impl Delivery {
    /// Writes the line to its file, in spite of signals.
    fn write(&self) {
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

/// A socket gives its descriptor up.
#[derive(Clone, Copy, Debug)]
pub struct Close<'a> {
    /// `close`, `detach` or `finalizer`.
    pub by: &'static str,
    pub thread: Thread<'a>,
    pub caller: Option<&'a str>,
    /// Whether a line of text about the call tells it already.
    pub is_told: bool,
}

impl Close<'_> {
    fn write_json(&self, line: &mut Line, facts: &Facts) {
        let t = clock::nanoseconds(Instant::now());
        line.format(format_args!(
            "{{\"event\":\"close\",\"t\":{t},\"thread\":{},\"socket\":{},\"fd\":{},\"by\":\"{}\"",
            self.thread.id, facts.number, facts.fd, self.by
        ));
        if let Some(caller) = self.caller {
            line.push(",\"caller\":");
            line.json_text(caller);
        }
        line.push("}\n");
    }

    fn write_text(&self, line: &mut Line, facts: &Facts, style: Style) {
        style.begin_line(line, Instant::now(), self.thread.name, Some(facts.fd));
        match (self.by, &facts.opened) {
            ("finalizer", Some(opened)) => {
                line.harmless(format_args!("✗ nobody closed this socket, which was opened at {opened}"));
            }
            ("finalizer", None) => line.push("✗ nobody closed this socket"),
            (by, _) => line.push(by),
        }
        line.push("\n");
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
