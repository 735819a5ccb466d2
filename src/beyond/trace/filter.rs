//! Which calls a trace shows: `port 5432 and not call recv`.
//!
//! The words are those of pcap-filter(7), as far as there is a call for them: `host`, `port`, `tcp`, `udp`, `ip`, `ip6`; and `unix`,
//! `path TEXT`, `fd NUMBER`, `thread TEXT`, `call NAME`, `error`. They are joined by `and`, `or`, `not` and parentheses.

use std::ffi::c_int;
use std::fmt::{self, Write};
use std::iter::Peekable;
use std::os::fd::RawFd;

use socket2::SockAddr;

use super::catalogue;
use crate::address::unix;
use crate::error::{Error, Result};
use crate::sys::{memory, search};

/// A filter; the empty one lets everything pass.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Filter(Option<Condition>);

#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Host(String),
    Port(i64),
    Path(String),
    Fd(RawFd),
    Thread(String),
    Call(String),
    Family(c_int),
    Tcp,
    Udp,
    Error,
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// What is known of a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// The family and the type of the socket, if the call has one.
    pub family_and_kind: Option<(c_int, c_int)>,
    /// The addresses of the socket.
    pub addresses: [Option<&'a SockAddr>; 2],
    /// The host and the port that the program has given, or got.
    pub given: Option<(&'a str, i64)>,
    /// The path that the program has given.
    pub path: Option<&'a str>,
    /// The descriptor.
    pub fd: Option<RawFd>,
    /// The name of the thread.
    pub thread: &'a str,
    /// The name of the call.
    pub call: &'a str,
    /// Whether it has failed.
    pub has_failed: bool,
}

impl Subject<'_> {
    /// Whether the socket is of this type, and of the Internet.
    fn is_internet(&self, kind: c_int) -> bool {
        self.family_and_kind == Some((libc::AF_INET, kind)) || self.family_and_kind == Some((libc::AF_INET6, kind))
    }
}

impl Filter {
    /// Parses a filter. A mistake in it is a `ValueError` that tells its writer.
    pub fn parse(text: &str) -> Result<Self> {
        let mut words = Words(text).peekable();
        if words.peek().is_none() {
            return Ok(Filter(None));
        }
        let condition = any(&mut words, 0)?;
        match words.next() {
            None => Ok(Filter(Some(condition))),
            Some(word) => {
                Err(mistake(format_args!("'{word}' is not expected there: conditions are joined by 'and' or 'or'")))
            }
        }
    }

    /// Whether it lets everything pass.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a call passes.
    pub fn lets_pass(&self, subject: &Subject<'_>) -> bool {
        self.0.as_ref().is_none_or(|condition| condition.holds(subject))
    }
}

/// The words of a filter. A parenthesis is a word.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        let ends = |character: char| character.is_whitespace() || matches!(character, '(' | ')');
        let end = match text.find(ends) {
            Some(0) => 1,
            Some(end) => end,
            None if text.is_empty() => return None,
            None => text.len(),
        };
        let (word, rest) = text.split_at(end);
        self.0 = rest;
        Some(word)
    }
}

fn mistake(text: fmt::Arguments<'_>) -> Error {
    Error::value(format_args!("the filter: {text}"))
}

/// How deep parentheses and `not` may go, so that no text can use up the stack.
const DEPTH: usize = 64;

fn any(words: &mut Peekable<Words<'_>>, depth: usize) -> Result<Condition> {
    joined(words, "or", depth, Condition::Any, |words, depth| joined(words, "and", depth, Condition::All, one))
}

fn joined(
    words: &mut Peekable<Words<'_>>,
    by: &str,
    depth: usize,
    join: fn(Vec<Condition>) -> Condition,
    part: impl Fn(&mut Peekable<Words<'_>>, usize) -> Result<Condition>,
) -> Result<Condition> {
    let first = part(words, depth)?;
    if words.peek() != Some(&by) {
        return Ok(first);
    }
    let mut all = memory::try_with_capacity(2)?;
    all.push(first);
    while words.next_if_eq(&by).is_some() {
        all.try_reserve(1)?;
        all.push(part(words, depth)?);
    }
    Ok(join(all))
}

fn one(words: &mut Peekable<Words<'_>>, depth: usize) -> Result<Condition> {
    if depth > DEPTH {
        return Err(mistake(format_args!("the parentheses are too deep")));
    }
    let word = words.next().ok_or_else(|| mistake(format_args!("a condition is missing at the end")))?;
    let mut value = || {
        let value = words.next().filter(|value| *value != "(" && *value != ")");
        value.ok_or_else(|| mistake(format_args!("'{word}' needs a value")))
    };
    Ok(match word {
        "host" => Condition::Host(memory::try_to_string(value()?)?),
        "port" => Condition::Port(number(word, value()?)?.into()),
        "path" => Condition::Path(memory::try_to_string(value()?)?),
        "fd" => Condition::Fd(number(word, value()?)?),
        "thread" => Condition::Thread(memory::try_to_string(value()?)?),
        "call" => Condition::Call(memory::try_to_string(call(value()?)?)?),
        "tcp" => Condition::Tcp,
        "udp" => Condition::Udp,
        "ip" => Condition::Family(libc::AF_INET),
        "ip6" => Condition::Family(libc::AF_INET6),
        "unix" => Condition::Family(libc::AF_UNIX),
        "error" => Condition::Error,
        "not" => Condition::Not(memory::try_box(one(words, depth + 1)?).map_err(|_| Error::NoMemory)?),
        "(" => {
            let inner = any(words, depth + 1)?;
            words.next_if_eq(&")").ok_or_else(|| mistake(format_args!("a parenthesis is not closed")))?;
            inner
        }
        _ => {
            return Err(mistake(format_args!(
                "'{word}' is not known. Known are: host, port, tcp, udp, ip, ip6, unix, path, fd, thread, call, error, and, or, not"
            )));
        }
    })
}

fn call(name: &str) -> Result<&str> {
    if catalogue::has_call(name) { Ok(name) } else { Err(mistake(format_args!("no call is named '{name}'"))) }
}

fn number(word: &str, value: &str) -> Result<c_int> {
    let number = value.parse().ok().filter(|number| *number >= 0);
    number.ok_or_else(|| mistake(format_args!("'{word}' needs a number, not '{value}'")))
}

/// Whether a value is written so.
fn is_written(value: impl fmt::Display, text: &str) -> bool {
    let mut rest = Rest(text);
    write!(rest, "{value}").is_ok() && rest.0.is_empty()
}

/// What is left of a text that is compared with what is written.
struct Rest<'a>(&'a str);

