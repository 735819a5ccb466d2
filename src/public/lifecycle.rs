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
use crate::call::descriptor::offer::Offer;
use crate::call::spec::Spec;
use crate::call::timeout::{self, Timeout};
use crate::error::{Error, Exception, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::{Arguments, Keywords};
use crate::interpreter::function::{Receiver, enter};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::number::{self, as_int};
use crate::interpreter::owned;
use crate::interpreter::signature::Signature;
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
    take_nothing(this, "socket.accept", arguments)?;
    let py = this.py();
    let object = this.object();
    if !identity::is_exactly_public(&object) {
        return accept_as_overridden(this);
    }
    let (connection, peer) = connect::accept_connection(this)?;
    let class = package::named(py, name!(py, "socket")?)?;
    let accepted = if identity::is_public(&class) {
        accepted_socket(py, this, connection)?
    } else {
        // Somebody has put another class in the place of ours.
        let made = make_of(&class, kind_of(&object)?, connection)?;
        made_blocking(&object, made)?
    };
    (accepted, peer).into_object(py)
}

/// `accept()` of a subclass, which may have each step of it in its own way.
fn accept_as_overridden<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let object = this.object();
    let class = || package::named(py, name!(py, "socket")?);
    let (made, peer) = if is_inherited(&object, name!(py, "_accept")?)? {
        let (connection, peer) = connect::accept_connection(this)?;
        (make_of(&class()?, kind_of(&object)?, connection)?, peer)
    } else {
        // Till a socket has taken it, the number is the subclass's.
        let [fileno, peer] = two(object.call_method0(name!(py, "_accept")?)?)?;
        (class()?.call(kind_of(&object)?, Some(&make::fileno(py, fileno)?))?, peer)
    };
    (made_blocking(&object, made)?, peer).into_object(py)
}

/// The two things that a tuple, or whatever can be iterated over, consists of.
fn two<'py>(pair: Bound<'py, PyAny>) -> Result<[Bound<'py, PyAny>; 2]> {
    if let Ok((first, second)) = pair.extract() {
        return Ok([first, second]);
    }
    // The interpreter says itself what is wrong with it.
    let py = pair.py();
    let names = make::dict(py)?;
    names.set_item(name!(py, "pair")?, pair)?;
    py.run(c"first, second = pair", None, Some(&names))?;
    let item = |name: Result<&Bound<'py, PyString>>| Ok::<_, Error>(names.as_any().get_item(name?)?);
    Ok([item(name!(py, "first"))?, item(name!(py, "second"))?])
}

/// Makes an accepted socket block, where the default is to block and its listener has a timeout. Here it does so already; but whoever has
/// overridden `setblocking` is called.
fn made_blocking<'py>(listener: &Bound<'py, PyAny>, accepted: Bound<'py, PyAny>) -> ObjectResult<'py> {
    let py = listener.py();
    if timeout::default().is_none() && listener.call_method0(name!(py, "gettimeout")?)?.is_truthy()? {
        accepted.call_method1(name!(py, "setblocking")?, (true,))?;
    }
    Ok(accepted)
}

/// An instance of `class`, which may be any, for a descriptor.
fn make_of<'py>(class: &Bound<'py, PyAny>, kind: Kind<'py>, fd: OwnedFd) -> ObjectResult<'py> {
    offered(class, fd, |number| Ok(class.call(kind, Some(&make::fileno(class.py(), number)?))?))
}

/// What `make` makes of a descriptor's number with `class`. If it fails before a socket has taken the descriptor, that is closed.
fn offered<'py>(
    class: &Bound<'py, PyAny>,
    fd: OwnedFd,
    make: impl FnOnce(RawFd) -> ObjectResult<'py>,
) -> ObjectResult<'py> {
    let offer = Offer::new(fd);
    let made = make(offer.number());
    match &made {
        // What a class that is not ours does with a descriptor before it fails, only it knows.
        Err(_) if identity::is_public_or_derived(class) => offer.withdraw(),
        _ => offer.accepted(),
    }
    made
}

/// A descriptor that Python code has given away by its number.
fn given(number: RawFd) -> Result<OwnedFd> {
    if number < 0 {
        return Err(Error::closed());
    }
    // SAFETY: not -1. That it is open and nobody else's is the word of who gave it away.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// `_hand_over(class, family, type, proto, fileno)`: an instance of the class for a descriptor that nobody else has.
pub fn hand_over<'py>(_py: Python<'py>, arguments: Arguments<'_, 'py>) -> ObjectResult<'py> {
    let get = |index| {
        let given = arguments.get(index).ok_or_else(|| Error::type_error("_hand_over() takes 5 arguments"))?;
        Ok::<_, Error>(given.to_owned())
    };
    let (class, family, kind, proto) = (get(0)?, get(1)?, get(2)?, get(3)?);
    let fd = given(number::fileno(&get(4)?)?)?;
    offered(&class, fd, |number| Ok(class.call1((family, kind, proto, number.into_object(class.py())?))?))
}

