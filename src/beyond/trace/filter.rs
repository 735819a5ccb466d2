//! Which calls a trace shows: `port 5432 and not call recv`.
//!
//! The words are those of pcap-filter(7), as far as there is a call for them: `host`, `port`, `tcp`, `udp`, `ip`, `ip6`; and `unix`,
//! `path TEXT`, `fd NUMBER`, `thread TEXT`, `call NAME`, `error`. They are joined by `and`, `or`, `not` and parentheses.

use std::ffi::c_int;
use std::os::fd::RawFd;

use socket2::SockAddr;

use crate::address::unix;

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
    Stream,
    Datagram,
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

impl Filter {
    /// Parses a filter. The error is a text for its writer.
    pub fn parse(text: &str) -> Result<Self, String> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let mut words = spaced.split_whitespace().peekable();
        if words.peek().is_none() {
            return Ok(Filter(None));
        }
        let condition = any(&mut words, 0)?;
        match words.next() {
            None => Ok(Filter(Some(condition))),
            Some(word) => Err(format!("'{word}' is not expected there: conditions are joined by 'and' or 'or'")),
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

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// How deep parentheses and `not` may go, so that no text can use up the stack.
const DEPTH: usize = 64;

fn any(words: &mut Words<'_>, depth: usize) -> Result<Condition, String> {
    joined(words, "or", depth, Condition::Any, |words, depth| joined(words, "and", depth, Condition::All, one))
}

fn joined(
    words: &mut Words<'_>,
    by: &str,
    depth: usize,
    join: fn(Vec<Condition>) -> Condition,
    part: impl Fn(&mut Words<'_>, usize) -> Result<Condition, String>,
) -> Result<Condition, String> {
    let first = part(words, depth)?;
    let mut all = vec![first];
    while words.next_if_eq(&by).is_some() {
        all.push(part(words, depth)?);
    }
    if all.len() > 1 {
        return Ok(join(all));
    }
    all.pop().ok_or_else(|| "a condition is missing".to_owned())
}

fn one(words: &mut Words<'_>, depth: usize) -> Result<Condition, String> {
    if depth > DEPTH {
        return Err("the parentheses are too deep".to_owned());
    }
    let word = words.next().ok_or("a condition is missing at the end")?;
    let mut value =
        || words.next().filter(|value| *value != "(" && *value != ")").ok_or(format!("'{word}' needs a value"));
    Ok(match word {
        "host" => Condition::Host(value()?.to_owned()),
        "port" => Condition::Port(number(word, value()?)?.into()),
        "path" => Condition::Path(value()?.to_owned()),
        "fd" => Condition::Fd(number(word, value()?)?),
        "thread" => Condition::Thread(value()?.to_owned()),
        "call" => Condition::Call(value()?.to_owned()),
        "tcp" => Condition::All(vec![internet(), Condition::Stream]),
        "udp" => Condition::All(vec![internet(), Condition::Datagram]),
        "ip" => Condition::Family(libc::AF_INET),
        "ip6" => Condition::Family(libc::AF_INET6),
        "unix" => Condition::Family(libc::AF_UNIX),
        "error" => Condition::Error,
        "not" => Condition::Not(Box::new(one(words, depth + 1)?)),
        "(" => {
            let inner = any(words, depth + 1)?;
            words.next_if_eq(&")").ok_or("a parenthesis is not closed")?;
            inner
        }
        _ => {
            return Err(format!(
                "'{word}' is not known. Known are: host, port, tcp, udp, ip, ip6, unix, path, fd, thread, call, error, and, or, not"
            ));
        }
    })
}

fn internet() -> Condition {
    Condition::Any(vec![Condition::Family(libc::AF_INET), Condition::Family(libc::AF_INET6)])
}

fn number(word: &str, value: &str) -> Result<c_int, String> {
    value.parse().map_err(|_| format!("'{word}' needs a number, not '{value}'"))
}

impl Condition {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        let addresses = || subject.addresses.into_iter().flatten();
        match self {
            Condition::Host(host) => {
                subject.given.is_some_and(|(given, _)| given == host)
                    || addresses().filter_map(SockAddr::as_socket).any(|known| known.ip().to_string() == *host)
            }
            Condition::Port(port) => {
                subject.given.is_some_and(|(_, given)| given == *port)
                    || addresses().filter_map(SockAddr::as_socket).any(|known| i64::from(known.port()) == *port)
            }
            Condition::Path(path) => {
                subject.path.is_some_and(|given| given.contains(path.as_str()))
                    || addresses()
                        .filter(|known| c_int::from(known.family()) == libc::AF_UNIX)
                        .any(|known| String::from_utf8_lossy(unix::path_of(known)).contains(path.as_str()))
            }
            Condition::Fd(fd) => subject.fd == Some(*fd),
            Condition::Thread(thread) => subject.thread.contains(thread.as_str()),
            Condition::Call(call) => subject.call == call,
            Condition::Family(family) => subject.family_and_kind.is_some_and(|(known, _)| known == *family),
            Condition::Stream => subject.family_and_kind.is_some_and(|(_, kind)| kind == libc::SOCK_STREAM),
            Condition::Datagram => subject.family_and_kind.is_some_and(|(_, kind)| kind == libc::SOCK_DGRAM),
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
            let error = Filter::parse(filter).unwrap_err();
            assert!(error.contains(told), "{filter}: {error}");
        }
        let many = if cfg!(miri) { 2 * DEPTH } else { 100_000 };
        assert!(Filter::parse(&"(".repeat(many)).is_err());
        assert!(Filter::parse(&"not ".repeat(many)).is_err());
    }
}
