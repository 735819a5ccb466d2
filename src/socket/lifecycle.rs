//! Construction and the end of a socket: `__new__`, `__init__`, `close`, `detach`, the finalizer; and `repr`.

use std::ffi::{CStr, c_int, c_void};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::object::{self, SocketRef};
use super::peer::PeerCache;
use crate::call::attempts::{self, Directions};
use crate::call::descriptor::offer;
use crate::call::hooks::{self, Ending};
use crate::call::socket::Socket;
use crate::call::spec::Spec;
use crate::call::timeout::{self, Timeout};
use crate::error::{Error, Exception, Result, is_raised};
use crate::interpreter::ObjectResult;
use crate::interpreter::audit::audit;
use crate::interpreter::class::allocate;
use crate::interpreter::format::{Format, Object};
use crate::interpreter::function::{Receiver, enter_aside, enter_slot};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::number::{self, as_int};
use crate::sys;
use crate::sys::memory;

/// Initialises `this` with a new descriptor for `spec`, or with the descriptor `fileno`, which it takes over.
pub fn initialise(this: SocketRef<'_, '_>, spec: Spec, fileno: Option<&Bound<'_, PyAny>>) -> Result<()> {
    audit_new(this, spec)?;
    // After another `__init__` the number before has no owner.
    hooks::ends(this.py(), this.socket(), Ending::Detached);
    if let Some(fileno) = fileno {
        take_over(this.socket(), spec, parse_fileno(fileno)?)
    } else {
        let spec = spec.or_default();
        adopt(this.socket(), spec, open_descriptor(this.py(), spec)?, Some(0))
    }
}

/// Makes a descriptor by `socket(2)`. The call is made detached if the kernel may have to load a module, as for the first socket of a
/// family.
fn open_descriptor(py: Python<'_>, spec: Spec) -> Result<OwnedFd> {
    /// A bit for each family of which a common socket was already made.
    static LOADED: AtomicU64 = AtomicU64::new(0);

    let open = || sys::socket::socket(spec.family, spec.kind, spec.proto);
    let is_common = attempts::excluded_by_kind(spec.family, spec.plain_kind(), spec.proto) == 0;
    let bit = if is_common { 1 << (spec.family & 63) } else { 0 };
    if LOADED.load(Ordering::Relaxed) & bit != 0 {
        return Ok(open()?);
    }
    let fd = py.detach(open)?;
    LOADED.fetch_or(bit, Ordering::Relaxed);
    Ok(fd)
}

/// Takes over a descriptor that Python code passed as a number. If this fails, that code still owns it.
fn take_over(socket: &Socket, spec: Spec, number: RawFd) -> Result<()> {
    // SAFETY: the number is not negative, and the borrow ends with this function. Not guaranteed: that it is open and owned by the caller,
    // who promises both by passing it as `fileno`.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    let spec = spec.or_detected(fd)?;
    let timeout = initial_timeout(spec, fd)?;
    // SAFETY: the number is not negative. Not guaranteed: that it has no other owner; as above, the caller promises that.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    let offered = offer::taken(number);
    socket.begin(spec, timeout, offered.and_then(|offered| offered.excluded), fd);
    Ok(())
}

/// Gives a new descriptor to a socket. It is closed if that fails. `excluded` are the directions in which the socket makes no first
/// attempt, because of its options; `None` if nobody has asked for them.
pub fn adopt(socket: &Socket, spec: Spec, fd: OwnedFd, excluded: Option<Directions>) -> Result<()> {
    let timeout = initial_timeout(spec, fd.as_fd())?;
    socket.begin(spec, timeout, excluded, fd);
    Ok(())
}

/// The timeout that a socket begins with. Sets the descriptor to non-blocking if the timeout needs that.
fn initial_timeout(spec: Spec, fd: BorrowedFd<'_>) -> Result<Timeout> {
    if sys::socket::asks_for_nonblocking(spec.kind) {
        return Ok(Timeout::ZERO);
    }
    let timeout = timeout::default();
    if !timeout.is_none() {
        sys::socket::set_nonblocking(fd, true)?;
    }
    Ok(timeout)
}

