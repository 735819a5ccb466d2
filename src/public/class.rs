//! The class `oxisocket.socket`.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::{borrowed, identity, io, lifecycle, makefile, sendfile};
use crate::error::Result;
use crate::interpreter::class::{Class, END_OF_MEMBERS, Members, add_methods, made_in_python, slot};
use crate::interpreter::function::{Attributes, Table};
use crate::interpreter::make;
use crate::interpreter::method;
use crate::resolve::hostname;
use crate::socket::object::Object;
use crate::{attributes, beyond, functions, initialiser, name};

static METHODS: Table = functions![
    keywords c"__getstate__" => lifecycle::getstate, c"__getstate__($self)\n--\n\n\
        Raises TypeError: a connection cannot be pickled. See socket.send_fds to pass one to another process.";
    keywords c"_real_close" => lifecycle::real_close, c"_real_close($self, /, *ignored)\n--\n\n\
        Closes the socket now. Subclasses override this to close what else they hold.";
    keywords c"_check_sendfile_params" => sendfile::check_parameters,
        c"_check_sendfile_params($self, file, offset, count)\n--\n\n\
        Raises ValueError or TypeError for arguments that sendfile() does not accept.";
    keywords c"_sendfile_use_send" => sendfile::use_send,
        c"_sendfile_use_send($self, file, offset=0, count=None)\n--\n\n\
        sendfile() by reading the file and sending the data with send().";
    keywords c"_sendfile_use_sendfile" => sendfile::use_sendfile,
        c"_sendfile_use_sendfile($self, file, offset=0, count=None)\n--\n\n\
        sendfile() by sendfile(2).";
    keywords c"_sendfile_zerocopy" => sendfile::use_zerocopy,
        c"_sendfile_zerocopy($self, zerocopy_func, giveup_exc_type, file, offset=0, count=None)\n--\n\n\
        sendfile() by another function, which takes the file's descriptor, an offset and a size.";
    keywords c"accept" => lifecycle::accept, c"accept($self)\n--\n\n\
        Waits for a connection and returns (connection, address): a new socket, which is not inheritable, and its peer's address.\n\n\
        The socket must listen. Raises TimeoutError when its timeout passes, BlockingIOError when it is non-blocking and no\n\
        connection is waiting, and OSError; see accept(2).";
    keywords c"close" => lifecycle::close, c"close($self)\n--\n\n\
        Closes the socket. File objects made by makefile() keep the connection open until the last of them is closed.\n\n\
        Calls that other threads have running on it end with OSError(EBADF). See close(2).";
    keywords c"detach" => lifecycle::detach, c"detach($self)\n--\n\n\
        Closes the socket object and returns its descriptor, which stays open and is the caller's from now on.";
    keywords c"dup" => lifecycle::dup, c"dup($self)\n--\n\n\
        Another socket of the same class for the same connection, with a descriptor of its own that is not inheritable; see dup(2).";
    keywords c"get_inheritable" => lifecycle::get_inheritable, c"get_inheritable($self)\n--\n\n\
        Whether programs that this one starts inherit the descriptor (PEP 446).";
    static_noargs c"gethostname" => hostname::gethostname, c"gethostname()\n--\n\n\
        The name of this machine; the same as the module's gethostname(). See gethostname(2).";
    keywords c"sendfile" => sendfile::sendfile, c"sendfile($self, file, offset=0, count=None)\n--\n\n\
        Sends count bytes of a file from offset on, or all of it, and returns the number of bytes sent.\n\n\
        The file must be open in binary mode. Uses sendfile(2) for a regular file and send() for any other. Afterwards the file's\n\
        position is behind the last byte sent, also after an error. The socket must be of type SOCK_STREAM and must not be\n\
        non-blocking.";
    keywords c"set_inheritable" => lifecycle::set_inheritable, c"set_inheritable($self, inheritable)\n--\n\n\
        Sets whether programs that this one starts inherit the descriptor (PEP 446).";
];

/// Methods that other classes may also use: see [`borrowed`].
static BORROWED: Table = functions![
    keywords c"__enter__" => lifecycle::context_enter, c"__enter__($self)\n--\n\n\
        Returns the socket itself, which the with statement closes at its end.";
    keywords c"__exit__" => lifecycle::context_exit, c"__exit__($self, /, *args)\n--\n\n\
        Closes the socket, unless it was closed already.";
    keywords c"_decref_socketios" => lifecycle::decref_socketios, c"_decref_socketios($self)\n--\n\n\
        Removes one file object from the count; the last one closes a socket whose close() was called before.";
    keywords c"makefile" => makefile::makefile,
        c"makefile($self, mode='r', buffering=None, *, encoding=None, errors=None, newline=None)\n--\n\n\
        Returns a file object that reads from the socket, writes to it, or both.\n\n\
        mode is made of 'r', 'w' and 'b'; buffering is a size in bytes, 0 for none (in binary mode only); the others are those\n\
        of open(). The socket should be blocking: after a timeout nothing more can be read. Raises ValueError for a wrong mode.";
];

