//! `bind`, `listen`, `accept`, `connect`, `shutdown`, `getsockname` and `getpeername`.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};

use pyo3::prelude::*;
use socket2::SockAddr;

use super::object::SocketRef;
use crate::call::blocking::{Wait, block_by_timeout, block_in_call, block_in_poll};
use crate::call::deadline::Deadline;
use crate::call::descriptor::Descriptor;
use crate::call::failure::{Call, Doing, Failure, Target};
use crate::call::socket::Socket;
use crate::call::{hooks, scope};
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Arguments;
use crate::interpreter::audit::audit;
use crate::interpreter::format::Format;
use crate::interpreter::make::IntoObject;
use crate::interpreter::number::as_int;
use crate::interpreter::signals;
use crate::sys::wait::{self, Direction};
use crate::{address, sys};

/// `bind(address)`.
pub fn bind<'py>(this: SocketRef<'_, 'py>, address: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let py = this.py();
    let socket = this.socket();
    let target = address::from_python(this.address_context("bind"), address)?;
    audit(py, c"socket.bind", (&*this.object(), address))?;
    let bind = |fd: BorrowedFd<'_>| sys::socket::bind(fd, &target);
    let bound = match socket.family() {
        libc::AF_INET | libc::AF_INET6 => socket.descriptor().attached(py, bind),
        // Other families may take long: the file system makes a file, or the kernel loads a module or waits for its network interfaces.
        _ => socket.descriptor().detached(py, bind),
    };
    if let Err(error) = bound {
        let target = Target { address: &target, given: address.as_borrowed() };
        return Err(hooks::failed(py, error.into(), Failure::Call(Call::to(socket, Doing::Binding, target))));
    }
    hooks::bound(py, socket);
    Ok(this.none())
}

/// The backlog of `listen()` without an argument, as in CPython: enough for a burst, and not more than systems accept.
const DEFAULT_BACKLOG: c_int = 128;

/// `listen([backlog])`.
pub fn listen<'py>(this: SocketRef<'_, 'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(c_int,)> = Format::new(c"|i:listen");
    let backlog = match arguments.plain_int(0, DEFAULT_BACKLOG) {
        Some(backlog) if arguments.len() <= 1 => backlog,
        _ => {
            let (backlog,) = FORMAT.tuple(&arguments.tuple()?, (DEFAULT_BACKLOG,))?;
            backlog
        }
    };
    let (py, socket) = (this.py(), this.socket());
    if let Err(error) = socket.descriptor().attached(py, |fd| sys::socket::listen(fd, backlog.max(0))) {
        return Err(hooks::failed(py, error.into(), Failure::Call(Call::new(socket, Doing::Listening))));
    }
    hooks::bound(py, socket);
    Ok(this.none())
}

/// Accepts a connection and returns its descriptor and its peer's address.
pub fn accept_connection<'py>(this: SocketRef<'_, 'py>) -> Result<(OwnedFd, Bound<'py, PyAny>)> {
    let py = this.py();
    let socket = this.socket();
    address::check_length_is_known(socket.family(), socket.proto())?;
    let is_named = sys::socket::peers_have_addresses(socket.family());
    let accept = if is_named { sys::socket::accept } else { sys::socket::accept_unnamed };
    let began = hooks::now_if_watched();
    let (connection, peer) = block_by_timeout(py, socket, Direction::Read, accept).map_err(|error| {
        let call = Call { began, ..Call::new(socket, Doing::Accepting) };
        hooks::failed(py, error, Failure::Call(call))
    })?;
    let peer = address::to_python(py, &peer, this.origin())?;
    Ok((connection, peer))
}

/// `_accept()` of the base class: `(fd, address)`.
pub fn accept_descriptor<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let (connection, peer) = accept_connection(this)?;
    // The tuple is made before the descriptor is released: if there is no memory for it, the connection is closed.
    let pair = (connection.as_raw_fd(), peer).into_object(py)?;
    let _given_away = connection.into_raw_fd();
    Ok(pair)
}

/// `connect(address)`.
pub fn connect<'py>(this: SocketRef<'_, 'py>, address: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let target = parse_target(this, address, "connect")?;
    let (py, socket, began) = (this.py(), this.socket(), hooks::now());
    let mut was_made = false;
    connect_to(py, socket, &target, socket.deadline(), &mut was_made).map_err(|error| {
        let target = Target { address: &target, given: address.as_borrowed() };
        let call = Call { began, was_made, ..Call::to(socket, Doing::Connecting, target) };
        hooks::failed(py, error, Failure::Call(call))
    })?;
    Ok(this.none())
}

