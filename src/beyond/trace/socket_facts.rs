//! What a trace knows of each socket.

use std::collections::HashMap;
use std::ffi::c_int;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use socket2::SockAddr;

use super::address;
use super::clock;
use super::line::Line;
use super::words;
use crate::call::socket::{Mark, Socket};
use crate::sys::memory;
pub use crate::sys::socket::cookie;
use crate::sys::socket::{getpeername, getsockname};

/// What made a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// It was there before the trace began.
    Found,
    /// `socket(family, type, proto)`.
    Socket,
    /// `socket(fileno=…)`.
    FromFd,
    /// `accept`, on the socket with this number.
    Accept(u64),
    /// `dup`, of the socket with this number.
    Dup(u64),
    /// `socketpair`; the number of the other one, once it is known.
    Pair(Option<u64>),
}

/// What is known of one socket.
#[derive(Debug)]
pub struct Facts {
    /// The number that the trace has given it.
    pub number: u64,
    /// How often the facts that a `socket` event tells have changed.
    pub version: u32,
    /// The descriptor; the last one, if it is closed.
    pub fd: RawFd,
    family: c_int,
    kind: c_int,
    proto: c_int,
    /// The kernel's number for the socket.
    pub cookie: Option<u64>,
    /// The addresses, as far as they are known.
    pub local: Option<SockAddr>,
    pub peer: Option<SockAddr>,
    listens: bool,
    by: By,
    /// Where in the program it was made.
    pub opened: Option<String>,
    /// When it was made, or found.
    pub began: Instant,
    /// Whether it has given its descriptor up.
    pub is_closed: bool,
    pub counts: Counts,
}

/// What calls have done on a socket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub received: u64,
    pub sent: u64,
    pub calls: u64,
    pub waited: Duration,
}

/// The sockets of this process that a trace has seen, by the addresses of their memory.
pub type Sockets = HashMap<usize, Facts, BuildHasherDefault<DefaultHasher>>;

/// The key of a socket.
pub fn key(socket: &Socket) -> usize {
    std::ptr::from_ref(socket).addr()
}

impl Facts {
    /// Whether the socket was there before the trace began.
    pub fn is_found(&self) -> bool {
        self.by == By::Found
    }

    /// The facts of a socket that is seen for the first time.
    pub fn new(py: Python<'_>, number: u64, socket: &Socket, by: By, opened: Option<&str>) -> Self {
        let mut facts = Facts {
            number,
            version: 1,
            fd: socket.descriptor().number(),
            family: socket.family(),
            kind: socket.kind(),
            proto: socket.proto(),
            cookie: socket.descriptor().attached(py, cookie).ok(),
            local: None,
            peer: None,
            listens: false,
            by,
            opened: opened.and_then(copy),
            began: Instant::now(),
            is_closed: false,
            counts: Counts::default(),
        };
        facts.ask_names(py, socket);
        socket.set_mark(Mark::Traced, true);
        facts
    }

    /// Asks the kernel for the addresses that are not known yet.
    pub fn ask_names(&mut self, py: Python<'_>, socket: &Socket) {
        let found = socket.descriptor().attached(py, |fd| Ok((getsockname(fd).ok(), getpeername(fd).ok())));
        let Ok((local, peer)) = found else { return };
        let local = local.filter(address::is_complete);
        if local != self.local || peer != self.peer {
            self.local = local;
            self.peer = peer;
            self.version += 1;
        }
    }

    /// Whether an address is missing that a call may have given it.
    pub fn lacks_names(&self) -> bool {
        self.local.is_none() || (self.peer.is_none() && self.kind == libc::SOCK_STREAM && !self.listens)
    }

    /// It listens now.
    pub fn set_listens(&mut self) {
        self.listens = true;
        self.version += 1;
    }

    /// What made it, if it was only found until now.
    pub fn set_origin(&mut self, by: By, opened: Option<&str>) {
        if self.is_found() {
            self.by = by;
            self.opened = opened.and_then(copy);
            self.version += 1;
        }
    }

    /// It is one of a pair whose other one was not seen yet.
    pub fn begin_pair(&mut self) {
        self.by = By::Pair(None);
        self.version += 1;
    }

    /// The other one of its pair.
    pub fn set_twin(&mut self, twin: u64) {
        self.by = By::Pair(Some(twin));
        self.version += 1;
    }

    /// Whether `socketpair` has made it.
    pub fn is_of_pair(&self) -> bool {
        matches!(self.by, By::Pair(_))
    }

    /// The family and the type, for the filter.
    pub fn family_and_kind(&self) -> (c_int, c_int) {
        (self.family, self.kind)
    }

    /// The `socket` event.
    pub fn write_json(&self, line: &mut Line) {
        line.format(format_args!(
            "{{\"event\":\"socket\",\"t\":{},\"socket\":{},\"fd\":{},\"family\":",
            clock::nanoseconds(Instant::now()),
            self.number,
            self.fd
        ));
        name_or_number(line, "AF_", self.family);
        line.push(",\"type\":");
        name_or_number(line, "SOCK_", self.kind);
        line.format(format_args!(",\"proto\":{}", self.proto));
        if let Some(cookie) = self.cookie {
            line.format(format_args!(",\"cookie\":\"{cookie}\""));
        }
        for (name, known) in [("local", &self.local), ("peer", &self.peer)] {
            if let Some(known) = known {
                line.format(format_args!(",\"{name}\":"));
                address::write_json(line, known);
            }
        }
        if self.listens {
            line.push(",\"listening\":true");
        }
        match self.by {
            By::Found => line.push(",\"by\":\"found\""),
            By::Socket => line.push(",\"by\":\"socket\""),
            By::FromFd => line.push(",\"by\":\"fromfd\""),
            By::Accept(of) => line.format(format_args!(",\"by\":\"accept\",\"of\":{of}")),
            By::Dup(of) => line.format(format_args!(",\"by\":\"dup\",\"of\":{of}")),
            By::Pair(None) => line.push(",\"by\":\"socketpair\""),
            By::Pair(Some(twin)) => line.format(format_args!(",\"by\":\"socketpair\",\"twin\":{twin}")),
        }
        if let Some(opened) = &self.opened {
            line.push(",\"opened\":");
            line.json_text(opened);
        }
        line.push("}\n");
    }
}

/// A copy of a text; `None` if there is no memory.
fn copy(text: &str) -> Option<String> {
    memory::try_to_string(text).ok()
}

fn name_or_number(line: &mut Line, prefix: &str, number: c_int) {
    match words::constant(prefix, number.into()) {
        Some(name) => line.json_text(name),
        None => line.format(format_args!("{number}")),
    }
}