/// The family, type and protocol that a socket is made with.
type Kind<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

/// What another socket of the same kind is made with.
fn kind_of<'py>(object: &Bound<'py, PyAny>) -> Result<Kind<'py>> {
    let py = object.py();
    let get = |name: Result<&Bound<'py, PyString>>| Ok::<_, Error>(object.getattr(name?)?);
    Ok((get(name!(py, "family"))?, get(name!(py, "type"))?, get(name!(py, "proto"))?))
}

/// A socket of the public class for a connection that `listener` accepted.
fn accepted_socket<'py>(py: Python<'py>, listener: SocketRef<'_, 'py>, connection: OwnedFd) -> ObjectResult<'py> {
    let accepted = identity::new_instance(py)?;
    let this = identity::this(&accepted)?;
    let socket = listener.socket();
    let spec = Spec { family: socket.family(), kind: socket.kind(), proto: socket.proto() };
    lifecycle::audit_new(this, spec)?;
    // A connection inherits its listener's options.
    lifecycle::adopt(this.socket(), spec, connection, socket.without_attempts())?;
    // Some systems let a connection inherit the listener's mode; none may be non-blocking unless it was asked for.
    let listener_waits = !socket.timeout().is_none() && !socket.timeout().is_zero();
    if timeout::default().is_none() && listener_waits && cfg!(not(target_os = "linux")) {
        options::change_timeout(this, Timeout::NONE)?;
    }
    Ok(accepted)
}

/// `dup()`: another socket for the same connection.
pub fn dup<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    take_nothing(this, "socket.dup", arguments)?;
    let py = this.py();
    let object = this.object();
    let copy = on_descriptor(this, sys::socket::dup)?;
    let socket = make_of(&object.getattr(name!(py, "__class__")?)?, kind_of(&object)?, copy)?;
    let timeout = object.call_method0(name!(py, "gettimeout")?)?;
    socket.call_method1(name!(py, "settimeout")?, (timeout,))?;
    Ok(socket)
}

/// Makes a call on the descriptor of a socket, or on the one that a subclass has in its place: by a `fileno` of its own.
fn on_descriptor<T>(this: SocketRef<'_, '_>, call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T> + Send) -> Result<T> {
    let object = this.object();
    if identity::is_exactly_public(&object) || is_inherited(&object, name!(this.py(), "fileno")?)? {
        return Ok(this.socket().descriptor().attached(this.py(), call)?);
    }
    let number = number::fileno(&object.call_method0(name!(this.py(), "fileno")?)?)?;
    if number < 0 {
        return Err(Error::closed());
    }
    // SAFETY: not -1, and used by this call alone. What it names is the word of who returned it, as in CPython.
    Ok(call(unsafe { BorrowedFd::borrow_raw(number) })?)
}

/// Refuses whatever is given to a method that takes nothing.
fn take_nothing(this: SocketRef<'_, '_>, name: &'static str, arguments: Keywords<'_, '_>) -> Result<()> {
    nothing_for(&this.object(), name, arguments)
}

fn nothing_for<'py>(object: &Bound<'py, PyAny>, name: &'static str, arguments: Keywords<'_, 'py>) -> Result<()> {
    let signature = Signature::<0> { qualified_name: name, declaration: "self", names: [], positional: 0, required: 0 };
    signature.bind(Some(object), arguments).map(|[]| ())
}

/// `close()`: closes the socket, or leaves that to the last of its file objects.
pub fn close<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    take_nothing(this, "socket.close", arguments)?;
    close_marked(this)?;
    Ok(this.none())
}

fn close_marked(this: SocketRef<'_, '_>) -> Result<()> {
    let socket = this.socket();
    socket.marked_closed().store(true, Ordering::Relaxed);
    if socket.io_refs().load(Ordering::Relaxed) <= 0 {
        really_close(this)?;
    }
    Ok(())
}

/// Closes the socket in the way of its class: `ssl.SSLSocket`, for one, has its own.
fn really_close(this: SocketRef<'_, '_>) -> Result<()> {
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

/// `_decref_socketios()`: one file object less.
pub fn forget_file<'py>(this: AnyObject<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let (py, object) = (this.py(), this.object());
    nothing_for(&object, "socket._decref_socketios", arguments)?;
    let closed = if let Some(this) = this.socket() {
        let socket = this.socket();
        if socket.io_refs().load(Ordering::Relaxed) > 0 {
            socket.io_refs().fetch_sub(1, Ordering::Relaxed);
        }
        socket.marked_closed().load(Ordering::Relaxed)
    } else {
        let files = this.files()?;
        if files.gt(0i32.into_object(py)?)? {
            this.set_files(files.sub(1i32.into_object(py)?)?)?;
        }
        this.says_closed()?
    };
    if closed {
        object.call_method0(name!(py, "close")?)?;
    }
    Ok(py.None().into_bound(py))
}

