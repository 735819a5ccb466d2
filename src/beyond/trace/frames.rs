//! The calls that run in a thread, the innermost last.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;

use super::catalogue::{Kind, On};
use crate::call::socket::Socket;
use crate::interpreter::observe::Call;
use crate::socket::class::as_socket;
use crate::socket::object::SocketRef;

/// The socket that a file object of `makefile` reads from and writes to; `None` for any other object.
pub type SocketOfFile = for<'py> fn(&Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>>;

static SOCKET_OF_FILE: OnceLock<SocketOfFile> = OnceLock::new();

/// Sets the function that knows file objects. Only the first call has an effect.
pub fn set_socket_of_file(socket_of_file: SocketOfFile) {
    let _first_wins = SOCKET_OF_FILE.set(socket_of_file);
}

/// A call that runs in this thread.
pub struct Frame {
    /// The call; it is borrowed from further up the stack, and the frame is popped before it ends.
    pub call: *const Call<'static, 'static>,
    /// The object that it is made on; only compared.
    pub receiver: *const ffi::PyObject,
    pub kind: Kind,
    pub name: &'static str,
    pub is_tls: bool,
    pub began: Instant,
    pub waited: Duration,
    pub detached: Option<Instant>,
    /// Whether it was told that the call waits.
    pub is_told: bool,
    /// What it has said of itself.
    pub said: Said,
}

/// What a call has said of itself while it ran.
#[derive(Debug, Default)]
pub struct Said {
    /// It is made of other calls, which are told themselves.
    pub in_parts: bool,
    /// How many bytes it has sent in all, before it failed.
    pub sent: Option<u64>,
    /// How many bytes it has received in all, and the first of them.
    pub received: Option<u64>,
    pub data: Vec<u8>,
    /// Whether it has met the end of the stream after them.
    pub is_eof: bool,
}

thread_local! {
    pub static FRAMES: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

/// On what a call is made.
pub fn on(call: &Call<'_, '_>) -> On {
    if as_socket(&call.receiver).is_some() {
        On::Socket
    } else if call.receiver.cast::<PyModule>().is_ok() {
        On::Module
    } else {
        On::File
    }
}

/// The socket of a call: the receiver, or the one that a file object reads from.
pub fn receiver<'a, 'py>(call: &'a Call<'_, 'py>) -> Option<Receiver<'a, 'py>> {
    if let Some(socket) = as_socket(&call.receiver) {
        return Some(Receiver::Itself(socket));
    }
    if call.receiver.cast::<PyModule>().is_ok() {
        return None;
    }
    let socket = SOCKET_OF_FILE.get()?(&call.receiver)?;
    as_socket(&socket).is_some().then_some(Receiver::OfFile(socket))
}

/// The socket of a call.
pub enum Receiver<'a, 'py> {
    Itself(SocketRef<'a, 'py>),
    OfFile(Bound<'py, PyAny>),
}

impl Receiver<'_, '_> {
    pub fn socket(&self) -> &Socket {
        match self {
            Receiver::Itself(socket) => socket.socket(),
            // `receiver` has looked: it is one.
            Receiver::OfFile(socket) => as_socket(socket).map_or_else(|| unreachable!(), |socket| socket.socket()),
        }
    }
}
