//! What observes the calls: it times them, sees whether they wait, and tells the recordings.
//!
//! It runs no Python code: no `repr`, no comparison, no attribute that a program defines. So a trace does not change what it shows, no signal
//! handler runs in the middle of it, and nothing that it looks at is changed by it. The one exception is the function of
//! `oxisocket.observe`, which is called when all else is done.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::address;
use super::arguments::Arguments;
use super::catalogue::{self, Kind, On};
use super::event::{Event, Outcome, Thread};
use super::filter::Subject;
use super::line::Line;
use super::native_tls;
use super::recording::{Delivery, State, deliver, lock};
use super::socket_facts::{By, Facts, cookie, key};
use super::thread_name;
use super::transfers::{self, Transferred};
use super::words;
use crate::beyond::caller;
use crate::call::hooks::Ending;
use crate::call::socket::Socket;
use crate::error::Error;
use crate::interpreter::number::plain_long;
use crate::interpreter::observe::{Call, is_unobserved};
use crate::interpreter::saved_exception::SavedException;
use crate::name;
use crate::socket::class::{as_socket, is_base};
use crate::socket::object::SocketRef;
use crate::sys::thread;
use crate::sys::wait::{Direction, poll};

/// A call that runs in this thread.
struct Frame {
    /// The call; it is borrowed from further up the stack, and the frame is popped before it ends.
    call: *const Call<'static, 'static>,
    kind: Kind,
    name: &'static str,
    is_tls: bool,
    began: Instant,
    waited: Duration,
    detached: Option<Instant>,
    /// Whether it was told that the call waits.
    is_told: bool,
}

thread_local! {
    static FRAMES: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

/// Makes a call, and tells it.
pub fn observe(call: Call<'_, '_>, make: &mut dyn FnMut() -> *mut ffi::PyObject) -> *mut ffi::PyObject {
    observe_as(call, false, make)
}

/// The same for a method of native TLS.
pub fn observe_tls(call: Call<'_, '_>, make: &mut dyn FnMut() -> *mut ffi::PyObject) -> *mut ffi::PyObject {
    observe_as(call, true, make)
}

fn observe_as(call: Call<'_, '_>, is_tls: bool, make: &mut dyn FnMut() -> *mut ffi::PyObject) -> *mut ffi::PyObject {
    // A panic in here must not reach the program: the call is made in any case.
    let py = call.receiver.py();
    let began = catch_unwind(AssertUnwindSafe(|| begin(&call, is_tls))).unwrap_or(false);
    // OpenSSL detaches without a word.
    if began && is_tls {
        detaches(py);
    }
    let result = make();
    if began && is_tls {
        attached(py);
    }
    if began {
        let _ = catch_unwind(AssertUnwindSafe(|| finish(&call, result)));
    }
    result
}

/// Whether the call is traced. Then it has a frame.
fn begin(call: &Call<'_, '_>, is_tls: bool) -> bool {
    let name = words::name_of(call.name);
    let on = on(call);
    let found = if is_tls { catalogue::find_tls(name) } else { catalogue::find(on, name) };
    let Some((kind, name)) = found else { return false };
    if on == On::Socket && is_base(&call.receiver) {
        return false; // the halves of a pair, before the package makes sockets of them
    }
    if kind == Kind::New {
        native_tls::see(&call.receiver);
    } else if let Some(socket) = receiver(call) {
        let mut locked = lock();
        know(call.receiver.py(), locked.state(), socket.socket(), By::Found, None);
    }
    FRAMES.with(|frames| {
        let mut frames = frames.borrow_mut();
        // Sockets that a call makes are told with it, and a `with` statement ends with one `close`.
        let is_part = frames
            .last()
            .is_some_and(|outer| matches!((outer.kind, kind), (Kind::Makes, Kind::New) | (Kind::Close, Kind::Close)));
        if is_part || frames.try_reserve(1).is_err() {
            return false;
        }
        let began = Instant::now();
        let call = ptr::from_ref(call).cast();
        frames.push(Frame { call, kind, name, is_tls, began, waited: Duration::ZERO, detached: None, is_told: false });
        true
    })
}

fn on(call: &Call<'_, '_>) -> On {
    if as_socket(&call.receiver).is_some() {
        On::Socket
    } else if call.receiver.cast::<PyModule>().is_ok() {
        On::Module
    } else {
        On::File
    }
}

/// The socket of a call: the receiver, or the one that a file object reads from.
fn receiver<'a, 'py>(call: &'a Call<'_, 'py>) -> Option<Receiver<'a, 'py>> {
    if let Some(socket) = as_socket(&call.receiver) {
        return Some(Receiver::Itself(socket));
    }
    if call.receiver.cast::<PyModule>().is_ok() {
        return None;
    }
    let name = name!(call.receiver.py(), "_sock").ok()?;
    let socket = call.receiver.getattr_opt(name).ok().flatten()?;
    as_socket(&socket).is_some().then_some(Receiver::OfFile(socket))
}

/// The socket of a call.
enum Receiver<'a, 'py> {
    Itself(SocketRef<'a, 'py>),
    OfFile(Bound<'py, PyAny>),
}

impl Receiver<'_, '_> {
    fn socket(&self) -> &Socket {
        match self {
            Receiver::Itself(socket) => socket.socket(),
            // `receiver` has looked: it is one.
            Receiver::OfFile(socket) => as_socket(socket).map_or_else(|| unreachable!(), |socket| socket.socket()),
        }
    }
}

/// The facts of a socket, which is seen for the first time perhaps.
fn know<'a>(
    py: Python<'_>,
    state: &'a mut State,
    socket: &Socket,
    by: By,
    opened: Option<String>,
) -> Option<&'a mut Facts> {
    let key = key(socket);
    let fd = socket.descriptor().number();
    let is_known = state.sockets.get(&key).is_some_and(|facts| !facts.is_closed || fd < 0);
    if !is_known {
        if fd < 0 || state.sockets.try_reserve(1).is_err() {
            return None;
        }
        let number = state.next_socket();
        let facts = Facts::new(py, number, socket, by, opened);
        state.sockets.insert(key, facts);
    }
    state.sockets.get_mut(&key)
}