impl Write for Rest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
        Ok(())
    }
}

impl Condition {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        let addresses = || subject.addresses.into_iter().flatten();
        match self {
            Condition::Host(host) => {
                subject.given.is_some_and(|(given, _)| given == host)
                    || addresses().filter_map(SockAddr::as_socket).any(|known| is_written(known.ip(), host))
            }
            Condition::Port(port) => {
                subject.given.is_some_and(|(_, given)| given == *port)
                    || addresses().filter_map(SockAddr::as_socket).any(|known| i64::from(known.port()) == *port)
            }
            Condition::Path(path) => {
                subject.path.is_some_and(|given| given.contains(path.as_str()))
                    || addresses()
                        .filter(|known| c_int::from(known.family()) == libc::AF_UNIX)
                        .any(|known| search::find(unix::path_of(known), path.as_bytes()).is_some())
            }
            Condition::Fd(fd) => subject.fd == Some(*fd),
            Condition::Thread(thread) => subject.thread.contains(thread.as_str()),
            Condition::Call(call) => subject.call == call,
            Condition::Family(family) => subject.family_and_kind.is_some_and(|(known, _)| known == *family),
            Condition::Tcp => subject.is_internet(libc::SOCK_STREAM),
            Condition::Udp => subject.is_internet(libc::SOCK_DGRAM),
            Condition::Error => subject.has_failed,
            Condition::Not(condition) => !condition.holds(subject),
            Condition::All(conditions) => conditions.iter().all(|condition| condition.holds(subject)),
            Condition::Any(conditions) => conditions.iter().any(|condition| condition.holds(subject)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;

    fn passes(filter: &str, subject: &Subject<'_>) -> bool {
        Filter::parse(filter).unwrap().lets_pass(subject)
    }

    #[test]
    fn conditions_are_joined() {
        let address = SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 5432)));
        let subject = Subject {
            family_and_kind: Some((libc::AF_INET, libc::SOCK_STREAM)),
            addresses: [None, Some(&address)],
            fd: Some(3),
            thread: "worker-1",
            call: "recv",
            ..Subject::default()
        };
        for filter in [
            "",
            "port 5432",
            "host 127.0.0.1 and tcp",
            "udp or fd 3",
            "not (call send or error)",
            "thread worker",
            "ip",
        ] {
            assert!(passes(filter, &subject), "{filter}");
        }
        for filter in ["port 5431", "udp", "not port 5432", "tcp and error", "unix", "ip6 or fd 4"] {
            assert!(!passes(filter, &subject), "{filter}");
        }
        assert!(passes("port 80", &Subject { given: Some(("localhost", 80)), ..Subject::default() }));
        assert!(passes("path run", &Subject { path: Some("/run/socket"), ..Subject::default() }));
    }

    #[test]
    fn mistakes_are_told() {
        for (filter, told) in [
            ("port", "'port' needs a value"),
            ("port x", "needs a number"),
            ("port 1 port 2", "'port' is not expected there"),
            ("prot 1", "'prot' is not known"),
            ("(tcp", "not closed"),
            ("tcp and", "missing"),
            ("tcp )", "not expected"),
        ] {
            match Filter::parse(filter) {
                Err(Error::Message(message)) => assert!(message.1.contains(told), "{filter}: {}", message.1),
                other => panic!("{filter}: {other:?}"),
            }
        }
        let many = if cfg!(miri) { 2 * DEPTH } else { 100_000 };
        assert!(Filter::parse(&"(".repeat(many)).is_err());
        assert!(Filter::parse(&"not ".repeat(many)).is_err());
    }
}
