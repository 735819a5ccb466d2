//! Look-ups that their caller can give up: at a signal whose handler raises, and at a deadline.
//!
//! The C library's look-ups cannot be interrupted. So a helper thread makes the look-up, the caller waits for it, and a caller that gives up
//! leaves it to the helper, which ends by itself.
//!
//! | file | contents |
//! | --- | --- |
//! | [`question`] | what is looked up, and the answer |
//! | [`at_once`] | questions that need no name server: they are answered without a helper |
//! | [`hosts_file`] | whether `/etc/hosts` has the answer |
//! | [`running`] | the look-ups that helpers make now |
//! | [`helper_threads`] | the helpers, and waiting for them |
//! | [`forks`] | a child process has no helpers |
//!
//! Who gets a helper:
//!
//! - **The main thread**, because signal handlers run there, and **a caller with a deadline**. In any other thread nothing can end a look-up
//!   early, and the C library is called directly.
//! - Only for a question that may need a name server. A helper costs some 50 µs. That is little beside a name server's answer, but twenty
//!   times a look-up in `/etc/hosts`. So numeric addresses and the names in `/etc/hosts` are looked up directly, as in the standard library.
//!
//! Each look-up has a new helper, which has ended when the caller gets its answer. Threads that stay for the next look-up would cost 10 µs
//! instead of 50, but programs would notice them: since Python 3.12 `os.fork()` warns in a process with several threads, and
//! `unshare(2)` of a user namespace fails. And a new thread inherits what look-ups depend on and what its creator may have changed meanwhile:
//! namespaces, credentials, CPU affinity.
//!
//! What differs in a helper: it reads the resolver's configuration anew, so that `RES_OPTIONS` and `LOCALDOMAIN` count as they are now, and
//! not as they were at the thread's first look-up. Changes that C code has made to the resolver state of the main thread (`_res`) do not
//! count. `h_errno` is copied to the helper and back.

mod at_once;
pub mod forks;
mod helper_threads;
mod hosts_file;
mod question;
mod running;

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_int};
use std::time::Instant;

use pyo3::prelude::*;
use socket2::SockAddr;

use self::helper_threads::{HELPERS, Progress};
use self::question::{Answer, Question};
use super::ip::Ip;
use crate::call::failure::Failure;
use crate::call::{hooks, scope};
use crate::error::{Error, Result};
use crate::interpreter::{observe, signals};
use crate::sys::resolver::{self, AddrInfo, Hints, Host};
use crate::sys::thread;

/// Calls `getaddrinfo(3)` with the thread detached; see [`find`].
pub fn getaddrinfo(
    py: Python<'_>,
    host: Option<&CStr>,
    service: Option<&CStr>,
    hints: Hints,
    until: Option<Instant>,
) -> Result<Vec<AddrInfo>> {
    let (host, service) = (host.map(Cow::Borrowed), service.map(Cow::Borrowed));
    match find_noted(py, &Question::AddrInfo { host, service, hints }, until)? {
        Answer::AddrInfo(entries) => Ok(entries),
        _ => Err(mistaken()),
    }
}

/// Calls `getnameinfo(3)` with the thread detached; see [`find`]. Returns the host and the service.
pub fn getnameinfo(
    py: Python<'_>,
    address: SockAddr,
    flags: c_int,
    until: Option<Instant>,
) -> Result<(CString, CString)> {
    match find_noted(py, &Question::NameInfo { address, flags }, until)? {
        Answer::NameInfo(host, service) => Ok((host, service)),
        _ => Err(mistaken()),
    }
}

/// Calls `gethostbyname_r(3)` with the thread detached; see [`find`].
pub fn gethostbyname(py: Python<'_>, name: &CStr, until: Option<Instant>) -> Result<Host> {
    find_host(py, &Question::HostByName(Cow::Borrowed(name)), until)
}

/// Calls `gethostbyaddr_r(3)` with the thread detached; see [`find`].
pub fn gethostbyaddr(py: Python<'_>, ip: Ip, until: Option<Instant>) -> Result<Host> {
    find_host(py, &Question::HostByAddr(ip), until)
}

fn find_host(py: Python<'_>, question: &Question<'_>, until: Option<Instant>) -> Result<Host> {
    match find_noted(py, question, until)? {
        Answer::Host(host) => Ok(host),
        _ => Err(mistaken()),
    }
}

/// A failed look-up as CPython reports it. Since 3.14 it reports the code that the call returns; before, it reported the thread's
/// `h_errno`, which the call need not set.
fn as_reported(error: Error) -> Error {
    match error {
        Error::Host(_) if !cfg!(Py_3_14) => resolver::Failure::Host(resolver::h_errno()).into(),
        error => error,
    }
}

#[cold]
fn mistaken() -> Error {
    Error::system("the answer is that of another question")
}

/// The same as [`find`], with the error as CPython reports it, and a note on it.
fn find_noted(py: Python<'_>, question: &Question<'_>, until: Option<Instant>) -> Result<Answer> {
    let began = hooks::now();
    find(py, question, until).map_err(as_reported).map_err(|error| match question.noted() {
        Some(noted) => hooks::failed(py, error, Failure::look_up(noted, began)),
        None => error,
    })
}

/// Looks a name or an address up, detached if the answer may take a while. In the main thread the handlers of signals run meanwhile, and one that raises ends the look-up.
/// Its deadline, and that of the thread, end it with `TimedOut`. A question that needs no name server is answered in any case.
///
/// If there can be no helper, neither ends the look-up early.
fn find(py: Python<'_>, question: &Question<'_>, until: Option<Instant>) -> Result<Answer> {
    if question.is_numeric() {
        return Ok(question.ask()?);
    }
    let until = until.into_iter().chain(scope::deadline()).min();
    if until.is_none() && !thread::Id::current().is_main() {
        return Ok(observe::before_detaching(py).detach(py, || question.ask())?);
    }
    if let Some(answer) = py.detach(|| at_once::answer(question)) {
        return Ok(answer?);
    }
    let mut look_up = HELPERS.look_up(question, until);
    loop {
        // The handler of a signal that came before the wait would not end it.
        signals::run_handlers(py)?;
        match observe::before_detaching(py).detach(py, || look_up.wait()) {
            Progress::Ended(answer) => return Ok(answer?),
            Progress::TimedOut => return Err(Error::TimedOut),
            Progress::Interrupted => {}
        }
    }
}
