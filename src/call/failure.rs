//! What a call that has failed knows about itself, for a note on its error.
//!
//! Everything here is borrowed, and made only after the failure: see [`hooks`](super::hooks).

use std::ffi::{CStr, c_int, c_uint};
use std::net::IpAddr;
use std::time::Instant;

use pyo3::prelude::*;
use socket2::SockAddr;

use super::socket::Socket;

/// A call that has failed.
#[derive(Clone, Copy, Debug)]
pub enum Failure<'a, 'py> {
    /// A call on a socket.
    Call(Call<'a, 'py>),
    /// A look-up.
    LookUp {
        /// What was looked up.
        question: Question<&'a CStr>,
        /// When the look-up began.
        began: Option<Instant>,
    },
    /// The parsing of a path of `length` bytes, where at most `longest` fit a `sockaddr_un`.
    Path {
        /// The length of the path, in bytes.
        length: usize,
        /// The length of the longest path, or abstract name, in bytes.
        longest: usize,
    },
}

impl<'a> Failure<'a, '_> {
    /// A look-up that has failed, and began at that time.
    pub fn look_up(question: Question<&'a CStr>, began: Option<Instant>) -> Self {
        Failure::LookUp { question, began }
    }
}

/// What a call on a socket was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// `accept`.
    Accepting,
    /// `bind`.
    Binding,
    /// `connect`.
    Connecting,
    /// `listen`.
    Listening,
    /// The `recv` family.
    Receiving,
    /// The `send` family.
    Sending,
}

/// A call on a socket.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a, 'py> {
    /// The socket.
    pub socket: &'a Socket,
    /// What the call was for.
    pub doing: Doing,
    /// The address that the call was given.
    pub target: Option<Target<'a, 'py>>,
    /// When the call began; `None` if the clock was not read.
    pub began: Option<Instant>,
    /// Whether the system call was made at all: none begins after a thread's deadline.
    pub was_made: bool,
}

impl<'a, 'py> Call<'a, 'py> {
    /// A call without an address.
    pub fn new(socket: &'a Socket, doing: Doing) -> Self {
        Call { socket, doing, target: None, began: None, was_made: true }
    }

    /// A call with an address.
    pub fn to(socket: &'a Socket, doing: Doing, target: Target<'a, 'py>) -> Self {
        Call { target: Some(target), ..Call::new(socket, doing) }
    }
}

/// An address that a call was given.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a, 'py> {
    /// The kernel's form.
    pub address: &'a SockAddr,
    /// The Python object that it was parsed from.
    pub given: Borrowed<'a, 'py, PyAny>,
}

/// What a look-up asks for, with texts of type `T`.
#[derive(Clone, Copy, Debug)]
pub enum Question<T> {
    /// The addresses of a host and a service.
    Addresses {
        /// The host; `None` for this machine.
        host: Option<T>,
        /// The service, or the digits of a port.
        service: Option<T>,
        /// The family; `AF_UNSPEC` for any.
        family: c_int,
    },
    /// The names of a host.
    Names(IpAddr),
    /// The port of a service, of a protocol if there is one.
    Service(T, Option<T>),
    /// The service on a port, of a protocol if there is one.
    Port(u16, Option<T>),
    /// The number of a protocol.
    Protocol(T),
    /// The number of a network interface.
    Interface(T),
    /// The name of a network interface.
    InterfaceNumber(c_uint),
}