/// The thread is about to detach. If its call has to wait, that is told.
pub fn detaches(py: Python<'_>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let waits = FRAMES.with(|frames| {
            let mut frames = frames.borrow_mut();
            let frame = frames.last_mut()?;
            // SAFETY: the call is on the stack of this thread until its frame is popped.
            let call = unsafe { &*frame.call };
            let waits = may_wait(py, frame.kind, frame.name, call);
            // What OpenSSL does in the meantime is not known: it counts as waiting if the socket was not ready.
            frame.detached = (waits || !frame.is_tls).then(Instant::now);
            if frame.is_told || !waits {
                return None;
            }
            frame.is_told = true;
            Some((frame.call, frame.kind, frame.name, frame.is_tls, frame.began))
        });
        if let Some((call, kind, name, is_tls, began)) = waits {
            // SAFETY: as above. The caller is in the call.
            let call = unsafe { &*call };
            deliver(py, tell_wait(py, call, kind, name, is_tls, began));
        }
    }));
}

/// The thread is attached again.
pub fn attached(_py: Python<'_>) {
    FRAMES.with(|frames| {
        if let Ok(mut frames) = frames.try_borrow_mut()
            && let Some(frame) = frames.last_mut()
            && let Some(detached) = frame.detached.take()
        {
            frame.waited += detached.elapsed();
        }
    });
}

/// Whether a call that detaches is going to wait, as far as can be told.
fn may_wait(py: Python<'_>, kind: Kind, name: &str, call: &Call<'_, '_>) -> bool {
    let direction = match kind {
        Kind::Makes if name == "accept" => Direction::Read,
        Kind::Address => return name.starts_with("connect") && blocks(call) && is_stream(call),
        Kind::ReadTls if has_pending(call) => return false,
        Kind::ReadTls
        | Kind::Receive
        | Kind::ReceiveFrom
        | Kind::ReceiveInto
        | Kind::ReceiveFromInto
        | Kind::ReceiveMessage
        | Kind::ReceiveMessageInto => Direction::Read,
        Kind::Send | Kind::SendAll | Kind::SendTo | Kind::SendMessage | Kind::SendFile => Direction::Write,
        Kind::Plain if name == "do_handshake" => Direction::Read,
        Kind::Plain => return name.starts_with("get") && receiver(call).is_none(),
        _ => return false,
    };
    let Some(socket) = receiver(call).filter(|_| blocks(call)) else { return false };
    let is_ready = socket.socket().descriptor().attached(py, |fd| poll(fd, direction, Some(Duration::ZERO)));
    !is_ready.unwrap_or(true)
}

