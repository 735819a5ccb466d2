//! The notes of `create_connection`, which tries the addresses of a host in turn and raises the error of the last one.

use std::ffi::c_int;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::exception::{list_of, set_list};
use super::facts::{Cause, End, Facts, Subject};
use super::gather::host_text;
use super::list;
use super::note::{Attempt, Content, EARLIER, Note, as_note};
use crate::call::failure::{Doing, Question};
use crate::call::hooks;
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::number::plain_long;
use crate::interpreter::text::utf8;
use crate::sys::memory::{self, try_format};

/// An attempt that has failed.
struct Failed<'a, 'py> {
    error: &'a Bound<'py, PyAny>,
    address: &'a Bound<'py, PyAny>,
    host: Option<&'a str>,
    local: Option<&'a Bound<'py, PyAny>>,
    after: Option<Duration>,
    cause: Cause,
}

/// `_note_attempt(error, address, host[, local, seconds, cause])`.
pub fn note_attempt<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let (Some(error), Some(address), Some(host)) = (arguments.get(0), arguments.get(1), arguments.get(2)) else {
        return Err(Error::type_error("_note_attempt() takes an error, an address and a host"));
    };
    if hooks::are_on() {
        let (local, seconds, cause) = (arguments.get(3), arguments.get(4), arguments.get(5));
        let failed = Failed {
            error: &error,
            address: &address,
            host: host_text(&host),
            local: local.as_deref(),
            after: duration(seconds.as_deref()),
            cause: cause_called(cause.as_deref()),
        };
        // The error itself is more important than its note.
        if let Err(refused) = failed.note() {
            refused.discard(py);
        }
    }
    Ok(py.None().into_bound(py))
}

impl Failed<'_, '_> {
    /// Adds the host to the note of a connection; or adds a note to an error that has none, such as that of a socket which could not be
    /// made, and the outcome of a connection that a non-blocking socket has begun.
    fn note(&self) -> Result<()> {
        match list_of(self.error)? {
            Some(list) if list::is_ours(&list) => {
                for item in list::raw_items(&list) {
                    let Some(facts) = as_note(&item).and_then(Note::facts) else {
                        continue;
                    };
                    facts.set_end(self.cause);
                    if let Some(host) = self.host {
                        facts.set_name(host)?;
                    }
                }
                Ok(())
            }
            Some(_) => Ok(()),
            None => match numeric_address(self.address) {
                Some(address) => self.add_note(address),
                None => Ok(()),
            },
        }
    }

    fn add_note(&self, address: SocketAddr) -> Result<()> {
        const ANY_PROTOCOL: c_int = 0;
        let subject = Subject::Call {
            doing: Doing::Connecting,
            target: Some(address.into()),
            name: OnceLock::new(),
            local: self.local.and_then(numeric_address).map(Into::into),
            peer: None,
            proto: ANY_PROTOCOL,
        };
        let facts = Facts::new(subject, self.cause.end(self.after), None);
        if let Some(host) = self.host {
            facts.set_name(host)?;
        }
        let list = list::new(self.error.py())?;
        list::add_facts(&list, facts)?;
        set_list(self.error, &list)
    }
}

/// A number of seconds.
fn duration(seconds: Option<&Bound<'_, PyAny>>) -> Option<Duration> {
    seconds?.extract().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

/// The cause that the package calls so; without one it is the error.
fn cause_called(name: Option<&Bound<'_, PyAny>>) -> Cause {
    name.and_then(|name| name.cast::<PyString>().ok()).and_then(utf8).and_then(Cause::called).unwrap_or(Cause::Error)
}

/// `_note_look_up(error, host, port, seconds=None, cause=None)`.
pub fn note_look_up<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let (Some(error), Some(host), Some(port)) = (arguments.get(0), arguments.get(1), arguments.get(2)) else {
        return Err(Error::type_error("_note_look_up() takes an error, a host and a port"));
    };
    if hooks::are_on() {
        let (seconds, cause) = (arguments.get(3), arguments.get(4));
        let end = cause_called(cause.as_deref()).end(duration(seconds.as_deref()));
        if let Err(refused) = set_look_up(&error, &host, &port, end) {
            refused.discard(py);
        }
    }
    Ok(py.None().into_bound(py))
}

