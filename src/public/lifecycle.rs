//! Construction, `accept`, `dup`, `close`, `detach`, `repr` and the with-statement of the public class.

use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;

use pyo3::exceptions::{PyAttributeError, PyOSError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBool, PyDict, PyString, PyTuple, PyType};

use super::{class, kinds};
use crate::error::{Error, Result};
use crate::interpreter::arguments::{Keywords, as_int};
use crate::interpreter::function::{Receiver, Returned, enter};
use crate::interpreter::signature::Signature;
use crate::lease::BriefLease;
use crate::name;
use crate::socket::lifecycle::{self, Recipe, as_descriptor};
use crate::socket::{Object, This, connect, options};
use crate::sys;
use crate::timeout::{self, Timeout};

const INIT: Signature<4> = Signature {
    qualified_name: "socket.__init__",
    declaration: "self, family=-1, type=-1, proto=-1, fileno=None",
    names: ["family", "type", "proto", "fileno"],
    positional: 4,
    required: 0,
};

/// `__init__(family=-1, type=-1, proto=-1, fileno=None)`.
pub fn initialise<'py>(
    this: This<'_, 'py>,
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> Result<()> {
    let [family, kind, proto, fileno] = INIT.bind_tuple(Some(&this.object()), arguments, keywords)?;
    let int = |given: Option<Bound<'py, PyAny>>| given.map_or(Ok(-1), |given| as_int(&given));
    let recipe = Recipe { family: int(family)?, kind: int(kind)?, proto: int(proto)? };
    let fileno = fileno.filter(|fileno| !fileno.is_none());
    let recipe = if fileno.is_some() { recipe } else { recipe.or_default() };
    lifecycle::initialise(this, recipe, fileno.as_ref())?;
    this.socket().files().store(0, Ordering::Relaxed);
    this.socket().marked_closed().store(false, Ordering::Relaxed);
    Ok(())
}

/// `accept()`: `(socket, address)`.
pub fn accept<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    take_nothing(this, "socket.accept", arguments)?;
    let py = this.py();
    let (connection, peer) = accept_connection(this)?;
    let class = kinds::named(py, name!(py, "socket"))?;
    let accepted = if class::is_public(&class) {
        adopt(py, this, connection)?
    } else {
        // Somebody has put another class in the place of ours. Whether it takes the descriptor before it fails, only it knows.
        let fileno = [("fileno", sys::socket::release(connection))].into_py_dict(py)?;
        class.call(kind_of(&this.object())?, Some(&fileno))?
    };
    Ok((accepted, peer).into_pyobject(py)?.into_any())
}

/// A connection and its peer's address: by `_accept`, which a subclass may have in its own way.
fn accept_connection<'py>(this: This<'_, 'py>) -> Result<(OwnedFd, Bound<'py, PyAny>)> {
    if class::is_exactly_public(&this.object()) {
        return connect::accept_connection(this);
    }
    let (fileno, peer) = this.object().call_method0("_accept")?.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>()?;
    Ok((sys::socket::own(as_descriptor(&fileno)?)?, peer))
}

/// What another socket of the same kind is made with.
fn kind_of<'py>(object: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    Ok((object.getattr("family")?, object.getattr("type")?, object.getattr("proto")?))
}

/// A socket of the public class for a connection that `listener` accepted.
fn adopt<'py>(py: Python<'py>, listener: This<'_, 'py>, connection: OwnedFd) -> Returned<'py> {
    let accepted = class::new_instance(py)?;
    let this = class::this(&accepted)?;
    let socket = listener.socket();
    let recipe = Recipe { family: socket.family(), kind: socket.kind(), proto: socket.proto() };
    lifecycle::announce(this, recipe)?;
    lifecycle::adopt_owned(this.socket(), recipe, connection)?;
    // Some systems let a connection inherit the listener's mode; none may be non-blocking unless it was asked for.
    let listener_waits = !socket.timeout().is_none() && !socket.timeout().is_zero();
    if timeout::default().is_none() && listener_waits && cfg!(not(target_os = "linux")) {
        options::change_timeout(this.socket(), Timeout::NONE)?;
    }
    Ok(accepted)
}

