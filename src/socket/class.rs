//! The class `_socket.socket`, the base of the public one.

use std::ffi::{CStr, c_void};
use std::mem::offset_of;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

#[cfg(target_os = "linux")]
use super::afalg;
use super::object::{Object, SocketRef};
use super::{connect, lifecycle, message, options, transfer};
use crate::call::socket::Socket;
use crate::error::{Error, Result};
use crate::interpreter::class::{Class, END_OF_MEMBERS, Members, slot};
use crate::interpreter::function::{Attributes, Receiver, Table};
use crate::{attributes, functions, initialiser, name};

static METHODS: Table = functions![
    noargs c"_accept" => connect::accept_descriptor, c"_accept($self, /)\n--\n\n\
        Waits for a connection and returns (fd, address): the connection's descriptor, which is not inheritable, and its peer's\n\
        address.\n\n\
        See accept(2).";
    object c"bind" => connect::bind, c"Binds the socket to an address of this machine.\n\n\
        The address is (host, port) for AF_INET, (host, port[, flowinfo[, scope_id]]) for AF_INET6, a path for AF_UNIX.\n\
        For port 0 the system chooses a free port, which getsockname() returns. Raises OSError, such as EADDRINUSE; see bind(2).";
    noargs c"close" => lifecycle::close, c"close($self, /)\n--\n\n\
        Closes the socket. Calls that other threads have running on it end with OSError(EBADF). See close(2).";
    object c"connect" => connect::connect, c"Connects the socket to an address.\n\n\
        Raises TimeoutError when the timeout passes, BlockingIOError (EINPROGRESS) when the socket is non-blocking and the\n\
        connection takes time, ConnectionRefusedError when no socket listens there, and OSError; see connect(2).";
    object c"connect_ex" => connect::connect_ex, c"Like connect(address), but returns the errno of a connect(2) that failed, and 0 for success.\n\n\
        Other errors, such as an unknown host name, are raised.";
    noargs c"detach" => lifecycle::detach, c"detach($self, /)\n--\n\n\
        Closes the socket object and returns its descriptor, which stays open and is the caller's from now on.";
    noargs c"fileno" => lifecycle::fileno, c"fileno($self, /)\n--\n\n\
        The descriptor, a number; -1 when the socket is closed.";
    noargs c"getpeername" => connect::getpeername, c"getpeername($self, /)\n--\n\n\
        The address of the peer. Raises OSError (ENOTCONN) when the socket is not connected; see getpeername(2).";
    noargs c"getsockname" => connect::getsockname, c"getsockname($self, /)\n--\n\n\
        The socket's own address; see getsockname(2).";
    positional c"getsockopt" => options::getsockopt, c"getsockopt($self, level, option, buffersize=0, /)\n--\n\n\
        The value of a socket option: a number, or with a buffersize (1 to 1024) that many bytes at most.\n\n\
        Raises OSError; see getsockopt(2), and socket(7), ip(7), tcp(7) for the options.";
    positional c"listen" => connect::listen, c"listen($self, backlog=128, /)\n--\n\n\
        Makes the socket a listener, which accepts connections.\n\n\
        backlog is how many connections may wait to be accepted. A negative number counts as 0, and the system has a limit of its\n\
        own. See listen(2).";
    positional c"recv" => transfer::recv, c"recv($self, bufsize, flags=0, /)\n--\n\n\
        Receives the data that has arrived: at most bufsize bytes, or b'' when the peer has closed the connection.\n\n\
        Raises TimeoutError when the timeout passes, BlockingIOError when the socket is non-blocking and no data has arrived, and\n\
        OSError; see recv(2), also for the flags (MSG_PEEK, ...).";
    keywords c"recv_into" => transfer::recv_into, c"recv_into($self, buffer, nbytes=0, flags=0)\n--\n\n\
        Like recv(), but puts the data into a writable buffer and returns the number of bytes received.\n\n\
        With nbytes 0 the whole buffer may be filled. Raises ValueError when the buffer has no room for nbytes.";
    positional c"recvfrom" => transfer::recvfrom, c"recvfrom($self, bufsize, flags=0, /)\n--\n\n\
        Like recv(), but returns (data, address): the data and the sender's address. See recvfrom(2).";
    keywords c"recvfrom_into" => transfer::recvfrom_into, c"recvfrom_into($self, buffer, nbytes=0, flags=0)\n--\n\n\
        Like recv_into(), but returns (nbytes, address): the number of bytes received and the sender's address.";
    positional c"recvmsg" => message::recvmsg, c"recvmsg($self, bufsize, ancbufsize=0, flags=0, /)\n--\n\n\
        Receives a message: (data, ancdata, msg_flags, address).\n\n\
        data has at most bufsize bytes. ancdata is a list of (level, type, data), the control messages, for which there are ancbufsize\n\
        bytes of room: see CMSG_SPACE(). msg_flags reports truncation (MSG_TRUNC, MSG_CTRUNC). Descriptors that come with the\n\
        message are not inheritable, and are closed if it cannot be delivered. See recvmsg(2), cmsg(3), unix(7).";
    positional c"recvmsg_into" => message::recvmsg_into, c"recvmsg_into($self, buffers, ancbufsize=0, flags=0, /)\n--\n\n\
        Like recvmsg(), but scatters the data over an iterable of writable buffers, and returns the number of bytes received\n\
        instead of the data.";
    positional c"send" => transfer::send, c"send($self, data, flags=0, /)\n--\n\n\
        Sends data and returns the number of bytes sent, which may be fewer than given: see sendall().\n\n\
        Raises TimeoutError when the timeout passes, BlockingIOError when the socket is non-blocking and has no room, and\n\
        OSError, for example BrokenPipeError; see send(2), also for the flags.";
    positional c"sendall" => transfer::sendall, c"sendall($self, data, flags=0, /)\n--\n\n\
        Sends all of the data. The timeout applies to the whole call.\n\n\
        After an error its attribute bytes_sent says how many bytes the system has taken. Raises as send() does.";
    positional c"sendmsg" => message::sendmsg, c"sendmsg($self, buffers, ancdata=(), flags=0, address=None, /)\n--\n\n\
        Sends an iterable of bytes-like objects as one message and returns the number of bytes sent.\n\n\
        ancdata is an iterable of (level, type, data), the control messages; address is the destination, for a socket that is not\n\
        connected. See sendmsg(2), cmsg(3).";
    #[cfg(target_os = "linux")]
    keywords c"sendmsg_afalg" => afalg::sendmsg_afalg, c"sendmsg_afalg([msg], *, op[, iv[, assoclen[, flags]]])\n\n\
        Sends a message to the kernel's crypto API, with the operation, the initialisation vector, and the length in bytes of the\n\
        associated data, which is authenticated only. For AF_ALG sockets.";
    positional c"sendto" => transfer::sendto, c"sendto(data[, flags], address)\n\n\
        Sends data to an address and returns the number of bytes sent. See sendto(2).";
    object c"setblocking" => options::setblocking, c"setblocking(True) is settimeout(None), setblocking(False) is settimeout(0).";
    noargs c"getblocking" => options::getblocking, c"getblocking($self, /)\n--\n\n\
        False when the socket is non-blocking (its timeout is 0), True otherwise.";
    object c"settimeout" => options::settimeout, c"Sets how many seconds a call on the socket may take (a float).\n\n\
        None means for ever, which is the default; with 0 the socket is non-blocking. Raises ValueError for a negative number.";
    noargs c"gettimeout" => options::gettimeout, c"gettimeout($self, /)\n--\n\n\
        The timeout in seconds (a float), or None.";
    positional c"setsockopt" => options::setsockopt, c"setsockopt(level, option, value: int)\n\
        setsockopt(level, option, value: bytes-like)\n\
        setsockopt(level, option, None, optlen: int)\n\n\
        Sets a socket option. Raises OSError; see setsockopt(2), and socket(7), ip(7), tcp(7) for the options.";
    object c"shutdown" => connect::shutdown, c"Ends one direction of the connection, or both: SHUT_RD, SHUT_WR, SHUT_RDWR.\n\n\
        After SHUT_WR the peer reads all data that was sent, and then b''. See shutdown(2).";
];

