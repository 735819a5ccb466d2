//! A call, as the lines of a trace tell it.

use std::ffi::c_int;
use std::fmt;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use super::clock;
use super::line::Line;
use crate::sys::thread;
use crate::sys::time::time_of_day;

/// A call that begins to wait, or has ended.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    pub began: Instant,
    pub thread: Thread<'a>,
    /// The number that the trace gave to the socket.
    pub socket: Option<u64>,
    pub fd: Option<RawFd>,
    pub call: &'a str,
    pub arguments: &'a str,
    pub caller: Option<&'a str>,
    pub is_tls: bool,
    /// How it ended; `None` if it begins to wait.
    pub outcome: Option<Outcome<'a>>,
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub struct Thread<'a> {
    pub id: thread::Number,
    pub name: &'a str,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// The result or the error, in Python's words.
    pub answer: Result<&'a str, &'a str>,
    pub errno: Option<c_int>,
    pub took: Duration,
    pub waited: Duration,
    pub transfer: Transfer,
    /// What was transferred, or the beginning of it.
    pub data: &'a [u8],
    /// The address that the call has to do with, as JSON; empty if there is none.
    pub address: &'a str,
    /// The sockets that it has made.
    pub new: &'a [u64],
    /// How many descriptors went with a message.
    pub rights: usize,
}

/// What a call has transferred.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transfer {
    pub received: Option<u64>,
    pub sent: Option<u64>,
    pub peeked: Option<u64>,
    pub is_eof: bool,
}

/// How a line of text looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub colour: bool,
    pub callers: bool,
    /// The process, in a child that shares its parent's output.
    pub process: Option<libc::pid_t>,
}

impl Style {
    /// What each line begins with: the time, the process and the thread where there are several, the descriptor.
    pub fn begin_line(self, line: &mut Line, at: Instant, thread: Option<&str>, fd: Option<RawFd>) {
        let paint = Paint(self.colour);
        line.format(format_args!("{}{}{}  ", paint.dim(), TimeOfDay(at), paint.plain()));
        if let Some(process) = self.process {
            line.format(format_args!("process {process}  "));
        }
        if let Some(thread) = thread.filter(|thread| *thread != "MainThread") {
            line.harmless(format_args!("[{thread}]  "));
        }
        match fd {
            Some(fd) => line.format(format_args!("{fd:>3}  ")),
            None => line.push("     "),
        }
    }
}

impl Event<'_> {
    /// One line of JSON: `wait` or `call`. At most `limit` bytes of the data.
    pub fn write_json(&self, line: &mut Line, limit: usize) {
        let kind = if self.outcome.is_some() { "call" } else { "wait" };
        let t = clock::nanoseconds(self.began);
        line.format(format_args!("{{\"event\":\"{kind}\",\"t\":{t},\"thread\":{}", self.thread.id));
        if let Some(socket) = self.socket {
            line.format(format_args!(",\"socket\":{socket}"));
        }
        if let Some(fd) = self.fd {
            line.format(format_args!(",\"fd\":{fd}"));
        }
        line.format(format_args!(",\"call\":\"{}\",\"arguments\":", self.call));
        line.json_text(self.arguments);
        if let Some(outcome) = &self.outcome {
            outcome.write_json(line, limit);
        }
        if self.is_tls {
            line.push(",\"tls\":true");
        }
        if let Some(caller) = self.caller {
            line.push(",\"caller\":");
            line.json_text(caller);
        }
        line.push("}\n");
    }

    /// One line of text for people.
    pub fn write_text(&self, line: &mut Line, style: Style) {
        let paint = Paint(style.colour);
        let at = if self.outcome.is_some() { Instant::now() } else { self.began };
        style.begin_line(line, at, Some(self.thread.name), self.fd);
        line.format(format_args!("{}{}{}({})", paint.bold(), self.call, paint.plain(), self.arguments));
        match &self.outcome {
            None => line.format(format_args!(" {}waits …{}", paint.yellow(), paint.plain())),
            Some(outcome) => outcome.write_text(line, paint),
        }
        if self.is_tls {
            line.push("  TLS");
        }
        if let (true, Some(caller)) = (style.callers, self.caller) {
            line.format(format_args!("  {}", paint.dim()));
            line.harmless(format_args!("{caller}"));
            line.push(paint.plain());
        }
        line.push("\n");
    }
}

