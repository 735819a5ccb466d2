//! Construction, `accept`, `dup`, `close`, `detach`, `repr` and the with-statement of the public class.

use std::ffi::CStr;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering;

use pyo3::exceptions::{PyAttributeError, PyOSError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple};

use super::borrowed::AnyObject;
use super::{identity, members, package};
use crate::call::attempts::Directions;
use crate::call::descriptor::offer::Offer;
use crate::call::spec::Spec;
use crate::call::timeout::{self, Timeout};
use crate::error::{Error, Exception, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::{Arguments, Keywords};
use crate::interpreter::function::{Receiver, enter_slot};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::number::{self, as_int};
use crate::interpreter::signature::Signature;
use crate::interpreter::{observe, owned};
use crate::socket::class::is_inherited;
use crate::socket::lifecycle;
use crate::socket::object::{Object, SocketRef};
use crate::socket::{connect, options};
use crate::{name, sys};

const INIT: Signature<4> = Signature {
    qualified_name: "socket.__init__",
    declaration: "self, family=-1, type=-1, proto=-1, fileno=None",
    names: ["family", "type", "proto", "fileno"],
    positional: 4,
    required: 0,
};

/// `__init__(family=-1, type=-1, proto=-1, fileno=None)`.
pub fn initialise<'py>(
    this: SocketRef<'_, 'py>,
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> Result<()> {
    let [family, kind, proto, fileno] = INIT.bind_tuple(Some(&this.object()), arguments, keywords)?;
    let int = |given: Option<Bound<'py, PyAny>>| given.map_or(Ok(-1), |given| as_int(&given));
    let spec = Spec { family: int(family)?, kind: int(kind)?, proto: int(proto)? };
    let fileno = fileno.filter(|fileno| !fileno.is_none());
    let spec = if fileno.is_some() { spec } else { spec.or_default() };
    lifecycle::initialise(this, spec, fileno.as_ref())?;
    this.socket().io_refs().store(0, Ordering::Relaxed);
    this.socket().marked_closed().store(false, Ordering::Relaxed);
    Ok(())
}

/// `accept()`: `(socket, address)`.
pub fn accept<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    check_no_arguments(&this.object(), "socket.accept", arguments)?;
    let py = this.py();
    let object = this.object();
    if !identity::is_exactly_public(&object) {
        return accept_in_subclass(this);
    }
    let (connection, peer) = connect::accept_connection(this)?;
    let class = package::global(py, name!(py, "socket")?)?;
    let accepted = if identity::is_public(&class) {
        socket_for_connection(py, this, connection)?
    } else {
        // The program has replaced the name `socket` in the package.
        let accepted = construct_from_fd(&class, constructor_arguments(&object)?, connection)?;
        follow_default_timeout(&object, accepted)?
    };
    (accepted, peer).into_object(py)
}

/// `accept()` of a subclass, which may override each of its steps.
fn accept_in_subclass<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let object = this.object();
    let class = || package::global(py, name!(py, "socket")?);
    let (accepted, peer) = if is_inherited(&object, name!(py, "_accept")?)? {
        let (connection, peer) = connect::accept_connection(this)?;
        (construct_from_fd(&class()?, constructor_arguments(&object)?, connection)?, peer)
    } else {
        // The subclass owns the descriptor until a socket has taken it over.
        let [fileno, peer] = unpack_pair(object.call_method0(name!(py, "_accept")?)?)?;
        (class()?.call(constructor_arguments(&object)?, Some(&make::fileno(py, fileno)?))?, peer)
    };
    (follow_default_timeout(&object, accepted)?, peer).into_object(py)
}

/// Unpacks a tuple, or another iterable, of two items.
fn unpack_pair<'py>(pair: Bound<'py, PyAny>) -> Result<[Bound<'py, PyAny>; 2]> {
    if let Ok((first, second)) = pair.extract() {
        return Ok([first, second]);
    }
    // The interpreter unpacks anything else, so that the error message is its own.
    let py = pair.py();
    let names = make::dict(py)?;
    names.set_item(name!(py, "pair")?, pair)?;
    py.run(c"first, second = pair", None, Some(&names))?;
    let item = |name: Result<&Bound<'py, PyString>>| Ok::<_, Error>(names.as_any().get_item(name?)?);
    Ok([item(name!(py, "first"))?, item(name!(py, "second"))?])
}