static ATTRIBUTES: Attributes = attributes![
    read c"family" => lifecycle::family, c"The address family, a member of AddressFamily.";
    read c"type" => lifecycle::kind, c"The type, a member of SocketKind.";
    read c"__weakref__" => lifecycle::weak_reference, c"The first weak reference.";
    write c"_closed" => lifecycle::closed, set = lifecycle::set_closed, c"Whether close() was called.";
    write c"_io_refs" => lifecycle::io_refs, set = lifecycle::set_io_refs, c"How many file objects are open on it.";
];

/// The offset at which the interpreter keeps the list of weak references.
static MEMBERS: Members = Members::new(&[
    ffi::PyMemberDef {
        name: c"__weaklistoffset__".as_ptr(),
        type_code: ffi::Py_T_PYSSIZET,
        offset: offset_of!(Object, weak_references).cast_signed(),
        flags: ffi::Py_READONLY,
        doc: ptr::null(),
    },
    END_OF_MEMBERS,
]);

/// Methods that are called for each message: the class gets them as its own, because calls are faster then. See [`method`].
const HOT_METHODS: [&str; 7] = ["recv", "recv_into", "recvfrom", "recvfrom_into", "send", "sendall", "sendto"];

/// Makes the class, as a subclass of `base`, or returns the one made before.
pub fn create<'py>(module: &Bound<'py, PyModule>, base: &Bound<'py, PyType>) -> Result<Bound<'py, PyType>> {
    if let Some(class) = identity::created(module.py()) {
        return Ok(class.clone());
    }
    io::import(module.py())?;
    let [traverse, clear] = collector_slots(module.py())?;
    let class = Class {
        name: c"oxisocket.socket",
        size: size_of::<Object>(),
        flags: ffi::Py_TPFLAGS_BASETYPE | ffi::Py_TPFLAGS_HAVE_GC,
        slots: &[
            traverse,
            clear,
            slot(ffi::Py_tp_doc, DOC.as_ptr().cast_mut().cast()),
            slot(ffi::Py_tp_init, initialiser!(lifecycle::initialise)),
            slot(ffi::Py_tp_repr, lifecycle::repr as *mut c_void),
            slot(ffi::Py_tp_methods, METHODS.as_ptr().cast()),
            slot(ffi::Py_tp_getset, ATTRIBUTES.as_ptr().cast()),
            slot(ffi::Py_tp_members, MEMBERS.as_ptr().cast()),
        ],
    };
    // SAFETY: each slot holds a function or a table of the type its number stands for, static or the interpreter's own. Instances are laid
    // out as `Object`.
    let class = unsafe { class.create(module, Some(base.as_any()))? };
    // Reprs, warnings and error messages name the class as the standard library does: programs and their logs know that name.
    let py = module.py();
    class.setattr(name!(py, "__name__")?, make::text(py, "socket")?)?;
    class.setattr(name!(py, "__module__")?, make::text(py, "socket")?)?;
    for name in HOT_METHODS {
        method::redefine(&class, name)?;
    }
    borrowed::add(&class, &BORROWED)?;
    // SAFETY: the functions take sockets, and the class is the public one.
    unsafe { add_methods(&class, class.as_type_ptr(), &beyond::methods::METHODS)? };
    let slots = make::list(py)?;
    for name in ["__weakref__", "_closed", "_io_refs"] {
        make::append(&slots, name)?;
    }
    class.setattr(name!(py, "__slots__")?, slots)?;
    identity::set(&class);
    Ok(class)
}

/// The traverse and clear slots of a class made in Python. They call those of the base classes and then visit what each subclass adds.
///
/// In the standard library the public class is made in Python. The interpreter lets a program set an instance's `__class__` to a subclass,
/// or back, only if both classes have the same slots here.
fn collector_slots(py: Python<'_>) -> Result<[ffi::PyType_Slot; 2]> {
    let class = made_in_python(py)?;
    // SAFETY: `class` is a valid class, and the thread is attached, because `py` exists. The interpreter fills both slots of every class
    // made in Python with functions that work for any heap type.
    let (traverse, clear) = unsafe {
        let class = &*class.as_type_ptr();
        (class.tp_traverse.map_or(ptr::null_mut(), |it| it as _), class.tp_clear.map_or(ptr::null_mut(), |it| it as _))
    };
    Ok([slot(ffi::Py_tp_traverse, traverse), slot(ffi::Py_tp_clear, clear)])
}

const DOC: &std::ffi::CStr = c"socket(family=-1, type=-1, proto=-1, fileno=None)\n--\n\n\
    One end of a communication over a network, or between programs of one machine.\n\n\
    family is AF_INET (the default), AF_INET6, AF_UNIX, ...; type is SOCK_STREAM (the default), SOCK_DGRAM, ...; proto is\n\
    nearly always 0. With fileno the socket takes over that descriptor, and detects the arguments that are not given.\n\
    Programs that this one starts do not inherit sockets. Raises OSError; see socket(2).";