/// Whether native TLS has plain text that was not read yet.
fn has_pending(call: &Call<'_, '_>) -> bool {
    let pending = || {
        let py = call.receiver.py();
        let connection = call.receiver.getattr_opt(name!(py, "_sslobj")?)?.filter(|connection| !connection.is_none());
        let pending = connection.map(|connection| connection.call_method0(name!(py, "pending")?).map_err(Error::from));
        pending.transpose()
    };
    match pending() {
        Ok(pending) => pending.as_ref().and_then(plain_long) != Some(0),
        Err(error) => {
            error.discard(call.receiver.py());
            true
        }
    }
}

fn is_stream(call: &Call<'_, '_>) -> bool {
    receiver(call).is_some_and(|socket| socket.socket().kind() == libc::SOCK_STREAM)
}

fn blocks(call: &Call<'_, '_>) -> bool {
    receiver(call).is_some_and(|socket| !socket.socket().timeout().is_zero())
}

fn tell_wait(
    py: Python<'_>,
    call: &Call<'_, '_>,
    kind: Kind,
    name: &str,
    is_tls: bool,
    began: Instant,
) -> Vec<Delivery> {
    let arguments = Arguments::of(call);
    let caller = caller::here(py);
    let thread = thread_name::current(py);
    let socket = receiver(call);
    let socket = socket.as_ref().map(Receiver::socket);
    let given = transfers::of(kind, &arguments, Err(&call.receiver), 0, false).address;
    let mut locked = lock();
    let state = locked.state();
    let mut text = Line::default();
    arguments.write(&mut text, name, kind, state.limit());
    let facts = socket.and_then(|socket| state.sockets.get(&key(socket)));
    let (number, fd) = (facts.map(|facts| facts.number), facts.map(|facts| facts.fd));
    let event = Event {
        began,
        thread: Thread { id: thread::Id::current().number(), name: &thread },
        socket: number,
        fd,
        call: name,
        arguments: text.text().unwrap_or("…"),
        caller: caller.as_deref(),
        is_tls,
        outcome: None,
    };
    let addresses = facts.map_or([None, None], |facts| [facts.local.clone(), facts.peer.clone()]);
    let given = given.as_ref().and_then(address::host_and_port);
    let subject = Subject {
        family_and_kind: facts.map(Facts::family_and_kind),
        addresses: [addresses[0].as_ref(), addresses[1].as_ref()],
        given: given.as_ref().map(|(host, port)| (host.as_str(), *port)),
        path: None,
        fd,
        thread: &thread,
        call: name,
        has_failed: false,
    };
    state.tell(&event, &subject, socket.map(key), &[])
}

/// Tells a call that has ended.
fn finish(call: &Call<'_, '_>, result: *mut ffi::PyObject) {
    let py = call.receiver.py();
    let Some(frame) = FRAMES.with(|frames| frames.borrow_mut().pop()) else { return };
    // SAFETY: the caller owns the result, which is an object or null, until this function returns.
    let result = unsafe { Bound::from_borrowed_ptr_or_opt(py, result) };
    // No exception is set while this function runs; then it is the current one again.
    let mut exception = SavedException::take(py);
    let error = exception.value();
    let deliveries = Finished { py, call, frame: &frame, result: result.as_ref(), error: error.as_ref() }.tell();
    deliver(py, deliveries);
    drop(exception);
}

/// A call that has ended.
struct Finished<'a, 'b, 'py> {
    py: Python<'py>,
    call: &'a Call<'b, 'py>,
    frame: &'a Frame,
    result: Option<&'a Bound<'py, PyAny>>,
    error: Option<&'a Bound<'py, PyAny>>,
}