/// Makes an accepted socket blocking if there is no default timeout and its listener has a timeout. A socket of this crate is blocking
/// already, but a class that overrides `setblocking` expects the call.
fn follow_default_timeout<'py>(listener: &Bound<'py, PyAny>, accepted: Bound<'py, PyAny>) -> ObjectResult<'py> {
    let py = listener.py();
    if timeout::default().is_none() && listener.call_method0(name!(py, "gettimeout")?)?.is_truthy()? {
        accepted.call_method1(name!(py, "setblocking")?, (true,))?;
    }
    Ok(accepted)
}

/// Makes an instance of `class`, which may be any class, from a descriptor.
fn construct_from_fd<'py>(
    class: &Bound<'py, PyAny>,
    arguments: ConstructorArguments<'py>,
    fd: OwnedFd,
) -> ObjectResult<'py> {
    call_with_offer(class, fd, None, |number| Ok(class.call(arguments, Some(&make::fileno(class.py(), number)?))?))
}

/// Calls `construct`, which makes an instance of `class`, with a descriptor's number. Closes the descriptor if the call fails before a
/// socket has taken it over. `excluded` are the directions in which the descriptor's options allow no first attempt, if they are known.
fn call_with_offer<'py>(
    class: &Bound<'py, PyAny>,
    fd: OwnedFd,
    excluded: Option<Directions>,
    construct: impl FnOnce(RawFd) -> ObjectResult<'py>,
) -> ObjectResult<'py> {
    let offer = Offer::new(fd, excluded).ok_or(Error::NoMemory)?;
    let constructed = construct(offer.number());
    match &constructed {
        // A foreign class may have closed or kept the descriptor before it failed: this code cannot know.
        Err(_) if identity::is_public_or_subclass(class) => offer.withdraw(),
        _ => offer.accepted(),
    }
    constructed
}

/// Takes ownership of a descriptor that Python code passed as a number.
fn take_ownership(number: RawFd) -> Result<OwnedFd> {
    if number < 0 {
        return Err(Error::closed());
    }
    // SAFETY: the number is not -1. Not guaranteed: that it is open and has no other owner. The caller of `_hand_over` promises that.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// `_hand_over(class, family, type, proto, fileno, is_new)`: an instance of the class for a descriptor that has no other owner. It has no
/// options yet if it is new.
pub fn hand_over<'py>(_py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let get = |index| {
        let given = arguments.get(index).ok_or_else(|| Error::type_error("_hand_over() takes 6 arguments"))?;
        Ok::<_, Error>(given.to_owned())
    };
    let (class, family, kind, proto) = (get(0)?, get(1)?, get(2)?, get(3)?);
    let excluded = get(5)?.is_truthy()?.then_some(0);
    let fd = take_ownership(number::fileno(&get(4)?)?)?;
    call_with_offer(&class, fd, excluded, |number| {
        Ok(class.call1((family, kind, proto, number.into_object(class.py())?))?)
    })
}

/// The family, type and protocol that are passed to a class of sockets, as Python objects.
type ConstructorArguments<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

/// The arguments that make another socket of the same family, type and protocol.
fn constructor_arguments<'py>(object: &Bound<'py, PyAny>) -> Result<ConstructorArguments<'py>> {
    let py = object.py();
    let get = |name: Result<&Bound<'py, PyString>>| Ok::<_, Error>(object.getattr(name?)?);
    Ok((get(name!(py, "family"))?, get(name!(py, "type"))?, get(name!(py, "proto"))?))
}

