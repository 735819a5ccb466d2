//! `bind`, `listen`, `accept`, `connect`, `shutdown`, and the addresses of both ends.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};

use pyo3::prelude::*;
use socket2::SockAddr;

use super::{Socket, This};
use crate::audit;
use crate::descriptor::Descriptor;
use crate::error::{Error, Result};
use crate::interpreter::arguments::{Arguments, as_int};
use crate::interpreter::function::Returned;
use crate::interpreter::make::IntoObject;
use crate::interpreter::signals;
use crate::sys::wait::{self, Direction};
use crate::timeout::Patience;
use crate::{address, call, sys};

/// `bind(address)`.
pub fn bind<'py>(this: This<'_, 'py>, address: &Bound<'py, PyAny>) -> Returned<'py> {
    let py = this.py();
    let socket = this.socket();
    let target = address::from_python(socket.address_context("bind"), address)?;
    audit!(py, c"socket.bind", c"OO", this.object().as_ptr(), address.as_ptr())?;
    let bind = |fd: BorrowedFd<'_>| sys::socket::bind(fd, &target);
    match socket.family() {
        libc::AF_INET | libc::AF_INET6 => socket.descriptor().attached(py, bind)?,
        // Others take their time: a file system to make a file, the kernel to load a module or to wait for its networks.
        _ => socket.descriptor().detached(py, bind)?,
    }
    Ok(this.none())
}

/// The backlog of a `listen()` that names none: enough for a burst, and no more than systems take.
const BACKLOG: c_int = 128;

/// `listen([backlog])`.
pub fn listen<'py>(this: This<'_, 'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let backlog = match arguments.plain_int(0, BACKLOG) {
        Some(backlog) if arguments.len() <= 1 => backlog,
        _ => {
            let mut backlog = BACKLOG;
            crate::parse_tuple!(&arguments.tuple()?, c"|i:listen", &raw mut backlog)?;
            backlog
        }
    };
    this.socket().descriptor().attached(this.py(), |fd| sys::socket::listen(fd, backlog.max(0)))?;
    Ok(this.none())
}

/// Accepts a connection: its descriptor and its peer's address.
pub fn accept_connection<'py>(this: This<'_, 'py>) -> Result<(OwnedFd, Bound<'py, PyAny>)> {
    let py = this.py();
    let socket = this.socket();
    address::check_length_is_known(socket.family(), socket.proto())?;
    let accept = match socket.family() {
        libc::AF_ALG => sys::socket::accept_unnamed,
        _ => sys::socket::accept,
    };
    let (connection, peer) = call::patient(py, socket, Direction::Read, accept)?;
    let peer = address::to_python(py, &peer, socket.descriptor(), socket.proto())?;
    Ok((connection, peer))
}

/// `_accept()` of the base class: `(fd, address)`.
pub fn accept_descriptor<'py>(this: This<'_, 'py>) -> Returned<'py> {
    let py = this.py();
    let (connection, peer) = accept_connection(this)?;
    // The pair is made first: were there no memory for it, the connection would still be closed.
    let pair = (connection.as_raw_fd(), peer).into_object(py)?;
    let _given_away = connection.into_raw_fd();
    Ok(pair)
}

/// `connect(address)`.
pub fn connect<'py>(this: This<'_, 'py>, address: &Bound<'py, PyAny>) -> Returned<'py> {
    let target = audited_target(this, address, "connect")?;
    connect_to(this.py(), this.socket(), &target, this.socket().patience())?;
    Ok(this.none())
}

/// `connect_ex(address)`: the errno of a failed `connect(2)` as a number.
pub fn connect_ex<'py>(this: This<'_, 'py>, address: &Bound<'py, PyAny>) -> Returned<'py> {
    let target = audited_target(this, address, "connect_ex")?;
    let errno = match connect_to(this.py(), this.socket(), &target, this.socket().patience()) {
        Ok(()) => 0,
        Err(Error::Os(errno)) => errno,
        Err(Error::TimedOut) => libc::EWOULDBLOCK as isize,
        Err(error) => return Err(error),
    };
    errno.into_object(this.py())
}

fn audited_target(this: This<'_, '_>, address: &Bound<'_, PyAny>, caller: &'static str) -> Result<SockAddr> {
    let target = address::from_python(this.socket().address_context(caller), address)?;
    audit!(this.py(), c"socket.connect", c"OO", this.object().as_ptr(), address.as_ptr())?;
    Ok(target)
}

/// Connects. A connection that is under way when a signal comes, or that a timeout made non-blocking, is waited for, and its outcome
/// asked from the kernel: to call `connect` again would tell of the first call, not of the connection.
fn connect_to(py: Python<'_>, socket: &Socket, target: &SockAddr, patience: Patience) -> Result<()> {
    let error = loop {
        match socket.descriptor().detached(py, |fd| sys::socket::connect(fd, target)) {
            Ok(()) => return Ok(()),
            // It was waiting for room in the backlog, and nothing is under way.
            Err(error) if error.kind() == io::ErrorKind::Interrupted && socket.family() == libc::AF_UNIX => {
                signals::run_handlers(py)?;
            }
            Err(error) => break error,
        }
    };
    let patience = match error.raw_os_error() {
        Some(libc::EINTR) => {
            signals::run_handlers(py)?;
            // A handler may have set another timeout, and what is left to do is as good as a new call.
            socket.patience()
        }
        Some(libc::EINPROGRESS) if matches!(patience, Patience::Until(_)) => patience,
        _ => Patience::Never,
    };
    match patience {
        Patience::Never => Err(error.into()),
        Patience::Until(deadline) => call::wait_till(py, socket, Direction::Write, deadline, false, pending_error),
        Patience::Forever => call::block(py, socket, |fd| outcome(socket.descriptor(), fd)),
    }
}

/// Waits for the end of a connection's making.
fn outcome(descriptor: &Descriptor, fd: BorrowedFd<'_>) -> io::Result<()> {
    wait::poll(fd, Direction::Write, None)?;
    descriptor.still_names(fd)?;
    pending_error(fd)
}

/// `SO_ERROR`: what became of the connection.
fn pending_error(fd: BorrowedFd<'_>) -> io::Result<()> {
    match sys::socket::getsockopt_int(fd, libc::SOL_SOCKET, libc::SO_ERROR)? {
        0 | libc::EISCONN => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// `getsockname()`.
pub fn getsockname<'py>(this: This<'_, 'py>) -> Returned<'py> {
    address_of(this, sys::socket::getsockname)
}

/// `getpeername()`.
pub fn getpeername<'py>(this: This<'_, 'py>) -> Returned<'py> {
    address_of(this, sys::socket::getpeername)
}

fn address_of<'py>(this: This<'_, 'py>, ask: fn(BorrowedFd<'_>) -> io::Result<SockAddr>) -> Returned<'py> {
    let socket = this.socket();
    address::check_length_is_known(socket.family(), socket.proto())?;
    let address = socket.descriptor().attached(this.py(), ask)?;
    address::to_python(this.py(), &address, socket.descriptor(), socket.proto())
}

/// `shutdown(how)`.
pub fn shutdown<'py>(this: This<'_, 'py>, how: &Bound<'py, PyAny>) -> Returned<'py> {
    let how = as_int(how)?;
    this.socket().descriptor().attached(this.py(), |fd| sys::socket::shutdown(fd, how))?;
    Ok(this.none())
}