impl Outcome<'_> {
    fn write_json(&self, line: &mut Line, limit: usize) {
        let (name, text) = match self.answer {
            Ok(result) => ("result", result),
            Err(error) => ("error", error),
        };
        line.format(format_args!(",\"{name}\":"));
        line.json_text(text);
        if let Some(errno) = self.errno {
            line.format(format_args!(",\"errno\":{errno}"));
        }
        line.format(format_args!(",\"took\":{},\"waited\":{}", self.took.as_nanos(), self.waited.as_nanos()));
        let Transfer { received, sent, peeked, is_eof } = self.transfer;
        for (name, count) in [("in", received), ("out", sent), ("peeked", peeked)] {
            if let Some(count) = count {
                line.format(format_args!(",\"{name}\":{count}"));
            }
        }
        if is_eof {
            line.push(",\"eof\":true");
        }
        let data = self.data.get(..limit).unwrap_or(self.data);
        if !data.is_empty() {
            line.push(",\"data\":");
            line.base64(data);
        }
        if !self.address.is_empty() {
            line.format(format_args!(",\"address\":{}", self.address));
        }
        for (index, socket) in self.new.iter().enumerate() {
            line.format(format_args!("{}{socket}", if index == 0 { ",\"new\":[" } else { "," }));
        }
        if !self.new.is_empty() {
            line.push("]");
        }
        if self.rights > 0 {
            line.format(format_args!(",\"rights\":{}", self.rights));
        }
    }

    fn write_text(&self, line: &mut Line, paint: Paint) {
        match self.answer {
            Ok("None") => {}
            Ok(result) => line.format(format_args!(" = {result}")),
            Err(error) => line.format(format_args!("  {}✗ {error}{}", paint.red(), paint.plain())),
        }
        line.format(format_args!("  {}{}", paint.dim(), Lasted(self.took)));
        if self.waited >= Duration::from_micros(1) {
            line.format(format_args!(", waited {}", Lasted(self.waited)));
        }
        line.push(paint.plain());
    }
}

/// The escape sequences of a terminal (ECMA-48), or nothing.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn code(self, code: &'static str) -> &'static str {
        if self.0 { code } else { "" }
    }
    fn plain(self) -> &'static str {
        self.code("\x1b[0m")
    }
    fn dim(self) -> &'static str {
        self.code("\x1b[2m")
    }
    fn bold(self) -> &'static str {
        self.code("\x1b[1m")
    }
    fn red(self) -> &'static str {
        self.code("\x1b[31m")
    }
    fn yellow(self) -> &'static str {
        self.code("\x1b[33m")
    }
}

/// A duration for people.
struct Lasted(Duration);

impl fmt::Display for Lasted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        match seconds {
            1.0.. => write!(formatter, "{seconds:.2} s"),
            1e-3.. => write!(formatter, "{:.1} ms", seconds * 1e3),
            _ => write!(formatter, "{:.0} µs", seconds * 1e6),
        }
    }
}

/// The local time of day, with microseconds.
struct TimeOfDay(Instant);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = clock::nanoseconds(self.0);
        let (hour, minute, second) = time_of_day(nanoseconds / 1_000_000_000);
        let micros = nanoseconds / 1_000 % 1_000_000;
        write!(formatter, "{hour:02}:{minute:02}:{second:02}.{micros:06}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(outcome: Option<Outcome<'_>>) -> Event<'_> {
        let thread = Thread { id: 7, name: "worker" };
        Event {
            began: Instant::now(),
            thread,
            socket: Some(1),
            fd: Some(3),
            call: "recv",
            arguments: "1024",
            caller: Some("a.py:1"),
            is_tls: false,
            outcome,
        }
    }

    const OUTCOME: Outcome<'_> = Outcome {
        answer: Ok("b'x'"),
        errno: None,
        took: Duration::from_micros(1500),
        waited: Duration::from_micros(1),
        transfer: Transfer { received: Some(1), sent: None, peeked: None, is_eof: false },
        data: b"x",
        address: "",
        new: &[],
        rights: 0,
    };

    #[test]
    #[cfg_attr(miri, ignore = "asks for the time of day")]
    fn a_line_of_json() {
        let mut line = Line::default();
        event(Some(OUTCOME)).write_json(&mut line, 32);
        let text = line.text().unwrap();
        assert!(text.starts_with("{\"event\":\"call\",\"t\":"));
        let rest = "\"thread\":7,\"socket\":1,\"fd\":3,\"call\":\"recv\",\"arguments\":\"1024\",\"result\":\"b'x'\",\
            \"took\":1500000,\"waited\":1000,\"in\":1,\"data\":\"eA==\",\"caller\":\"a.py:1\"}\n";
        assert!(text.ends_with(rest), "{text}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "asks for the local time")]
    fn a_line_of_text() {
        let style = Style { colour: false, callers: true, process: None };
        let mut line = Line::default();
        event(Some(OUTCOME)).write_text(&mut line, style);
        event(None).write_text(&mut line, style);
        let text = line.text().unwrap();
        assert!(text.contains("[worker]    3  recv(1024) = b'x'  1.5 ms, waited 1 µs  a.py:1\n"), "{text}");
        assert!(text.contains("recv(1024) waits …  a.py:1\n"), "{text}");
    }
}