static ATTRIBUTES: Attributes = attributes![
    read c"timeout" => options::gettimeout, c"The timeout in seconds, or None.";
];

static MEMBERS: Members = Members::new(&[
    number(c"family", Socket::FAMILY, c"The address family."),
    number(c"type", Socket::KIND, c"The type."),
    number(c"proto", Socket::PROTO, c"The protocol."),
    END_OF_MEMBERS,
]);

/// A read-only attribute that is a C `int` in the socket's state.
const fn number(name: &'static CStr, offset: usize, doc: &'static CStr) -> ffi::PyMemberDef {
    ffi::PyMemberDef {
        name: name.as_ptr(),
        type_code: ffi::Py_T_INT,
        offset: (offset_of!(Object, socket) + offset).cast_signed(),
        flags: ffi::Py_READONLY,
        doc: doc.as_ptr(),
    }
}

const DOC: &CStr = c"socket(family=-1, type=-1, proto=-1, fileno=None)\n--\n\n\
    The base class of sockets: the calls of the system, without what the module socket adds.";

static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Makes the class, or returns the one made before: `_ssl` recognises sockets by this class.
pub fn create<'py>(module: &Bound<'py, PyModule>) -> Result<Bound<'py, PyType>> {
    if let Some(class) = CLASS.get(module.py()) {
        return Ok(class.bind(module.py()).clone());
    }
    let class = Class {
        name: c"_socket.socket",
        // The last field, the list of weak references, belongs to the public class only.
        size: offset_of!(Object, weak_references),
        flags: ffi::Py_TPFLAGS_BASETYPE | ffi::Py_TPFLAGS_IMMUTABLETYPE | ffi::Py_TPFLAGS_HAVE_GC,
        slots: &[
            slot(ffi::Py_tp_doc, DOC.as_ptr().cast_mut().cast()),
            slot(ffi::Py_tp_new, lifecycle::new as *mut c_void),
            slot(ffi::Py_tp_init, initialiser!(lifecycle::initialise_base)),
            slot(ffi::Py_tp_traverse, lifecycle::traverse as *mut c_void),
            slot(ffi::Py_tp_finalize, lifecycle::finalize as *mut c_void),
            slot(ffi::Py_tp_dealloc, lifecycle::dealloc as *mut c_void),
            slot(ffi::Py_tp_repr, lifecycle::repr as *mut c_void),
            slot(ffi::Py_tp_methods, METHODS.as_ptr().cast()),
            slot(ffi::Py_tp_getset, ATTRIBUTES.as_ptr().cast()),
            slot(ffi::Py_tp_members, MEMBERS.as_ptr().cast()),
        ],
    };
    // SAFETY: each slot holds a static function or table of the type its number stands for. Instances are laid out as `Object` without its
    // last field, which the base class does not use.
    let class = unsafe { class.create(module, None)? };
    let _ = CLASS.set(module.py(), class.clone().unbind());
    Ok(class)
}