/// Makes a socket of the public class for a connection that `listener` accepted.
fn socket_for_connection<'py>(py: Python<'py>, listener: SocketRef<'_, 'py>, connection: OwnedFd) -> ObjectResult<'py> {
    let accepted = identity::new_instance(py)?;
    let this = identity::this(&accepted)?;
    let socket = listener.socket();
    let spec = Spec { family: socket.family(), kind: socket.kind(), proto: socket.proto() };
    lifecycle::audit_new(this, spec)?;
    // A connection inherits its listener's options, and so the attempts that these exclude. Where the listener was never asked for them,
    // the connection is: meanwhile the listener may have other options, or be closed.
    lifecycle::adopt(this.socket(), spec, connection, socket.known_without_attempts())?;
    // On some systems a connection inherits O_NONBLOCK from its listener. It must block unless the program asked for something else.
    let listener_waits = !socket.timeout().is_none() && !socket.timeout().is_zero();
    if timeout::default().is_none() && listener_waits && sys::socket::CONNECTIONS_INHERIT_NONBLOCK {
        options::change_timeout(this, Timeout::NONE)?;
    }
    Ok(accepted)
}

/// `dup()`: another socket on a duplicate of the descriptor.
pub fn dup<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    check_no_arguments(&this.object(), "socket.dup", arguments)?;
    let py = this.py();
    let object = this.object();
    let duplicate = call_on_descriptor(this, sys::socket::dup)?;
    let socket =
        construct_from_fd(&object.getattr(name!(py, "__class__")?)?, constructor_arguments(&object)?, duplicate)?;
    let timeout = object.call_method0(name!(py, "gettimeout")?)?;
    socket.call_method1(name!(py, "settimeout")?, (timeout,))?;
    Ok(socket)
}

/// Makes a system call on a socket's descriptor. If a subclass overrides `fileno`, the call is made on the descriptor that it returns.
fn call_on_descriptor<T>(
    this: SocketRef<'_, '_>,
    call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T> + Send,
) -> Result<T> {
    let object = this.object();
    if identity::is_exactly_public(&object) || is_inherited(&object, name!(this.py(), "fileno")?)? {
        return Ok(this.socket().descriptor().attached(this.py(), call)?);
    }
    let number = number::fileno(&object.call_method0(name!(this.py(), "fileno")?)?)?;
    if number < 0 {
        return Err(Error::closed());
    }
    // SAFETY: the number is not -1, and only this call uses the borrow. Not guaranteed: that the number is open and a socket's. The
    // subclass that returned it promises that, as in CPython.
    Ok(call(unsafe { BorrowedFd::borrow_raw(number) })?)
}

/// Raises `TypeError` when a method that takes no arguments got one.
fn check_no_arguments<'py>(object: &Bound<'py, PyAny>, name: &'static str, arguments: Keywords<'_, 'py>) -> Result<()> {
    let signature = Signature::<0> { qualified_name: name, declaration: "self", names: [], positional: 0, required: 0 };
    signature.bind(Some(object), arguments).map(|[]| ())
}

/// `close()`: closes the socket, or leaves that to the last of its file objects that is closed.
pub fn close<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    check_no_arguments(&this.object(), "socket.close", arguments)?;
    mark_and_close(this)?;
    Ok(this.none())
}

fn mark_and_close(this: SocketRef<'_, '_>) -> Result<()> {
    let socket = this.socket();
    // Without a GIL `decref_socketios` may run at the same time: each stores its own flag before it loads the other's, in one order for both
    // threads, so that at least one of them closes the socket.
    socket.marked_closed().store(true, Ordering::SeqCst);
    if socket.io_refs().load(Ordering::SeqCst) <= 0 {
        close_by_class(this)?;
    }
    Ok(())
}

/// Closes the socket through `_real_close` if its class may override that, as `ssl.SSLSocket` does.
fn close_by_class(this: SocketRef<'_, '_>) -> Result<()> {
    if identity::is_exactly_public(&this.object()) {
        return lifecycle::close_socket(this.py(), this.socket());
    }
    this.object().call_method0(name!(this.py(), "_real_close")?)?;
    Ok(())
}

/// `_real_close()`: closes the socket now.
pub fn real_close<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    const REAL_CLOSE: Signature<1> = Signature {
        qualified_name: "socket._real_close",
        declaration: "self, _ss=None",
        names: ["_ss"],
        positional: 1,
        required: 0,
    };
    REAL_CLOSE.bind(Some(&this.object()), arguments)?;
    lifecycle::close(this)
}

