//! The arguments of a call in Python's words.

use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString};

use super::catalogue::Kind;
use super::data;
use super::line::Line;
use super::words;
use crate::interpreter::number::plain_long;
use crate::interpreter::observe::{Call, Given};
use crate::interpreter::text::utf8;
use crate::sys::socket::KIND_FLAGS;

/// The positional arguments, and the keyword arguments with their names.
pub struct Arguments<'py> {
    pub positional: Vec<Bound<'py, PyAny>>,
    pub named: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    /// The size of the memory that stands for them.
    memory: Option<usize>,
}

impl<'py> Arguments<'py> {
    /// The arguments of a call. Fewer of them if there is no memory for all.
    pub fn of(call: &Call<'_, 'py>) -> Self {
        let mut all = Arguments::none();
        match call.arguments {
            Given::Values(values, names) => {
                let named = names.map_or(0, |names| names.len());
                for (index, value) in values.iter().enumerate() {
                    // SAFETY: the values are objects that live until the call has ended.
                    let value = unsafe { Bound::from_borrowed_ptr(call.receiver.py(), *value) };
                    match (index + named).checked_sub(values.len()) {
                        Some(index) => all.push_named(names.and_then(|names| names.get_item(index).ok()), value),
                        None => all.push(value),
                    }
                }
            }
            Given::Tuple(tuple, dict) => {
                tuple.iter().for_each(|value| all.push(value));
                for (name, value) in dict.into_iter().flat_map(|dict| dict.iter()) {
                    all.push_named(Some(name), value);
                }
            }
            Given::Memory(size) => all.memory = Some(size),
        }
        all
    }

    /// No arguments.
    pub fn none() -> Self {
        Arguments { positional: Vec::new(), named: Vec::new(), memory: None }
    }

    fn push(&mut self, value: Bound<'py, PyAny>) {
        if self.positional.try_reserve(1).is_ok() {
            self.positional.push(value);
        }
    }

    fn push_named(&mut self, name: Option<Bound<'py, PyAny>>, value: Bound<'py, PyAny>) {
        if let Some(name) = name
            && self.named.try_reserve(1).is_ok()
        {
            self.named.push((name, value));
        }
    }

