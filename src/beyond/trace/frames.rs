//! The calls that run in a thread, the innermost last.

use std::cell::{Cell, RefCell};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;

use super::catalogue::{Kind, On};
use super::described::Described;
use crate::call::socket::Socket;
use crate::socket::class::as_socket;
use crate::socket::object::SocketRef;
use crate::sys::per_thread::PerThread;

/// The socket that a file object of `makefile` reads from and writes to; `None` for any other object.
pub type SocketOfFile = for<'py> fn(&Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>>;

static SOCKET_OF_FILE: OnceLock<SocketOfFile> = OnceLock::new();

/// Sets the function that knows file objects. Only the first call has an effect.
pub fn set_socket_of_file(socket_of_file: SocketOfFile) {
    let _first_wins = SOCKET_OF_FILE.set(socket_of_file);
}

/// A call that runs in this thread.
///
/// A call is found by its number, never by its place: greenlets switch in the middle of calls, and end them in any order.
pub struct Frame {
    pub number: u64,
    /// The object that it is made on. It lives as long as the frame is in the list, because the caller refers to it.
    pub receiver: *mut ffi::PyObject,
    pub kind: Kind,
    /// What it says of itself; `None` while that is told.
    pub described: Option<Described>,
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

/// The calls that each thread makes.
#[derive(Default)]
struct Calls {
    frames: RefCell<Vec<Frame>>,
    /// The number of the last call.
    last: Cell<u64>,
}

static CALLS: PerThread<Calls> = PerThread::new();

/// Enters a call; its number. `None` if there is no memory, or if the call is a part of the outermost one: `is_part` is asked.
pub fn enter(receiver: *mut ffi::PyObject, described: Described, is_part: impl FnOnce(&Frame) -> bool) -> Option<u64> {
    let entered = CALLS.with(|calls| {
        let mut frames = calls.frames.borrow_mut();
        if frames.last().is_some_and(is_part) || frames.try_reserve(1).is_err() {
            return None;
        }
        let number = calls.last.get() + 1;
        calls.last.set(number);
        let (kind, waited, said) = (described.kind, Duration::ZERO, Said::default());
        let described = Some(described);
        frames.push(Frame { number, receiver, kind, described, waited, detached: None, is_told: false, said });
        Some(number)
    });
    entered.flatten()
}

/// Leaves a call.
pub fn leave(number: u64) -> Option<Frame> {
    let left = CALLS.with_known(|calls| {
        let mut frames = calls.frames.borrow_mut();
        let index = frames.iter().rposition(|frame| frame.number == number)?;
        Some(frames.remove(index))
    });
    left.flatten()
}

/// Calls a function with the frame of the innermost call. It must not make or release any object of Python.
pub fn with_innermost<T>(function: impl FnOnce(&mut Frame) -> T) -> Option<T> {
    CALLS.with_known(|calls| calls.frames.try_borrow_mut().ok()?.last_mut().map(function)).flatten()
}

/// The same with a frame of this number.
pub fn with_frame<T>(number: u64, function: impl FnOnce(&mut Frame) -> T) -> Option<T> {
    let answer = CALLS.with_known(|calls| {
        let mut frames = calls.frames.try_borrow_mut().ok()?;
        frames.iter_mut().rfind(|frame| frame.number == number).map(function)
    });
    answer.flatten()
}

/// On what a call is made.
pub fn on(receiver: &Bound<'_, PyAny>) -> On {
    if as_socket(receiver).is_some() {
        On::Socket
    } else if receiver.cast::<PyModule>().is_ok() {
        On::Module
    } else {
        On::File
    }
}

/// The socket that a call is made on: the receiver itself, or the one that a file object reads from.
pub fn socket_of<'a, 'py>(receiver: &'a Bound<'py, PyAny>) -> Option<Receiver<'a, 'py>> {
    if let Some(socket) = as_socket(receiver) {
        return Some(Receiver::Itself(socket));
    }
    if receiver.cast::<PyModule>().is_ok() {
        return None;
    }
    let socket = SOCKET_OF_FILE.get()?(receiver)?;
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
            // `socket_of` has looked: it is one.
            Receiver::OfFile(socket) => as_socket(socket).map_or_else(|| unreachable!(), |socket| socket.socket()),
        }
    }
}