/// `dup()`: another socket for the same connection.
pub fn dup<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    take_nothing(this, "socket.dup", arguments)?;
    let py = this.py();
    let object = this.object();
    let copy = sys::socket::dup(BriefLease::take(this.socket()).fd())?;
    let fileno = [("fileno", sys::socket::number(&copy))].into_py_dict(py)?;
    let socket = object.get_type().call(kind_of(&object)?, Some(&fileno))?;
    sys::socket::release(copy);
    socket.call_method1("settimeout", (object.call_method0("gettimeout")?,))?;
    Ok(socket)
}

/// Refuses whatever is given to a method that takes nothing.
fn take_nothing(this: This<'_, '_>, name: &'static str, arguments: Keywords<'_, '_>) -> Result<()> {
    let signature = Signature::<0> { qualified_name: name, declaration: "self", names: [], positional: 0, required: 0 };
    signature.bind(Some(&this.object()), arguments).map(|[]| ())
}

/// `close()`: closes the socket, or leaves that to the last of its file objects.
pub fn close<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    take_nothing(this, "socket.close", arguments)?;
    close_marked(this)?;
    Ok(this.none())
}

fn close_marked(this: This<'_, '_>) -> Result<()> {
    let socket = this.socket();
    socket.marked_closed().store(true, Ordering::Relaxed);
    if socket.files().load(Ordering::Relaxed) <= 0 {
        really_close(this)?;
    }
    Ok(())
}

/// Closes the socket in the way of its class: `ssl.SSLSocket`, for one, has its own.
fn really_close(this: This<'_, '_>) -> Result<()> {
    if class::is_exactly_public(&this.object()) {
        return lifecycle::close_socket(this.py(), this.socket());
    }
    this.object().call_method0(name!(this.py(), "_real_close"))?;
    Ok(())
}

/// `_real_close()`: closes the socket now.
pub fn real_close<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
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
pub fn forget_file<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    take_nothing(this, "socket._decref_socketios", arguments)?;
    let socket = this.socket();
    if socket.files().load(Ordering::Relaxed) > 0 {
        socket.files().fetch_sub(1, Ordering::Relaxed);
    }
    if socket.marked_closed().load(Ordering::Relaxed) {
        this.object().call_method0(name!(this.py(), "close"))?;
    }
    Ok(this.none())
}

/// `detach()`.
pub fn detach<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    take_nothing(this, "socket.detach", arguments)?;
    this.socket().marked_closed().store(true, Ordering::Relaxed);
    lifecycle::detach(this)
}

/// `__enter__()`.
pub fn enter_with<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    take_nothing(this, "socket.__enter__", arguments)?;
    Ok(this.object().to_owned())
}

/// `__exit__(*exception)`.
pub fn exit_with<'py>(this: This<'_, 'py>, exception: Keywords<'_, 'py>) -> Returned<'py> {
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
    if this.socket().marked_closed().load(Ordering::Relaxed) {
        return Ok(this.none());
    }
    if class::is_exactly_public(&this.object()) {
        close_marked(this)?;
    } else {
        this.object().call_method0(name!(this.py(), "close"))?;
    }
    Ok(this.none())
}

/// `get_inheritable()`.
pub fn get_inheritable<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    take_nothing(this, "socket.get_inheritable", arguments)?;
    let inheritable = sys::socket::inheritable(BriefLease::take(this.socket()).fd())?;
    Ok(PyBool::new(this.py(), inheritable).to_owned().into_any())
}

/// `set_inheritable(inheritable)`.
pub fn set_inheritable<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    const SET_INHERITABLE: Signature<1> = Signature {
        qualified_name: "socket.set_inheritable",
        declaration: "self, inheritable",
        names: ["inheritable"],
        positional: 1,
        required: 1,
    };
    let [inheritable] = SET_INHERITABLE.bind(Some(&this.object()), arguments)?;
    let inheritable = inheritable.map_or(Ok(0), |inheritable| as_int(&inheritable))?;
    sys::socket::set_inheritable(BriefLease::take(this.socket()).fd(), inheritable != 0)?;
    Ok(this.none())
}