/// `_decref_socketios()`: removes one file object from the count, and closes a socket that only waited for the last of them.
pub fn decref_socketios<'py>(this: AnyObject<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let (py, object) = (this.py(), this.object());
    check_no_arguments(&object, "socket._decref_socketios", arguments)?;
    let closed = if let Some(this) = this.socket() {
        let socket = this.socket();
        let one_less = |count: i32| (count > 0).then(|| count - 1);
        let _never_below_0 = socket.io_refs().fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
        socket.marked_closed().load(Ordering::SeqCst)
    } else {
        let io_refs = this.io_refs()?;
        if io_refs.gt(0i32.into_object(py)?)? {
            this.set_io_refs(io_refs.sub(1i32.into_object(py)?)?)?;
        }
        this.closed_attribute()?
    };
    if closed {
        object.call_method0(name!(py, "close")?)?;
    }
    Ok(py.None().into_bound(py))
}

/// `detach()`.
pub fn detach<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    check_no_arguments(&this.object(), "socket.detach", arguments)?;
    this.socket().marked_closed().store(true, Ordering::Relaxed);
    lifecycle::detach(this)
}

/// `__enter__()`.
pub fn context_enter<'py>(this: AnyObject<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    check_no_arguments(&this.object(), "socket.__enter__", arguments)?;
    Ok(this.object().to_owned())
}

/// `__exit__(*exception)`.
pub fn context_exit<'py>(this: AnyObject<'_, 'py>, exception: Keywords<'_, 'py>) -> ObjectResult<'py> {
    if exception.only_positional().is_none() {
        const EXIT: Signature<0> = Signature {
            qualified_name: "socket.__exit__",
            declaration: "self, *args",
            names: [],
            positional: usize::MAX,
            required: 0,
        };
        EXIT.bind(Some(&this.object()), exception)?;
    }
    let (py, object) = (this.py(), this.object());
    let closed = match this.socket() {
        Some(this) => this.socket().marked_closed().load(Ordering::Relaxed),
        None => this.closed_attribute()?,
    };
    match this.socket() {
        _ if closed => {}
        Some(this) if identity::is_exactly_public(&object) => mark_and_close(this)?,
        _ => drop(object.call_method0(name!(py, "close")?)?),
    }
    Ok(py.None().into_bound(py))
}

/// `get_inheritable()`.
pub fn get_inheritable<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    check_no_arguments(&this.object(), "socket.get_inheritable", arguments)?;
    let inheritable = call_on_descriptor(this, sys::socket::inheritable)?;
    Ok(PyBool::new(this.py(), inheritable).to_owned().into_any())
}

/// `set_inheritable(inheritable)`.
pub fn set_inheritable<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    const SET_INHERITABLE: Signature<1> = Signature {
        qualified_name: "socket.set_inheritable",
        declaration: "self, inheritable",
        names: ["inheritable"],
        positional: 1,
        required: 1,
    };
    let [inheritable] = SET_INHERITABLE.bind(Some(&this.object()), arguments)?;
    let inheritable = inheritable.map_or(Ok(0), |inheritable| as_int(&inheritable))?;
    call_on_descriptor(this, |fd| sys::socket::set_inheritable(fd, inheritable != 0))?;
    Ok(this.none())
}

/// `__getstate__()`: raises `TypeError`, because a descriptor means nothing in another process.
pub fn getstate<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    check_no_arguments(&this.object(), "socket.__getstate__", arguments)?;
    let name = this.object().get_type().name()?;
    Err(Error::about(Exception::Type, c"cannot pickle ", &name, c" object"))
}

/// `repr`: the state, and the local and the remote address if the socket is open and has them.
pub unsafe extern "C" fn repr(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls the slot with the thread attached and with an instance of the class.
    unsafe { enter_slot(|py| repr_text(SocketRef::from_interpreter(py, object))) }
}