    /// The argument at this index, or of this name.
    pub fn get(&self, index: usize, name: &str) -> Option<&Bound<'py, PyAny>> {
        let is_named = |known: &Bound<'py, PyAny>| known.cast::<PyString>().ok().and_then(utf8) == Some(name);
        let named = || self.named.iter().find(|(known, _)| is_named(known)).map(|(_, value)| value);
        self.positional.get(index).or_else(named)
    }

    /// A number among them.
    pub fn number(&self, index: usize, name: &str) -> Option<i64> {
        self.get(index, name).and_then(plain_long)
    }

    /// The address that a call is given.
    pub fn target(&self, kind: Kind) -> Option<&Bound<'py, PyAny>> {
        match kind {
            Kind::Address => self.positional.first().or_else(|| self.named.first().map(|(_, value)| value)),
            Kind::SendTo => self.positional.last(),
            Kind::SendMessage => self.get(3, "address").filter(|address| !address.is_none()),
            _ => None,
        }
    }

    /// The flags of a transfer.
    pub fn flags(&self, kind: Kind) -> i64 {
        let index = match kind {
            Kind::Receive | Kind::ReceiveFrom | Kind::Send | Kind::SendAll => 1,
            Kind::SendTo if self.positional.len() < 3 => return 0,
            Kind::SendTo => 1,
            _ => 2,
        };
        self.number(index, "flags").unwrap_or(0)
    }

    /// Writes them as they stand in the program, with names for numbers. Of data, `limit` bytes are shown.
    pub fn write(&self, line: &mut Line, call: &str, kind: Kind, limit: usize) {
        if let Some(size) = self.memory {
            line.format(format_args!("<buffer of {size} bytes>"));
        }
        let positional = self.positional.iter().enumerate().map(|(index, value)| (index, None, value));
        let named = self.named.iter().map(|(name, value)| {
            let name = name.cast::<PyString>().ok().and_then(utf8).unwrap_or("?");
            (position(name), Some(name), value)
        });
        for (count, (index, name, value)) in positional.chain(named).enumerate() {
            if count > 0 {
                line.push(", ");
            }
            if count == words::ITEMS {
                line.format(format_args!("… {} more", self.positional.len() + self.named.len() - count));
                break;
            }
            if let Some(name) = name {
                line.harmless(format_args!("{name}="));
            }
            self.write_one(line, call, kind, limit, index, value);
        }
    }

    fn write_one(
        &self,
        line: &mut Line,
        call: &str,
        kind: Kind,
        limit: usize,
        index: usize,
        value: &Bound<'py, PyAny>,
    ) {
        match (call, kind, index) {
            ("socket" | "socketpair", _, 0) | ("getaddrinfo", _, 2) => words::named(line, value, &["AF_"]),
            ("socket" | "socketpair", _, 1) => socket_type(line, value),
            ("getaddrinfo", _, 3) => words::named(line, value, &["SOCK_"]),
            ("shutdown", _, 0) => words::named(line, value, &["SHUT_"]),
            ("setsockopt" | "getsockopt" | "getsockopt_bytes", _, 0) => {
                words::named(line, value, &["SOL_SOCKET", "IPPROTO_", "SOL_"]);
            }
            ("setsockopt" | "getsockopt" | "getsockopt_bytes", _, 1) => {
                words::named(line, value, self.option_prefixes());
            }
            (_, Kind::Send | Kind::SendAll | Kind::SendTo, 0) => {
                if data::with_bytes(value, |bytes| words::of_bytes(line, bytes, limit)).is_none() {
                    words::object(line, value, limit);
                }
            }
            _ if index == flags_index(kind) && self.is_flags(kind) => words::flags(line, value, "MSG_"),
            _ => words::object(line, value, limit),
        }
    }

    /// Whether the argument at the place of the flags is the flags.
    fn is_flags(&self, kind: Kind) -> bool {
        kind != Kind::SendTo || self.positional.len() > 2
    }

    /// What the names of the options of a level begin with.
    fn option_prefixes(&self) -> &'static [&'static str] {
        match self.number(0, "level").and_then(|level| i32::try_from(level).ok()) {
            Some(libc::SOL_SOCKET) => &["SO_"],
            Some(libc::IPPROTO_TCP) => &["TCP_"],
            Some(libc::IPPROTO_IP) => &["IP_"],
            Some(libc::IPPROTO_IPV6) => &["IPV6_"],
            Some(libc::IPPROTO_UDP) => &["UDP_"],
            _ => &[],
        }
    }
}

/// The place of a keyword argument among the positional ones, where its meaning matters.
fn position(name: &str) -> usize {
    match name {
        "family" => 0,
        "type" => 1,
        _ => usize::MAX,
    }
}

fn flags_index(kind: Kind) -> usize {
    match kind {
        Kind::Receive | Kind::ReceiveFrom | Kind::Send | Kind::SendAll | Kind::SendTo => 1,
        Kind::ReceiveInto
        | Kind::ReceiveFromInto
        | Kind::ReceiveMessage
        | Kind::ReceiveMessageInto
        | Kind::SendMessage => 2,
        _ => usize::MAX - 1,
    }
}

/// The type of a socket, with the flags that may be in it.
fn socket_type(line: &mut Line, value: &Bound<'_, PyAny>) {
    let flags = KIND_FLAGS.iter().fold(0, |flags, (flag, _)| flags | i64::from(*flag));
    let number = plain_long(value).filter(|number| number & flags != 0 && value.is_instance_of::<PyInt>());
    let Some(number) = number else {
        return words::named(line, value, &["SOCK_"]);
    };
    match words::constant("SOCK_", number & !flags) {
        Some(name) => line.push(name),
        None => line.format(format_args!("{}", number & !flags)),
    }
    for (_, name) in KIND_FLAGS.iter().filter(|(flag, _)| number & i64::from(*flag) != 0) {
        line.push("|");
        line.push(name);
    }
}