/// `__getstate__()`: refused, a connection cannot be written to a file.
pub fn getstate<'py>(this: This<'_, 'py>, arguments: Keywords<'_, 'py>) -> Returned<'py> {
    take_nothing(this, "socket.__getstate__", arguments)?;
    let name = this.object().get_type().name()?;
    Err(Error::type_error(format!("cannot pickle {} object", name.repr()?)))
}

/// `repr`: the state, and the addresses of both ends where they can be told.
pub unsafe extern "C" fn repr(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called attached, on an instance.
    unsafe { enter(|py| describe(This::from_interpreter(py, object))) }
}

fn describe<'py>(this: This<'_, 'py>) -> Returned<'py> {
    let object = this.object();
    let class = object.get_type();
    let closed = this.socket().marked_closed().load(Ordering::Relaxed);
    let start = format!(
        "<{}.{}{} fd={}, family={}, type={}, proto={}",
        name_of(&class, name!(this.py(), "__module__"))?,
        name_of(&class, name!(this.py(), "__qualname__"))?,
        if closed { " [closed]" } else { "" },
        object.call_method0(name!(this.py(), "fileno"))?.str()?,
        object.getattr(name!(this.py(), "family"))?.str()?,
        object.getattr(name!(this.py(), "type"))?.str()?,
        object.getattr(name!(this.py(), "proto"))?.str()?,
    );
    let mut text = PyString::new(this.py(), &start).into_any();
    if !closed {
        text = with_end(text, ", laddr=", object.call_method0(name!(this.py(), "getsockname")))?;
        text = with_end(text, ", raddr=", object.call_method0(name!(this.py(), "getpeername")))?;
    }
    Ok(text.add(">")?)
}

fn name_of(class: &Bound<'_, PyType>, attribute: &Bound<'_, PyString>) -> Result<String> {
    Ok(class.getattr(attribute)?.str()?.to_string_lossy().into_owned())
}

/// The text with one end's address, if it has one. A path may hold bytes that are no text, which only Python's strings can carry.
fn with_end<'py>(
    text: Bound<'py, PyAny>,
    label: &str,
    address: PyResult<Bound<'py, PyAny>>,
) -> Result<Bound<'py, PyAny>> {
    match address {
        Ok(address) if address.is_truthy()? => Ok(text.add(label)?.add(address.str()?)?),
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
pub fn family<'py>(this: This<'_, 'py>) -> Returned<'py> {
    kinds::family(this.py(), this.socket().family())
}

/// `type`.
pub fn kind<'py>(this: This<'_, 'py>) -> Returned<'py> {
    kinds::kind(this.py(), this.socket().kind())
}

/// `_closed`.
pub fn marked_closed<'py>(this: This<'_, 'py>) -> Returned<'py> {
    let closed = this.socket().marked_closed().load(Ordering::Relaxed);
    Ok(PyBool::new(this.py(), closed).to_owned().into_any())
}

/// Sets `_closed`.
pub fn mark_closed(this: This<'_, '_>, closed: &Bound<'_, PyAny>) -> Result<()> {
    this.socket().marked_closed().store(closed.is_truthy()?, Ordering::Relaxed);
    Ok(())
}

/// `_io_refs`.
pub fn files<'py>(this: This<'_, 'py>) -> Returned<'py> {
    Ok(this.socket().files().load(Ordering::Relaxed).into_pyobject(this.py())?.into_any())
}

/// Sets `_io_refs`.
pub fn set_files(this: This<'_, '_>, count: &Bound<'_, PyAny>) -> Result<()> {
    this.socket().files().store(as_int(count)?, Ordering::Relaxed);
    Ok(())
}

/// `__weakref__`: the first weak reference, as CPython's slot of that name has it.
pub fn weak_reference<'py>(this: This<'_, 'py>) -> Returned<'py> {
    // SAFETY: an instance of the class, whose list of weak references the interpreter keeps there; its head is an object or null.
    let first = unsafe {
        let head = (*this.object().as_ptr().cast::<Object>()).weak_references;
        Bound::from_borrowed_ptr_or_opt(this.py(), head)
    };
    Ok(first.unwrap_or_else(|| this.none()))
}