fn repr_text<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let object = this.object();
    let class = object.getattr(name!(py, "__class__")?)?;
    let closed = this.socket().marked_closed().load(Ordering::Relaxed);
    let values = make::tuple(
        py,
        [
            class.getattr(name!(py, "__module__")?)?,
            class.getattr(name!(py, "__qualname__")?)?,
            make::text(py, if closed { " [closed]" } else { "" })?,
            object.call_method0(name!(py, "fileno")?)?,
            object.getattr(name!(py, "family")?)?,
            object.getattr(name!(py, "type")?)?,
            object.getattr(name!(py, "proto")?)?,
        ],
    )?;
    // A subclass may return any object for these. The interpreter's own `%` formats it or raises TypeError.
    let mut text = make::text(py, "<%s.%s%s fd=%i, family=%s, type=%s, proto=%i")?.rem(values)?;
    if !closed {
        let (local, peer) = (name!(py, "getsockname")?, name!(py, "getpeername")?);
        text = append_address(text, c"%U, laddr=%S", observe::unobserved(|| object.call_method0(local)))?;
        text = append_address(text, c"%U, raddr=%S", observe::unobserved(|| object.call_method0(peer)))?;
    }
    // SAFETY: the thread is attached, because `py` exists. The format takes one `str`, which `text` is: `str % tuple` returned it.
    unsafe { owned(py, ffi::PyUnicode_FromFormat(c"%U>".as_ptr(), text.as_ptr())) }
}

/// Appends the address of one end to the text, if there is one. A path may hold bytes that are not UTF-8, which a Python string can carry
/// and a Rust string cannot.
fn append_address<'py>(
    text: Bound<'py, PyAny>,
    format: &CStr,
    address: PyResult<Bound<'py, PyAny>>,
) -> Result<Bound<'py, PyAny>> {
    match address {
        Ok(address) if address.is_truthy()? => {
            // SAFETY: the thread is attached, because `text` is bound. Both callers pass a format of a `str` and an object.
            unsafe {
                let longer = ffi::PyUnicode_FromFormat(format.as_ptr(), text.as_ptr(), address.as_ptr());
                owned(text.py(), longer)
            }
        }
        Ok(_) => Ok(text),
        Err(error)
            if error.is_instance_of::<PyOSError>(text.py()) || error.is_instance_of::<PyAttributeError>(text.py()) =>
        {
            Error::from(error).discard(text.py());
            Ok(text)
        }
        Err(error) => Err(error.into()),
    }
}

/// `family`.
pub fn family<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    members::family(this.py(), this.socket().family())
}

/// `type`.
pub fn kind<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    members::kind(this.py(), this.socket().kind())
}

/// `_closed`.
pub fn closed<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let closed = this.socket().marked_closed().load(Ordering::Relaxed);
    Ok(PyBool::new(this.py(), closed).to_owned().into_any())
}

/// Sets `_closed`.
pub fn set_closed(this: SocketRef<'_, '_>, closed: &Bound<'_, PyAny>) -> Result<()> {
    this.socket().marked_closed().store(closed.is_truthy()?, Ordering::Relaxed);
    Ok(())
}

/// `_io_refs`.
pub fn io_refs<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    this.socket().io_refs().load(Ordering::Relaxed).into_object(this.py())
}

/// Sets `_io_refs`.
pub fn set_io_refs(this: SocketRef<'_, '_>, count: &Bound<'_, PyAny>) -> Result<()> {
    this.socket().io_refs().store(as_int(count)?, Ordering::Relaxed);
    Ok(())
}

/// `__weakref__`: the first weak reference to the object or None, as the attribute of a class made in Python.
pub fn weak_reference<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    // SAFETY: the object is an instance of the public class, borrowed by the caller. The interpreter keeps the list of weak references in
    // this field, because `__weaklistoffset__` names it. The head of the list is a borrowed reference or null.
    let first = unsafe {
        let head = (*this.object().as_ptr().cast::<Object>()).weak_references;
        Bound::from_borrowed_ptr_or_opt(this.py(), head)
    };
    Ok(first.unwrap_or_else(|| this.none()))
}
