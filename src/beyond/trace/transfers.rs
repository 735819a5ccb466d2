//! What a call has transferred, from its arguments and its result.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use super::arguments::Arguments;
use super::catalogue::Kind;
use super::data;
use super::event::Transfer;
use super::frames::Said;
use crate::interpreter::number::plain_long;
use crate::sys::message;

/// What a call has transferred.
#[derive(Default)]
pub struct Transferred<'py> {
    pub transfer: Transfer,
    /// The beginning of the data.
    pub data: Vec<u8>,
    /// The address that it came from or went to.
    pub address: Option<Bound<'py, PyAny>>,
    /// How many descriptors went with it.
    pub rights: usize,
}

/// How a call has ended: with this result, or this exception.
pub type Answer<'a, 'py> = Result<&'a Bound<'py, PyAny>, &'a Bound<'py, PyAny>>;

/// What a call has transferred: as its result says, or what it has said of itself before it failed. `limit` bytes of the data are kept; on a
/// `stream`, to receive nothing is the end.
pub fn of<'py>(
    kind: Kind,
    arguments: &Arguments<'py>,
    answer: Answer<'_, 'py>,
    said: &Said,
    limit: usize,
    stream: bool,
) -> Transferred<'py> {
    let mut found = Transferred { address: arguments.target(kind).cloned(), ..Transferred::default() };
    if said.in_parts {
        return found;
    }
    let first = arguments.positional.first().or_else(|| arguments.named.first().map(|(_, value)| value));
    let mut received = None;
    match (kind, answer) {
        (Kind::Receive | Kind::ReadTls, Ok(result)) => {
            received = found.received(result, arguments.get(1, "buffer"), limit);
        }
        (Kind::Receive | Kind::ReceiveInto, Err(_)) => {
            received = said.received;
            data::copy(&said.data, limit, &mut found.data);
            found.transfer.is_eof = said.is_eof;
        }
        (Kind::ReceiveInto, Ok(result)) => {
            received = found.received(result, first, limit);
            if first.is_none() {
                data::copy(&said.data, limit, &mut found.data);
            }
        }
        (Kind::ReceiveFrom, Ok(result)) => {
            received = part(result, 0).and_then(|data| found.received(&data, None, limit));
            found.address = part(result, 1);
        }
        (Kind::ReceiveFromInto, Ok(result)) => {
            received = part(result, 0).and_then(|count| found.received(&count, first, limit));
            found.address = part(result, 1);
        }
        (Kind::ReceiveMessage | Kind::ReceiveMessageInto, Ok(result)) => {
            received = part(result, 0).and_then(|data| found.received(&data, None, limit));
            if let (Kind::ReceiveMessageInto, Some(buffers), Some(count)) = (kind, first, received) {
                data::gather(buffers, limit.min(as_size(count)), &mut found.data);
            }
            found.rights = part(result, 1).map_or(0, |messages| rights(&messages));
            found.address = part(result, 3).filter(|address| !address.is_none());
        }
        (Kind::Send | Kind::SendAll | Kind::SendTo, _) => {
            let sent = match (kind, answer) {
                (Kind::SendAll, Ok(_)) => {
                    first.and_then(|data| data::with_bytes(data, <[u8]>::len)).map(|length| length as u64)
                }
                (_, Ok(result)) => count(result),
                (_, Err(_)) => said.sent,
            };
            if let (Some(data), Some(sent)) = (first, sent) {
                data::with_bytes(data, |bytes| data::copy(bytes, limit.min(as_size(sent)), &mut found.data));
            }
            found.transfer.sent = sent;
        }
        (Kind::SendMessage, Ok(result)) => {
            found.transfer.sent = count(result);
            if let (Some(buffers), Some(sent)) = (first, found.transfer.sent) {
                data::gather(buffers, limit.min(as_size(sent)), &mut found.data);
            }
            found.rights = arguments.get(1, "ancdata").map_or(0, rights);
        }
        (Kind::SendFile, Ok(result)) => found.transfer.sent = count(result),
        (Kind::SendFile, Err(_)) => found.transfer.sent = said.sent,
        _ => {}
    }
    if let Some(received) = received {
        let has = |flag: i32| kind != Kind::ReadTls && arguments.flags(kind) & i64::from(flag) != 0;
        if has(message::ERROR_QUEUE) {
            // A copy of what was sent, with the error that came of it.
        } else if has(libc::MSG_PEEK) {
            found.transfer.peeked = Some(received);
        } else {
            found.transfer.received = Some(received);
            let is_end = answer.is_ok() && received == 0 && stream;
            found.transfer.is_eof |= is_end && asks_for_something(kind, arguments, first);
        }
    }
    found
}

impl Transferred<'_> {
    /// How many bytes a call has received: those of its result, or as many as the result says, in `buffer`. Keeps the beginning of them.
    fn received(&mut self, result: &Bound<'_, PyAny>, buffer: Option<&Bound<'_, PyAny>>, limit: usize) -> Option<u64> {
        if let Ok(bytes) = result.cast_exact::<PyBytes>() {
            data::copy(bytes.as_bytes(), limit, &mut self.data);
            return Some(bytes.as_bytes().len() as u64);
        }
        let count = count(result)?;
        if let Some(buffer) = buffer {
            data::with_bytes(buffer, |bytes| data::copy(bytes, limit.min(as_size(count)), &mut self.data));
        }
        Some(count)
    }
}

/// Whether a receive has asked for at least one byte, so that nothing means the end.
fn asks_for_something(kind: Kind, arguments: &Arguments<'_>, first: Option<&Bound<'_, PyAny>>) -> bool {
    match kind {
        Kind::ReceiveInto | Kind::ReceiveFromInto => {
            first.and_then(|buffer| data::with_bytes(buffer, <[u8]>::len)) != Some(0)
        }
        Kind::ReceiveMessageInto => true,
        _ => arguments.number(0, "bufsize") != Some(0),
    }
}

fn as_size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn part<'py>(result: &Bound<'py, PyAny>, index: usize) -> Option<Bound<'py, PyAny>> {
    result.cast_exact::<PyTuple>().ok()?.get_item(index).ok()
}

fn count(result: &Bound<'_, PyAny>) -> Option<u64> {
    plain_long(result).and_then(|count| u64::try_from(count).ok())
}

/// How many descriptors are in control messages.
fn rights(messages: &Bound<'_, PyAny>) -> usize {
    let Ok(messages) = messages.cast_exact::<PyList>() else { return 0 };
    let of_message = |message: Bound<'_, PyAny>| {
        let is = |index, value| part(&message, index).as_ref().and_then(plain_long) == Some(i64::from(value));
        if !is(0, libc::SOL_SOCKET) || !is(1, libc::SCM_RIGHTS) {
            return 0;
        }
        let length = part(&message, 2).and_then(|data| data::with_bytes(&data, <[u8]>::len));
        length.unwrap_or(0) / size_of::<i32>()
    };
    messages.iter().map(of_message).sum()
}
