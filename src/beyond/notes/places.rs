//! Where in the program its sockets were bound, for the error that an address is taken.
//!
//! There is an entry for each socket that was bound or listens, by the number of its descriptor. The socket removes its entry before it
//! gives the number up. So while the table is locked, the number of each entry names the socket that was bound.

use std::collections::HashMap;
use std::ffi::{OsStr, c_int};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use pyo3::prelude::*;
use socket2::SockAddr;

use crate::address::unix;
use crate::beyond::caller;
use crate::call::socket::{Mark, Socket};
use crate::error::Result;
use crate::interpreter::place::{Line, Place};
use crate::sys::fork::{Held, around_fork};
use crate::sys::socket::getsockname;
use crate::sys::taken::{file_of, keeps_from_binding};

/// A socket that was bound.
#[derive(Debug)]
struct Entry {
    family: c_int,
    /// The file of a UNIX socket.
    file: Option<(u64, u64)>,
    /// The port of an IP socket, once it was asked for; 0 for others.
    port: OnceLock<u16>,
    place: Place,
}

impl Entry {
    /// Whether the socket may have this port: all but the first question costs no system call.
    fn may_have_port(&self, number: RawFd, port: u16) -> bool {
        // SAFETY: the number is not negative, and names the socket that was bound, because the table is locked: see above. Not guaranteed:
        // that the program has not closed the number without the socket, as in `Descriptor::attached`.
        let ask = || getsockname(unsafe { BorrowedFd::borrow_raw(number) }).ok()?.as_socket().map(|own| own.port());
        *self.port.get_or_init(|| ask().unwrap_or_default()) == port
    }
}

type Table = HashMap<RawFd, Entry, BuildHasherDefault<DefaultHasher>>;

static TABLE: Mutex<Table> = Mutex::new(HashMap::with_hasher(BuildHasherDefault::new()));

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records the place of the call that has bound a socket. If there is no memory for that, or another reason against it, the place stays
/// unknown.
pub fn record(py: Python<'_>, socket: &Socket) {
    if socket.has_mark(Mark::Bound) {
        return;
    }
    if let Err(error) = try_record(py, socket) {
        error.discard(py);
    }
}

fn try_record(py: Python<'_>, socket: &Socket) -> Result<()> {
    watch_forks()?;
    let Some(place) = caller::place(py)? else {
        return Ok(());
    };
    let family = socket.family();
    let file = if family == libc::AF_UNIX { file_of_socket(py, socket) } else { None };
    let number = socket.descriptor().number();
    if number < 0 {
        place.release(py);
        return Ok(());
    }
    let before = {
        let mut table = table();
        if table.try_reserve(1).is_err() {
            drop(table);
            place.release(py);
            return Ok(());
        }
        socket.set_mark(Mark::Bound, true);
        table.insert(number, Entry { family, file, port: OnceLock::new(), place })
    };
    // Released when the table is not locked: a release can run Python code.
    if let Some(before) = before {
        before.place.release(py);
    }
    Ok(())
}

/// Removes the entry of a socket.
pub fn forget(py: Python<'_>, socket: &Socket) {
    let entry = table().remove(&socket.descriptor().number());
    if let Some(entry) = entry {
        entry.place.release(py);
    }
}

/// The socket of this process that alone keeps another one from being bound to an address: its own address, and where it was bound.
pub fn holder(py: Python<'_>, socket: &Socket, address: &SockAddr) -> Option<(SockAddr, Line)> {
    let own = socket.descriptor().number();
    let family = socket.family();
    let file = path_of(address).and_then(file_of);
    let find = |new: BorrowedFd<'_>| {
        let table = table();
        let port = address.as_socket().map(|address| address.port());
        let others = table.iter().filter(|(number, entry)| {
            **number != own
                && share_addresses(entry.family, family)
                && port.is_none_or(|port| entry.may_have_port(**number, port))
        });
        Ok(others.map(|(number, entry)| (*number, entry)).find_map(|(number, entry)| {
            // SAFETY: the number is not negative, and names the socket that was bound, because the table is locked: see above. Not
            // guaranteed: that the program has not closed the number without the socket, as in `Descriptor::attached`.
            let taken = unsafe { BorrowedFd::borrow_raw(number) };
            let keeps = if file.is_some() { entry.file == file } else { keeps_from_binding(taken, new, address) };
            if keeps { Some((number, getsockname(taken).ok()?)) } else { None }
        }))
    };
    let (number, taken) = socket.descriptor().attached(py, find).ok()??;
    let place = table().get(&number).map(|entry| entry.place.clone_ref(py))?;
    let line = place.line(py);
    place.release(py);
    line.map_err(|error| error.discard(py)).ok().map(|line| (taken, line))
}

/// Whether sockets of these families can have the same address.
fn share_addresses(one: c_int, other: c_int) -> bool {
    let is_ip = |family| [libc::AF_INET, libc::AF_INET6].contains(&family);
    one == other || (is_ip(one) && is_ip(other))
}

fn file_of_socket(py: Python<'_>, socket: &Socket) -> Option<(u64, u64)> {
    let own = socket.descriptor().attached(py, getsockname).ok()?;
    file_of(path_of(&own)?)
}

/// The path of a UNIX socket's address; `None` for an abstract name and for other families.
fn path_of(address: &SockAddr) -> Option<&Path> {
    if c_int::from(address.family()) != libc::AF_UNIX {
        return None;
    }
    let path = unix::path_of(address);
    (!unix::is_abstract(path)).then(|| Path::new(OsStr::from_bytes(path)))
}

static HELD: Held<MutexGuard<'static, Table>> = Held::new();

extern "C" fn before_fork() {
    let locked = table();
    // SAFETY: this is a lock, and this handler comes before a fork.
    unsafe { HELD.put(locked) };
}

extern "C" fn after_fork() {
    // SAFETY: the handler before the fork has put it here.
    drop(unsafe { HELD.take() });
}

/// Registers the fork handlers, with the first entry.
fn watch_forks() -> Result<()> {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    // If there was no memory, the next entry tries again.
    Ok(around_fork(before_fork, after_fork, after_fork).inspect_err(|_| DONE.store(false, Ordering::Relaxed))?)
}