/// `connect_ex(address)`: returns 0, or the errno of a failed `connect(2)`.
pub fn connect_ex<'py>(this: SocketRef<'_, 'py>, address: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let target = parse_target(this, address, "connect_ex")?;
    let errno = match connect_to(this.py(), this.socket(), &target, this.socket().deadline(), &mut false) {
        Ok(()) => 0,
        Err(Error::Os(errno)) => errno,
        Err(Error::TimedOut) => libc::EWOULDBLOCK as isize,
        Err(error) => return Err(error),
    };
    errno.into_object(this.py())
}

/// Parses the address that is to be connected to, and calls the audit hooks.
fn parse_target(this: SocketRef<'_, '_>, address: &Bound<'_, PyAny>, caller: &'static str) -> Result<SockAddr> {
    let target = address::from_python(this.address_context(caller), address)?;
    audit(this.py(), c"socket.connect", (&*this.object(), address))?;
    Ok(target)
}

/// Connects. If a signal interrupts the call, or the socket is non-blocking because it has a timeout, this waits until the connection is
/// made or has failed, and asks the kernel for the outcome. A second `connect(2)` would not report it: it fails with EALREADY or EISCONN.
/// `was_made` becomes true when the system call is made: not if the thread's deadline has passed before.
fn connect_to(
    py: Python<'_>,
    socket: &Socket,
    target: &SockAddr,
    deadline: Deadline,
    was_made: &mut bool,
) -> Result<()> {
    // A blocking descriptor does not heed the thread's deadline by itself.
    let alarm = if socket.timeout().is_none() { scope::deadline() } else { None };
    let error = loop {
        if scope::has_passed() {
            return Err(Error::TimedOut);
        }
        *was_made = true;
        match socket.descriptor().detached_until(py, alarm, |fd| sys::socket::connect(fd, target)) {
            Ok(()) => return Ok(()),
            // The call was waiting for room in the listener's backlog: no connection has begun, so the call is made again.
            Err(error) if error.kind() == io::ErrorKind::Interrupted && socket.family() == libc::AF_UNIX => {
                signals::run_handlers(py)?;
            }
            Err(error) => break error,
        }
    };
    let deadline = match error.raw_os_error() {
        Some(libc::EINTR) => {
            signals::run_handlers(py)?;
            // A handler may have set another timeout. As in CPython, waiting for the outcome gets the whole of it.
            socket.deadline()
        }
        Some(libc::EINPROGRESS) if matches!(deadline, Deadline::At(_)) => deadline,
        _ => Deadline::Now,
    };
    match deadline {
        Deadline::Now => Err(error.into()),
        Deadline::At(_) => {
            let wait = Wait { direction: Direction::Write, deadline, eager: false, may_block: false };
            block_in_poll(py, socket, wait, socket_error)
        }
        Deadline::Never => block_in_call(py, socket, |fd| wait_for_outcome(socket.descriptor(), fd)),
    }
}

/// Waits until the connection is made or has failed, and returns the outcome.
fn wait_for_outcome(descriptor: &Descriptor, fd: BorrowedFd<'_>) -> io::Result<()> {
    wait::poll(fd, Direction::Write, None)?;
    descriptor.still_names(fd)?;
    socket_error(fd)
}

/// The outcome of a connection, from `SO_ERROR`.
fn socket_error(fd: BorrowedFd<'_>) -> io::Result<()> {
    match sys::socket::getsockopt_int(fd, libc::SOL_SOCKET, libc::SO_ERROR)? {
        0 | libc::EISCONN => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// `getsockname()`.
pub fn getsockname<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    query_address(this, sys::socket::getsockname)
}

/// `getpeername()`.
pub fn getpeername<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    query_address(this, sys::socket::getpeername)
}

fn query_address<'py>(
    this: SocketRef<'_, 'py>,
    query: fn(BorrowedFd<'_>) -> io::Result<SockAddr>,
) -> ObjectResult<'py> {
    let socket = this.socket();
    address::check_length_is_known(socket.family(), socket.proto())?;
    let address = socket.descriptor().attached(this.py(), query)?;
    address::to_python(this.py(), &address, this.origin())
}

/// `shutdown(how)`.
pub fn shutdown<'py>(this: SocketRef<'_, 'py>, how: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let how = as_int(how)?;
    this.socket().descriptor().attached(this.py(), |fd| sys::socket::shutdown(fd, how))?;
    Ok(this.none())
}