/// Calls the audit hooks for a new socket.
pub fn audit_new(this: SocketRef<'_, '_>, spec: Spec) -> Result<()> {
    audit(this.py(), c"socket.__new__", (&*this.object(), spec.family, spec.kind, spec.proto))
}

/// Parses the argument `fileno`. `ValueError` for a negative number.
fn parse_fileno(fileno: &Bound<'_, PyAny>) -> Result<RawFd> {
    let fd = number::fileno(fileno)?;
    if fd < 0 {
        return Err(Error::value("negative file descriptor"));
    }
    Ok(fd)
}

/// Closes a socket, if it is open. Calls that other threads have running on it end with EBADF.
pub fn close_socket(py: Python<'_>, socket: &Socket) -> Result<()> {
    end_socket(py, socket, Ending::Closed)
}

fn end_socket(py: Python<'_>, socket: &Socket, ending: Ending) -> Result<()> {
    hooks::ends(py, socket, ending);
    Ok(socket.descriptor().close(py)?)
}

/// `close()`.
pub fn close<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    close_socket(this.py(), this.socket())?;
    Ok(this.none())
}

/// `detach()`.
pub fn detach<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    hooks::ends(this.py(), this.socket(), Ending::Detached);
    let descriptor = this.socket().descriptor();
    loop {
        // The Python number is made first: if there is no memory for it, the socket keeps the descriptor.
        let number = descriptor.number();
        let object = number.into_object(this.py())?;
        if descriptor.take_if(number) {
            return Ok(object);
        }
    }
}

/// `fileno()`.
pub fn fileno<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    this.socket().descriptor().number().into_object(this.py())
}

/// `__new__`: makes a closed socket on which every method is safe to call. It accepts any arguments, which are for `__init__`.
pub unsafe extern "C" fn new(
    class: *mut ffi::PyTypeObject,
    _arguments: *mut ffi::PyObject,
    _keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls the slot with the thread attached, and with this class or a subclass, whose instances begin with an
    // `Object`. The allocator zeroes the memory and initialises the head. Both other fields are then written before the object is returned.
    unsafe {
        enter_slot(|py| {
            let object = allocate(py, class)?;
            let instance = object.as_ptr().cast::<object::Object>();
            ptr::write(&raw mut (*instance).socket, Socket::default());
            ptr::write(&raw mut (*instance).peer, PeerCache::default());
            Ok(object)
        })
    }
}

/// `__init__(family=-1, type=-1, proto=-1, fileno=None)` of the base class.
pub fn initialise_base<'py>(
    this: SocketRef<'_, 'py>,
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> Result<()> {
    let (spec, fileno) = parse_arguments(arguments, keywords)?;
    initialise(this, spec, fileno.as_ref())
}

fn parse_arguments<'py>(
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> Result<(Spec, Option<Bound<'py, PyAny>>)> {
    const FORMAT: Format<(Object, Object, Object, Object)> = Format::new(c"|OOOO:socket");
    const NAMES: [&CStr; 4] = [c"family", c"type", c"proto", c"fileno"];
    let (family, kind, proto, fileno) = FORMAT.keywords(NAMES, arguments, keywords, (None, None, None, None))?;
    let int = |given: Option<Bound<'py, PyAny>>| given.map_or(Ok(-1), |given| as_int(&given));
    let spec = Spec { family: int(family)?, kind: int(kind)?, proto: int(proto)? };
    Ok((spec, fileno.filter(|fileno| !fileno.is_none())))
}