/// `detach()`.
pub fn detach<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    take_nothing(this, "socket.detach", arguments)?;
    this.socket().marked_closed().store(true, Ordering::Relaxed);
    lifecycle::detach(this)
}

/// `__enter__()`.
pub fn enter_with<'py>(this: AnyObject<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    nothing_for(&this.object(), "socket.__enter__", arguments)?;
    Ok(this.object().to_owned())
}

/// `__exit__(*exception)`.
pub fn exit_with<'py>(this: AnyObject<'_, 'py>, exception: Keywords<'_, 'py>) -> ObjectResult<'py> {
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
        None => this.says_closed()?,
    };
    match this.socket() {
        _ if closed => {}
        Some(this) if identity::is_exactly_public(&object) => close_marked(this)?,
        _ => drop(object.call_method0(name!(py, "close")?)?),
    }
    Ok(py.None().into_bound(py))
}

/// `get_inheritable()`.
pub fn get_inheritable<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    take_nothing(this, "socket.get_inheritable", arguments)?;
    let inheritable = on_descriptor(this, sys::socket::inheritable)?;
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
    on_descriptor(this, |fd| sys::socket::set_inheritable(fd, inheritable != 0))?;
    Ok(this.none())
}

/// `__getstate__()`: refused, a connection cannot be written to a file.
pub fn getstate<'py>(this: SocketRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    take_nothing(this, "socket.__getstate__", arguments)?;
    let name = this.object().get_type().name()?;
    Err(Error::about(Exception::Type, c"cannot pickle ", &name, c" object"))
}

/// `repr`: the state, and the addresses of both ends where they can be told.
pub unsafe extern "C" fn repr(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called attached, on an instance.
    unsafe { enter(|py| describe(SocketRef::from_interpreter(py, object))) }
}

fn describe<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let py = this.py();
    let object = this.object();
    let class = object.getattr(name!(py, "__class__")?)?;
    let closed = this.socket().marked_closed().load(Ordering::Relaxed);
    let shown = make::tuple(
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
    // What a subclass has in their place may be anything, and is shown or refused by the interpreter.
    let mut text = make::text(py, "<%s.%s%s fd=%i, family=%s, type=%s, proto=%i")?.rem(shown)?;
    if !closed {
        text = with_end(text, c"%U, laddr=%S", object.call_method0(name!(py, "getsockname")?))?;
        text = with_end(text, c"%U, raddr=%S", object.call_method0(name!(py, "getpeername")?))?;
    }
    // SAFETY: a format and a str.
    unsafe { owned(py, ffi::PyUnicode_FromFormat(c"%U>".as_ptr(), text.as_ptr())) }
}

/// The text with one end's address, if it has one. A path may hold bytes that are no text, which only Python's strings can carry.
fn with_end<'py>(
    text: Bound<'py, PyAny>,
    format: &CStr,
    address: PyResult<Bound<'py, PyAny>>,
) -> Result<Bound<'py, PyAny>> {
    match address {
        Ok(address) if address.is_truthy()? => {
            // SAFETY: a format of a str and an object, which these are.
            unsafe {
                let with_end = ffi::PyUnicode_FromFormat(format.as_ptr(), text.as_ptr(), address.as_ptr());
                owned(text.py(), with_end)
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
pub fn marked_closed<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let closed = this.socket().marked_closed().load(Ordering::Relaxed);
    Ok(PyBool::new(this.py(), closed).to_owned().into_any())
}

/// Sets `_closed`.
pub fn mark_closed(this: SocketRef<'_, '_>, closed: &Bound<'_, PyAny>) -> Result<()> {
    this.socket().marked_closed().store(closed.is_truthy()?, Ordering::Relaxed);
    Ok(())
}

/// `_io_refs`.
pub fn files<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    this.socket().io_refs().load(Ordering::Relaxed).into_object(this.py())
}

/// Sets `_io_refs`.
pub fn set_files(this: SocketRef<'_, '_>, count: &Bound<'_, PyAny>) -> Result<()> {
    this.socket().io_refs().store(as_int(count)?, Ordering::Relaxed);
    Ok(())
}

/// `__weakref__`: the first weak reference, as CPython's slot of that name has it.
pub fn weak_reference<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    // SAFETY: an instance of the class, whose list of weak references the interpreter keeps there; its head is an object or null.
    let first = unsafe {
        let head = (*this.object().as_ptr().cast::<Object>()).weak_references;
        Bound::from_borrowed_ptr_or_opt(this.py(), head)
    };
    Ok(first.unwrap_or_else(|| this.none()))
}