impl<'py> Finished<'_, '_, 'py> {
    fn tell(&self) -> Vec<Delivery> {
        let Frame { kind, name, is_tls, began, waited, .. } = *self.frame;
        let took = began.elapsed();
        let py = self.py;
        let arguments = if kind == Kind::Close {
            Arguments { positional: Vec::new(), named: Vec::new() }
        } else {
            Arguments::of(self.call)
        };
        let caller = caller::here(py);
        let thread = thread_name::current(py);
        let receiver = receiver(self.call);
        let socket = receiver.as_ref().map(Receiver::socket);
        let mut locked = lock();
        let state = locked.state();
        let limit = state.limit();
        let socket_key = self.learn(state, socket, &caller);
        let facts = socket_key.and_then(|key| state.sockets.get(&key));
        if kind == Kind::New && facts.is_some_and(Facts::is_of_pair) {
            return Vec::new(); // `socketpair` was told
        }
        let is_stream = socket_key.and_then(|key| state.sockets.get(&key)).is_some_and(Facts::is_stream);
        let found = self.transferred(&arguments, limit, is_stream);
        self.count(state, socket, socket_key, &found, waited);
        let new = self.new_sockets(state, socket_key, &caller);
        let new_numbers = numbers(state, &new);
        let facts = socket_key.and_then(|key| state.sockets.get(&key));
        let (number, fd) = (facts.map(|facts| facts.number), facts.map(|facts| facts.fd));
        let addresses = facts.map_or([None, None], |facts| [facts.local.clone(), facts.peer.clone()]);
        let family_and_kind = facts.map(Facts::family_and_kind);

        let (mut text, mut answer, mut address) = (Line::default(), Line::default(), Line::default());
        arguments.write(&mut text, name, kind, limit);
        self.write_answer(&mut answer, limit);
        if let Some(found) = &found.address {
            address::of_python(&mut address, found);
        }
        let answer = answer.text().unwrap_or("…");
        let outcome = Outcome {
            answer: if self.result.is_some() { Ok(answer) } else { Err(answer) },
            errno: self.errno(),
            took,
            waited: waited.min(took),
            transfer: found.transfer,
            data: &found.data,
            address: address.text().unwrap_or(""),
            new: &new_numbers,
            rights: found.rights,
        };
        let event = Event {
            began,
            thread: Thread { id: thread::Id::current().number(), name: &thread },
            socket: number,
            fd,
            call: name,
            arguments: text.text().unwrap_or("…"),
            caller: caller.as_deref(),
            is_tls,
            outcome: Some(outcome),
        };
        let given = found.address.as_ref().and_then(address::host_and_port);
        let path = found.address.as_ref().and_then(|address| address.extract::<String>().ok());
        let subject = Subject {
            family_and_kind,
            addresses: [addresses[0].as_ref(), addresses[1].as_ref()],
            given: given.as_ref().map(|(host, port)| (host.as_str(), *port)),
            path: path.as_deref(),
            fd,
            thread: &thread,
            call: name,
            has_failed: self.error.is_some(),
        };
        state.tell(&event, &subject, socket_key, &new)
    }

    /// Learns what the call has changed about its socket. Returns the socket's key.
    fn learn(&self, state: &mut State, socket: Option<&Socket>, caller: &Option<String>) -> Option<usize> {
        let (py, socket) = (self.py, socket?);
        match self.frame.kind {
            Kind::New if self.result.is_some() => {
                let by = if self.made_from_descriptor() { By::FromFd } else { By::Socket };
                know(py, state, socket, by, caller.clone())?;
                pair_up(state, key(socket));
            }
            Kind::New => return None,
            Kind::Address => state.sockets.get_mut(&key(socket))?.ask_names(py, socket),
            Kind::Listen if self.result.is_some() => {
                let facts = state.sockets.get_mut(&key(socket))?;
                facts.set_listens();
                facts.ask_names(py, socket);
            }
            _ => {}
        }
        state.sockets.contains_key(&key(socket)).then(|| key(socket))
    }

    fn made_from_descriptor(&self) -> bool {
        let arguments = Arguments::of(self.call);
        arguments.get(3, "fileno").is_some_and(|fileno| !fileno.is_none())
    }