/// Puts the note of a look-up of all families in place of those of the look-ups of each.
fn set_look_up(error: &Bound<'_, PyAny>, host: &Bound<'_, PyAny>, port: &Bound<'_, PyAny>, end: End) -> Result<()> {
    if list_of(error)?.is_some_and(|list| !list::is_ours(&list)) {
        return Ok(());
    }
    let text = |text: &str| memory::until_nul(text.as_bytes());
    let service = if port.is_none() { None } else { Some(port.str()?) };
    let question = Question::Addresses {
        host: host_text(host).map(text).transpose()?,
        service: service.as_ref().and_then(utf8).map(text).transpose()?,
        family: libc::AF_UNSPEC,
    };
    let list = list::new(error.py())?;
    list::add_facts(&list, Facts::new(Subject::LookUp(question), end, None))?;
    set_list(error, &list)
}

/// The socket address in a tuple `(host, port, …)`, as `getaddrinfo` returns it; `None` if the host is not numeric.
fn numeric_address(address: &Bound<'_, PyAny>) -> Option<SocketAddr> {
    let address = address.cast::<PyTuple>().ok()?;
    let host = address.get_item(0).ok()?;
    let port = plain_long(&address.get_item(1).ok()?)?;
    let ip: IpAddr = utf8(host.cast::<PyString>().ok()?)?.parse().ok()?;
    Some(SocketAddr::new(ip, u16::try_from(port).ok()?))
}

/// `_note_attempts(errors)`.
pub fn note_attempts<'py>(py: Python<'py>, errors: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    if hooks::are_on()
        && let Err(refused) = add_earlier(errors)
    {
        refused.discard(py);
    }
    Ok(py.None().into_bound(py))
}

/// Adds a note for each other error of a list to the last one, unless it has such notes: an exception object may be raised again.
fn add_earlier(errors: &Bound<'_, PyAny>) -> Result<()> {
    let errors = errors.cast::<PyList>()?;
    let Some((last, earlier)) = errors.len().checked_sub(1).map(|last| (last, 0..last)) else {
        return Ok(());
    };
    let last = errors.get_item(last)?;
    let list = if let Some(list) = list_of(&last)? {
        list
    } else {
        let list = list::new(last.py())?;
        set_list(&last, &list)?;
        list
    };
    if has_earlier(&list) {
        return Ok(());
    }
    for index in earlier {
        let error = errors.get_item(index)?;
        if !error.is(&last) {
            list::add(&list, earlier_attempt(&error)?)?;
        }
    }
    Ok(())
}

fn has_earlier(list: &Bound<'_, PyList>) -> bool {
    list::raw_items(list).any(|item| match as_note(&item) {
        Some(note) => note.facts().is_none(),
        None => item.cast::<PyString>().ok().and_then(utf8).is_some_and(|text| text.starts_with(EARLIER)),
    })
}

/// What is said about an attempt that has failed with this error.
fn earlier_attempt(error: &Bound<'_, PyAny>) -> Result<Content> {
    let text = error.str()?;
    let text = try_format(format_args!("{}", utf8(&text).unwrap_or("an error")))?;
    let first = list_of(error)?.and_then(|list| list::raw_item(&list, 0));
    let attempt = match &first {
        Some(item) => match as_note(item) {
            Some(note) if note.facts().is_some() => Attempt::Note(note.to_owned()),
            _ => Attempt::Text(try_format(format_args!("{}", utf8(&item.str()?).unwrap_or_default()))?),
        },
        None => Attempt::Text(String::new()),
    };
    Ok(Content::Earlier { attempt, error: text })
}
