//! One recording: what it has told, and how it tells the next.

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, CString, c_int};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::clock;
use super::event::{Style, Thread};
use super::filter::Filter;
use super::line::Line;
use super::sink::{Delivery, Output, Sink, file};
use super::socket_facts::Facts;
use crate::error::{Error, Result};
use crate::interpreter::watch::Watcher;
use crate::sys::record::Record;
use crate::sys::shared::Shared;
use crate::sys::{memory, thread};

type Hasher = BuildHasherDefault<DefaultHasher>;

/// How the lines look.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// `docs/trace-format.md`.
    Json,
    /// For people.
    Text(Style),
}

/// One recording.
pub struct Recording {
    pub handle: u64,
    pub sink: Shared<Sink>,
    pub form: Form,
    /// How many bytes of data are kept.
    pub limit: usize,
    pub filter: Filter,
    /// What the `process` event says of the program: JSON, without the braces.
    pub program: String,
    /// The versions of the sockets, and the threads, that were told.
    pub sockets: HashMap<u64, u32, Hasher>,
    pub threads: HashSet<thread::Number, Hasher>,
    pub _watcher: Watcher,
}

impl Recording {
    /// In a child process: has a file of its own, and begins anew.
    pub fn become_childs(&mut self, parent: libc::pid_t) -> Result<()> {
        let record = match &self.sink.output {
            Output::File { path: Some(path), .. } => own_path(path).and_then(|path| Ok(Record::create(path)?)),
            Output::File { number, .. } => {
                // SAFETY: the number is not negative; `Record::new` only duplicates it, which fails if it is not open.
                let fd = unsafe { BorrowedFd::borrow_raw(number.load(Ordering::Relaxed)) };
                Record::new(fd, None).map_err(Error::from)
            }
            // The function is the child's as well.
            Output::Function(_) | Output::Nothing | Output::Missing(_) => return Ok(()),
        };
        let shares = matches!(&self.sink.output, Output::File { path: None, .. });
        self.sink = Sink::try_new(match record.and_then(file) {
            Ok(file) => file,
            Err(Error::Os(errno)) => Output::Missing(errno as c_int),
            Err(_) => Output::Missing(libc::ENOMEM),
        })
        .map_err(|_| Error::NoMemory)?;
        self.sockets.clear();
        self.threads.clear();
        if let (Form::Text(style), true) = (&mut self.form, shares) {
            style.process = Some(thread::process());
        }
        // To a file. A function gets none here, inside the lock.
        if let Some(delivery) = self.begin(Some(parent)) {
            delivery.write();
        }
        Ok(())
    }

    /// The first line.
    pub fn begin(&mut self, parent: Option<libc::pid_t>) -> Option<Delivery> {
        let Form::Json = self.form else { return None };
        let mut line = Line::default();
        let (t, process) = (clock::nanoseconds(Instant::now()), thread::process());
        line.format(format_args!("{{\"event\":\"process\",\"t\":{t},\"format\":1,\"pid\":{process}"));
        if let Some(parent) = parent {
            line.format(format_args!(",\"parent\":{parent}"));
        }
        line.format(format_args!(",{},\"bytes\":{}}}\n", self.program, self.limit));
        self.written(line)
    }

    /// The end: the sockets that are open. People are told of those that were made meanwhile.
    pub fn exit(&mut self, open: &[&Facts]) -> Option<Delivery> {
        let mut line = Line::default();
        match self.form {
            Form::Json => self.write_exit(&mut line, open),
            Form::Text(style) => {
                for facts in open.iter().filter(|facts| !facts.is_found()) {
                    style.begin_line(&mut line, Instant::now(), None, Some(facts.fd));
                    match &facts.opened {
                        Some(opened) => line.harmless(format_args!("is still open: it was opened at {opened}")),
                        None => line.push("is still open"),
                    }
                    line.push("\n");
                }
            }
        }
        self.written(line)
    }

    pub fn write_exit(&self, line: &mut Line, open: &[&Facts]) {
        line.format(format_args!("{{\"event\":\"exit\",\"t\":{},\"open\":[", clock::nanoseconds(Instant::now())));
        for (index, facts) in open.iter().enumerate() {
            line.format(format_args!("{}{}", if index == 0 { "" } else { "," }, facts.number));
        }
        line.format(format_args!("],\"lost\":{}}}\n", self.sink.lost.load(Ordering::Relaxed)));
    }

    pub fn introduce(&mut self, line: &mut Line, facts: &Facts) {
        let told = self.sockets.get(&facts.number).copied();
        if told == Some(facts.version) || self.sockets.try_reserve(1).is_err() {
            return;
        }
        self.sockets.insert(facts.number, facts.version);
        if let Form::Json = self.form {
            facts.write_json(line);
        }
    }

    pub fn introduce_thread(&mut self, line: &mut Line, thread: Thread<'_>) {
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

    /// Writes a line, or adds it to the deliveries if that may have to wait.
    pub fn write(&self, line: Line, deliveries: &mut Vec<Delivery>) {
        if deliveries.try_reserve(1).is_err() {
            self.sink.lose(libc::ENOMEM);
        } else {
            deliveries.extend(self.written(line));
        }
    }

    /// Writes a line, or returns it if that may have to wait.
    pub fn written(&self, line: Line) -> Option<Delivery> {
        if line.len() == 0 || matches!(self.sink.output, Output::Nothing) {
            return None;
        }
        let delivery = Delivery { sink: self.sink.clone(), line };
        match &self.sink.output {
            Output::File { may_block: false, .. } => {
                delivery.write();
                None
            }
            Output::Missing(errno) => {
                self.sink.lose(*errno);
                None
            }
            _ => Some(delivery),
        }
    }
}

/// The path of a child's record: `trace.jsonl` becomes `trace.1234.jsonl`. A path may have any bytes.
fn own_path(path: &CStr) -> Result<CString> {
    let path = path.to_bytes();
    let name = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let dot = path[name..].iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
    let (stem, suffix) = path.split_at(dot.map_or(path.len(), |dot| name + dot));
    let process = memory::try_format(format_args!(".{}", thread::process()))?;
    let mut own = memory::try_with_capacity(path.len() + process.len())?;
    for part in [stem, process.as_bytes(), suffix] {
        own.extend_from_slice(part);
    }
    Ok(memory::until_nul(&own)?)
}
