//! The filter of a trace: any text is a filter or an error for its writer, and what a filter lets pass follows from its parts.

use std::net::{Ipv6Addr, SocketAddr};

use socket2::SockAddr;

use crate::bytes::Bytes;
use crate::error::Error;
use crate::parts::trace::filter::{Filter, Subject};

/// The bytes are two filters with NUL between them. A call is made of the bytes too.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut texts = text.splitn(2, '\0');
    let (first, second) = (texts.next().unwrap_or(""), texts.next().unwrap_or(""));
    let v4 = SockAddr::from(SocketAddr::from(([127, 0, 0, 1], 5432)));
    let v6 = SockAddr::from(SocketAddr::from((Ipv6Addr::LOCALHOST, 80)));
    let subjects = [
        Subject::default(),
        Subject {
            family_and_kind: Some((libc::AF_INET, libc::SOCK_STREAM)),
            addresses: [Some(&v4), None],
            given: Some(("localhost", 5432)),
            fd: Some(3),
            thread: "MainThread",
            call: "recv",
            ..Subject::default()
        },
        Subject {
            family_and_kind: Some((libc::AF_INET6, libc::SOCK_DGRAM)),
            addresses: [Some(&v6), Some(&v4)],
            path: Some("/run/socket"),
            fd: Some(i32::from(Bytes(bytes).byte())),
            thread: "worker",
            call: "sendto",
            has_failed: true,
            ..Subject::default()
        },
    ];
    let (Some(one), Some(other)) = (parse(first), parse(second)) else { return };
    for subject in &subjects {
        check(first, second, one.lets_pass(subject), other.lets_pass(subject), subject);
    }
}

fn parse(text: &str) -> Option<Filter> {
    let filter = parsed(text).ok()?;
    let spaced = text.split_whitespace().collect::<Vec<_>>().join(" \t\n");
    assert_eq!(parsed(&spaced).as_ref(), Ok(&filter), "{text:?}: white space has a meaning");
    Some(filter)
}

/// A filter, or what its writer is told.
fn parsed(text: &str) -> Result<Filter, String> {
    Filter::parse(text).map_err(|error| match error {
        Error::Message(message) => message.1.into_owned(),
        error => panic!("{text:?}: {error:?}"),
    })
}

/// What is joined passes as its parts do. An empty filter is no part, and neither is one that is nested too deep then.
fn check(first: &str, second: &str, one: bool, other: bool, subject: &Subject<'_>) {
    if first.trim().is_empty() || second.trim().is_empty() {
        return;
    }
    let joined = [
        (format!("not ({first})"), !one),
        (format!("({first}) and ({second})"), one && other),
        (format!("({first})or({second})"), one || other),
    ];
    for (text, expected) in joined {
        match parsed(&text) {
            Ok(filter) => assert_eq!(filter.lets_pass(subject), expected, "{text:?} {subject:?}"),
            Err(error) => assert!(error.contains("too deep"), "{text:?}: {error}"),
        }
    }
}
