//! The recordings that run, and what is common to them.
//!
//! All of it is behind one lock. No Python code runs, and nothing waits, while it is held: what may wait is delivered afterwards.

use std::collections::{HashMap, HashSet};
use std::ffi::{CString, c_int};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::closing::Closing;
use super::event::Event;
use super::filter::{Filter, Subject};
use super::line::Line;
use super::recording::{Form, Recording};
use super::sink::{Delivery, Output, Sink, deliver, end_sink, release};
use super::socket_facts::Sockets;
use crate::error::{Error, Result};
use crate::interpreter::observe;
use crate::interpreter::watch::Watcher;
use crate::sys::fork::{Held, around_fork};
use crate::sys::{memory, thread};

/// The output that is asked for.
pub enum Target<'py> {
    File(Output),
    Function(Bound<'py, PyAny>),
    Nothing,
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
pub struct Plan<'py> {
    pub output: Target<'py>,
    pub form: Form,
    pub limit: usize,
    pub filter: Filter,
    pub program: String,
}

/// Begins a recording. Returns its handle.
pub fn begin(py: Python<'_>, plan: Plan<'_>) -> Result<u64> {
    watch_forks()?;
    let output = match plan.output {
        Target::File(output) => output,
        Target::Function(function) => Output::Function(function.unbind()),
        Target::Nothing => Output::Nothing,
    };
    let sink = Sink::try_new(output).map_err(|output| {
        release(py, output);
        Error::NoMemory
    })?;
    let mut locked = lock();
    let state = locked.state();
    if state.recordings.try_reserve(1).is_err() {
        drop(locked);
        end_sink(py, sink);
        return Err(Error::NoMemory);
    }
    if state.recordings.is_empty() {
        // What an earlier recording knew is old: nobody has watched since.
        state.sockets.clear();
        state.pairs.clear();
        state.last_socket = 0;
    }
    state.last_recording += 1;
    let mut recording = Recording {
        handle: state.last_recording,
        sink,
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
    deliver(py, delivery);
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
    let delivery = if let Ok(mut open) = memory::try_collect(open) {
        open.sort_unstable_by_key(|facts| facts.number);
        recording.exit(&open)
    } else {
        recording.sink.lose(libc::ENOMEM);
        None
    };
    drop(locked);
    deliver(py, delivery);
    let path = match &recording.sink.output {
        Output::File { path, .. } => path.as_deref().and_then(|path| memory::until_nul(path.to_bytes()).ok()),
        _ => None,
    };
    let Sink { lost, errno, .. } = &*recording.sink;
    let ended = Ended { lost: lost.load(Ordering::Relaxed), errno: errno.load(Ordering::Relaxed), path };
    end_sink(py, recording.sink);
    Some(ended)
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
            recording.sink.lose(libc::ENOMEM);
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
            recording.write(line, &mut deliveries);
        }
        deliveries
    }

    /// Tells that a socket has given its descriptor up.
    pub fn tell_close(&mut self, key: usize, closing: Closing<'_>) -> Vec<Delivery> {
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
            recording.introduce_thread(&mut line, closing.thread);
            match recording.form {
                Form::Json => closing.write_json(&mut line, facts),
                Form::Text(style) if !closing.is_told => closing.write_text(&mut line, facts, style),
                Form::Text(_) => {}
            }
            recording.write(line, &mut deliveries);
        }
        deliveries
    }

    /// In a child process: gives each recording a file of its own, and lets it begin anew. One for which there is no memory has ended.
    fn become_child(&mut self, parent: libc::pid_t) {
        self.recordings.retain_mut(|recording| recording.become_childs(parent).is_ok());
        if self.recordings.is_empty() {
            observe::switch(false);
        }
    }
}

static HELD: Held<MutexGuard<'static, Option<State>>> = Held::new();

static PARENT: AtomicI32 = AtomicI32::new(0);

extern "C" fn before_fork() {
    let Locked(locked) = lock();
    PARENT.store(thread::process(), Ordering::Relaxed);
    // SAFETY: this is a lock, and this handler comes before a fork.
    unsafe { HELD.put(locked) };
}

extern "C" fn after_fork_in_parent() {
    // SAFETY: the handler before the fork has put it here.
    drop(unsafe { HELD.take() });
}

extern "C" fn after_fork_in_child() {
    // SAFETY: the handler before the fork has put it here.
    if let Some(mut locked) = unsafe { HELD.take() }
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
        around_fork(before_fork, after_fork_in_parent, after_fork_in_child)?;
        *done = true;
    }
    Ok(())
}