/// Makes a new instance without calling `__init__`.
pub fn new_instance(py: Python<'_>) -> Result<Bound<'_, PyAny>> {
    let class = CLASS.get(py).ok_or_else(|| Error::runtime("the class _socket.socket was not made yet"))?;
    // SAFETY: the thread is attached, because `py` exists. `class` is this class, and `new` ignores its other arguments. The returned
    // reference is new, or null with an exception set.
    unsafe {
        let object = lifecycle::new(class.bind(py).as_type_ptr(), std::ptr::null_mut(), std::ptr::null_mut());
        if object.is_null() { Err(Error::Raised) } else { Ok(Bound::from_owned_ptr(py, object)) }
    }
}

/// Whether an instance of a subclass inherits a method of this class: neither a class nor the instance overrides it.
pub fn is_inherited(object: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> Result<bool> {
    let class = CLASS.get(object.py()).ok_or_else(|| Error::runtime("the class _socket.socket was not made yet"))?;
    // Two bound methods are equal if the function and the object are the same.
    let own = class.bind(object.py()).getattr(name)?.call_method1(name!(object.py(), "__get__")?, (object,))?;
    Ok(own.eq(object.getattr(name)?)?)
}

/// Borrows an instance of the class as methods get it.
///
/// # Safety
///
/// `object` must be an instance of the class or of a subclass.
pub unsafe fn this<'a, 'py>(object: &'a Bound<'py, PyAny>) -> SocketRef<'a, 'py> {
    // SAFETY: the caller promises an instance; it is borrowed for 'a.
    unsafe { SocketRef::from_interpreter(object.py(), object.as_ptr()) }
}

/// The socket that an object is; `None` if it is no instance of the class.
pub fn as_socket<'a, 'py>(object: &'a Bound<'py, PyAny>) -> Option<SocketRef<'a, 'py>> {
    let class = CLASS.get(object.py())?.bind(object.py());
    // SAFETY: both are objects. An instance of the class is laid out as the class says.
    unsafe {
        let is_instance = ffi::PyObject_TypeCheck(object.as_ptr(), class.as_type_ptr()) != 0;
        is_instance.then(|| this(object))
    }
}

/// Whether an object is of the class itself, and of no subclass.
pub fn is_base(object: &Bound<'_, PyAny>) -> bool {
    CLASS.get(object.py()).is_some_and(|class| object.get_type().is(class))
}

/// Whether a method that was looked up on an object is `recv` of this class, bound to that object: not one that a subclass or a program has
/// put in its place.
pub fn is_recv_of(method: &Bound<'_, PyAny>, object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the class of the method, which is checked, says that it is a `PyCFunctionObject`. Names are C strings.
    unsafe {
        if ffi::Py_TYPE(method.as_ptr()) != &raw mut ffi::PyCFunction_Type {
            return false;
        }
        let function = &*method.as_ptr().cast::<ffi::PyCFunctionObject>();
        let mut entries = METHODS.entries().iter();
        let is_recv = |entry: &ffi::PyMethodDef| CStr::from_ptr(entry.ml_name) == c"recv";
        function.m_self == object.as_ptr() && entries.any(|entry| ptr::eq(entry, function.m_ml) && is_recv(entry))
    }
}