    fn transferred(&self, arguments: &Arguments<'py>, limit: usize, is_stream: bool) -> Transferred<'py> {
        match (self.result, self.error) {
            (Some(result), _) => transfers::of(self.frame.kind, arguments, Ok(result), limit, is_stream),
            (None, Some(error)) => transfers::of(self.frame.kind, arguments, Err(error), limit, is_stream),
            (None, None) => Transferred::default(),
        }
    }

    /// Counts what the call has done.
    fn count(
        &self,
        state: &mut State,
        socket: Option<&Socket>,
        key: Option<usize>,
        found: &Transferred<'py>,
        waited: Duration,
    ) {
        let Some(facts) = key.and_then(|key| state.sockets.get_mut(&key)) else { return };
        facts.counts.calls += 1;
        facts.counts.waited += waited;
        facts.counts.received += found.transfer.received.unwrap_or(0);
        facts.counts.sent += found.transfer.sent.unwrap_or(0);
        let has_transferred = found.transfer.received.is_some() || found.transfer.sent.is_some();
        if let Some(socket) = socket.filter(|_| has_transferred && facts.lacks_names()) {
            facts.ask_names(self.py, socket);
        }
    }

    /// The sockets that the call has made: their keys.
    fn new_sockets(&self, state: &mut State, origin: Option<usize>, caller: &Option<String>) -> Vec<usize> {
        let Some(result) = self.result else { return Vec::new() };
        let origin = origin.and_then(|key| state.sockets.get(&key)).map_or(0, |facts| facts.number);
        let first = result.cast_exact::<PyTuple>().ok().and_then(|tuple| tuple.get_item(0).ok());
        match self.frame.kind {
            Kind::Makes => {
                let made = first.as_ref().unwrap_or(result);
                let Some(socket) = as_socket(made) else { return Vec::new() };
                let by = if self.frame.name == "dup" { By::Dup(origin) } else { By::Accept(origin) };
                know(self.py, state, socket.socket(), by, caller.clone());
                vec![key(socket.socket())]
            }
            Kind::Pair => {
                let second = result.cast_exact::<PyTuple>().ok().and_then(|tuple| tuple.get_item(1).ok());
                if let (Some(one), Some(other)) =
                    (first.and_then(|one| cookie_of(&one)), second.and_then(|other| cookie_of(&other)))
                    && state.pairs.try_reserve(1).is_ok()
                {
                    state.pairs.push([one, other]);
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn write_answer(&self, line: &mut Line, limit: usize) {
        match (self.result, self.error) {
            (Some(_), _) if self.frame.kind == Kind::New => words::object(line, &self.call.receiver, limit),
            (Some(result), _) => words::object(line, result, limit),
            (None, Some(error)) => words::exception(line, error),
            (None, None) => {}
        }
    }

    fn errno(&self) -> Option<i32> {
        let Some(error) = self.error else {
            let failed = self.frame.name == "connect_ex";
            let errno = self.result.filter(|_| failed).and_then(plain_long)?;
            return i32::try_from(errno).ok().filter(|errno| *errno != 0);
        };
        if !error.is_instance_of::<pyo3::exceptions::PyOSError>() {
            return None;
        }
        let errno = error.getattr_opt(name!(self.py, "errno").ok()?).ok().flatten()?;
        plain_long(&errno).and_then(|errno| i32::try_from(errno).ok())
    }
}

fn cookie_of(socket: &Bound<'_, PyAny>) -> Option<u64> {
    as_socket(socket)?.socket().descriptor().attached(socket.py(), cookie).ok()
}

fn numbers(state: &State, keys: &[usize]) -> Vec<u64> {
    keys.iter().filter_map(|key| state.sockets.get(key)).map(|facts| facts.number).collect()
}

/// Finds the other one of a pair, if the socket is of one.
fn pair_up(state: &mut State, key: usize) {
    let Some((number, cookie)) = state.sockets.get(&key).and_then(|facts| Some((facts.number, facts.cookie?))) else {
        return;
    };
    let Some(index) = state.pairs.iter().position(|pair| pair.contains(&cookie)) else { return };
    let [one, other] = state.pairs[index];
    let twin_cookie = if one == cookie { other } else { one };
    let twin = state
        .sockets
        .iter()
        .find(|(_, facts)| facts.cookie == Some(twin_cookie))
        .map(|(key, facts)| (*key, facts.number));
    let Some(facts) = state.sockets.get_mut(&key) else { return };
    match twin {
        Some((twin_key, twin)) => {
            facts.set_twin(twin);
            if let Some(facts) = state.sockets.get_mut(&twin_key) {
                facts.set_twin(number);
            }
            state.pairs.remove(index);
        }
        None => facts.begin_pair(),
    }
}

/// A socket gives its number up.
pub fn ends(py: Python<'_>, socket: &Socket, ending: Ending) {
    if is_unobserved() {
        return;
    }
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let by = match ending {
            Ending::Closed => "close",
            Ending::Detached => "detach",
            Ending::Finalized => "finalizer",
        };
        // A finalizer runs with whatever exception the program is handling.
        let exception = SavedException::take(py);
        let caller = if ending == Ending::Finalized { None } else { caller::here(py) };
        let is_told = FRAMES.with(|frames| frames.borrow().last().is_some_and(|frame| frame.kind == Kind::Close));
        let deliveries = lock().state().tell_close(key(socket), by, caller.as_deref(), is_told);
        deliver(py, deliveries);
        drop(exception);
    }));
}

/// The memory of a socket is freed.
pub fn freed(socket: &Socket) {
    lock().state().sockets.remove(&key(socket));
}