/// The finalizer: warns of a socket that was not closed and closes it. The warning comes first, because its receivers may use the socket.
pub unsafe extern "C" fn finalize(object: *mut ffi::PyObject) {
    // SAFETY: the collector or `dealloc` calls the slot with the thread attached and with an instance.
    unsafe {
        if SocketRef::from_interpreter(Python::assume_attached(), object).socket().descriptor().number() < 0 {
            return;
        }
        let finalized = enter_aside(|py| {
            let this = SocketRef::from_interpreter(py, object);
            warn_unclosed(this);
            if let Err(error) = end_socket(py, this.socket(), Ending::Finalized) {
                error.discard(py);
            }
            Ok(())
        });
        if !finalized {
            let socket = SocketRef::from_interpreter(Python::assume_attached(), object).socket();
            let _not_reported = socket.descriptor().close_attached();
        }
    }
}

/// Issues a `ResourceWarning` with the socket as its source, so that tracemalloc can report where the socket was made.
fn warn_unclosed(this: SocketRef<'_, '_>) {
    let object = this.object().as_ptr();
    let py = this.py();
    // SAFETY: the thread is attached, because `py` exists. The format takes one object, which is valid.
    let refused = unsafe { ffi::PyErr_ResourceWarning(object, 1, c"unclosed %R".as_ptr(), object) };
    if refused == 0 {
        return;
    }
    // A filter has turned the warning into an exception, or the interpreter is ending and the module `warnings` is gone.
    if is_raised(py, Exception::Warning) {
        write_unraisable(py, object);
    } else {
        Error::Raised.discard(py);
    }
}

fn write_unraisable(_py: Python<'_>, object: *mut ffi::PyObject) {
    // SAFETY: the thread is attached, because `_py` exists. The caller has checked that an exception is set, which the call takes and
    // clears. The format takes one object.
    unsafe {
        #[cfg(Py_3_14)]
        PyErr_FormatUnraisable(c"Exception ignored while finalizing socket %R".as_ptr(), object);
        #[cfg(not(Py_3_14))]
        ffi::PyErr_WriteUnraisable(object);
    }
}

#[cfg(Py_3_14)]
unsafe extern "C" {
    /// In CPython's C API, but not in `pyo3-ffi`.
    fn PyErr_FormatUnraisable(format: *const std::ffi::c_char, ...);
}

/// Visits what an instance refers to: its class. Nothing else that it owns can refer back to it.
pub unsafe extern "C" fn traverse(object: *mut ffi::PyObject, visit: ffi::visitproc, argument: *mut c_void) -> c_int {
    // SAFETY: the collector calls the slot with an instance, and passes a valid `visit` with its argument.
    unsafe { visit(ffi::Py_TYPE(object).cast(), argument) }
}

/// Deallocates an instance, after its finalizer. Subclasses that have weak references clear them themselves.
pub unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: the interpreter calls the slot with the thread attached, when the last reference is gone. The object is still tracked by the
    // collector, as the call of the finalizer requires. The finalizer may resurrect the object: then nothing more is done. Otherwise the
    // object is untracked before its fields are dropped, each once. Then the memory is freed and the reference to the class released.
    unsafe {
        if ffi::PyObject_CallFinalizerFromDealloc(object) < 0 {
            return;
        }
        ffi::PyObject_GC_UnTrack(object.cast());
        let class = ffi::Py_TYPE(object);
        let instance = object.cast::<object::Object>();
        hooks::freed(&(*instance).socket);
        (*instance).peer.clear(Python::assume_attached());
        ptr::drop_in_place(&raw mut (*instance).peer);
        ptr::drop_in_place(&raw mut (*instance).socket);
        if let Some(free) = (*class).tp_free {
            free(object.cast::<c_void>());
        }
        ffi::Py_DECREF(class.cast());
    }
}

/// `repr` of the base class.
pub unsafe extern "C" fn repr(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls the slot with the thread attached and with an instance.
    unsafe {
        enter_slot(|py| {
            let socket = SocketRef::from_interpreter(py, object).socket();
            let text = memory::try_format(format_args!(
                "<socket object, fd={}, family={}, type={}, proto={}>",
                socket.descriptor().number(),
                socket.family(),
                socket.kind(),
                socket.proto()
            ))?;
            make::text(py, &text)
        })
    }
}
