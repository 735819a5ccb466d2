//! From construction to the end: `__init__`, `close`, `detach`, the finalizer, `repr`.

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
use crate::call::socket::Socket;
use crate::call::spec::Spec;
use crate::call::timeout::{self, Timeout};
use crate::error::{Error, Exception, Result, is_raised};
use crate::interpreter::ObjectResult;
use crate::interpreter::audit::audit;
use crate::interpreter::format::{Format, Object};
use crate::interpreter::function::{Receiver, enter, enter_aside};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::number::{self, as_int};
use crate::interpreter::owned;
use crate::sys;
use crate::sys::memory;

/// Makes a socket of the spec, or takes over the descriptor `fileno`, and puts it into `this`.
pub fn initialise(this: SocketRef<'_, '_>, spec: Spec, fileno: Option<&Bound<'_, PyAny>>) -> Result<()> {
    audit_new(this, spec)?;
    if let Some(fileno) = fileno {
        take_over(this.socket(), spec, descriptor(fileno)?)
    } else {
        let spec = spec.or_default();
        put(this.socket(), spec, open(this.py(), spec)?, 0)
    }
}

/// Makes a descriptor: detached where the kernel may have to load a module for it, as for the first of a family.
fn open(py: Python<'_>, spec: Spec) -> Result<OwnedFd> {
    /// A bit for each family of which a socket was made.
    static LOADED: AtomicU64 = AtomicU64::new(0);

    let open = || sys::socket::socket(spec.family, spec.kind, spec.proto);
    let usual = attempts::excluded_by_kind(spec.family, spec.plain_kind(), spec.proto) == 0;
    let bit = if usual { 1 << (spec.family & 63) } else { 0 };
    if LOADED.load(Ordering::Relaxed) & bit != 0 {
        return Ok(open()?);
    }
    let fd = py.detach(open)?;
    LOADED.fetch_or(bit, Ordering::Relaxed);
    Ok(fd)
}

/// Takes over a descriptor that Python code has by its number. It stays that code's if this fails.
fn take_over(socket: &Socket, spec: Spec, number: RawFd) -> Result<()> {
    // SAFETY: not negative, and used by this call alone. That it is open and the caller's is his word, by which he gives it away.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    let spec = spec.or_detected(fd)?;
    let timeout = first_timeout(spec, fd)?;
    let excluded = attempts::excluded_by_descriptor(fd, spec.family, spec.plain_kind());
    // SAFETY: as above.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    socket.begin(spec, timeout, excluded, fd);
    offer::taken(number);
    Ok(())
}

/// Puts a new descriptor into a socket; it is closed if that fails. `closed` are the attempts that its options leave out.
pub fn put(socket: &Socket, spec: Spec, fd: OwnedFd, excluded: Directions) -> Result<()> {
    let timeout = first_timeout(spec, fd.as_fd())?;
    socket.begin(spec, timeout, excluded, fd);
    Ok(())
}

/// The timeout that a socket begins with, and the descriptor's mode with it.
fn first_timeout(spec: Spec, fd: BorrowedFd<'_>) -> Result<Timeout> {
    if spec.kind & libc::SOCK_NONBLOCK != 0 {
        return Ok(Timeout::ZERO);
    }
    let timeout = timeout::default();
    if !timeout.is_none() {
        sys::socket::set_nonblocking(fd, true)?;
    }
    Ok(timeout)
}

/// Tells the audit hooks of a new socket.
pub fn audit_new(this: SocketRef<'_, '_>, spec: Spec) -> Result<()> {
    audit(this.py(), c"socket.__new__", (&*this.object(), spec.family, spec.kind, spec.proto))
}

/// A descriptor given as a Python number.
pub fn descriptor(fileno: &Bound<'_, PyAny>) -> Result<RawFd> {
    let fd = number::fileno(fileno)?;
    if fd < 0 {
        return Err(Error::value("negative file descriptor"));
    }
    Ok(fd)
}

/// Closes a socket, if it is open. What other threads do on it ends with EBADF.
pub fn close_socket(py: Python<'_>, socket: &Socket) -> Result<()> {
    Ok(socket.descriptor().close(py)?)
}

/// `close()`.
pub fn close<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    close_socket(this.py(), this.socket())?;
    Ok(this.none())
}

/// `detach()`.
pub fn detach<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    let descriptor = this.socket().descriptor();
    loop {
        // The object is made first: were there no memory for it, the socket would still have the descriptor.
        let number = descriptor.number();
        let told = number.into_object(this.py())?;
        if descriptor.take_if(number) {
            return Ok(told);
        }
    }
}

/// `fileno()`.
pub fn fileno<'py>(this: SocketRef<'_, 'py>) -> ObjectResult<'py> {
    this.socket().descriptor().number().into_object(this.py())
}

/// `__new__`: an object that is closed and safe to touch; it takes any arguments, as they are `__init__`'s.
pub unsafe extern "C" fn new(
    class: *mut ffi::PyTypeObject,
    _arguments: *mut ffi::PyObject,
    _keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: `class` is ours or a subclass: its instances begin with an `Object`. The allocator zeroes it and fills the head; the
    // socket is then written before anybody sees the object.
    unsafe {
        enter(|py| {
            let allocate = (*class).tp_alloc.unwrap_or(ffi::PyType_GenericAlloc);
            let object = owned(py, allocate(class, 0))?;
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
    let (spec, fileno) = parse(arguments, keywords)?;
    initialise(this, spec, fileno.as_ref())
}

fn parse<'py>(
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

/// The finalizer: warns of a socket that was not closed, while it still answers to those who are told, and closes it.
pub unsafe extern "C" fn finalize(object: *mut ffi::PyObject) {
    // SAFETY: called attached, by the collector or by `dealloc`, on an instance.
    unsafe {
        if SocketRef::from_interpreter(Python::assume_attached(), object).socket().descriptor().number() < 0 {
            return;
        }
        enter_aside(|py| {
            let this = SocketRef::from_interpreter(py, object);
            warn_unclosed(this);
            if let Err(error) = close_socket(py, this.socket()) {
                error.discard(py);
            }
            Ok(())
        });
    }
}

/// `ResourceWarning`, with the socket as its source, so that tracemalloc can tell where it was made.
fn warn_unclosed(this: SocketRef<'_, '_>) {
    let object = this.object().as_ptr();
    let py = this.py();
    // SAFETY: attached; the format takes one object.
    let refused = unsafe { ffi::PyErr_ResourceWarning(object, 1, c"unclosed %R".as_ptr(), object) };
    if refused == 0 {
        return;
    }
    // A filter made the warning an exception, or, as the interpreter ends, there is nobody left to warn.
    if is_raised(py, Exception::Warning) {
        write_unraisable(py, object);
    } else {
        Error::Raised.discard(py);
    }
}

fn write_unraisable(_py: Python<'_>, object: *mut ffi::PyObject) {
    // SAFETY: attached, with the exception set; it is taken and cleared.
    unsafe {
        #[cfg(Py_3_14)]
        PyErr_FormatUnraisable(c"Exception ignored while finalizing socket %R".as_ptr(), object);
        #[cfg(not(Py_3_14))]
        ffi::PyErr_WriteUnraisable(object);
    }
}

#[cfg(Py_3_14)]
unsafe extern "C" {
    /// Not in `pyo3-ffi`.
    fn PyErr_FormatUnraisable(format: *const std::ffi::c_char, ...);
}

/// What the collector asks: an object holds its class, and nothing else that could hold it in turn.
pub unsafe extern "C" fn traverse(object: *mut ffi::PyObject, visit: ffi::visitproc, argument: *mut c_void) -> c_int {
    // SAFETY: called by the collector on an instance; nothing but `visit` is called.
    unsafe { visit(ffi::Py_TYPE(object).cast(), argument) }
}

/// Gives an object's memory back, after its finalizer. Weak references are the business of classes that have them.
pub unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: called attached, when the last reference is gone, with the object tracked by the collector, as the finalizer wants it. The
    // finalizer may bring the object back: then nothing more is done. Otherwise the collector forgets it before it is taken to pieces;
    // the state, which is ours, is dropped once, and the memory and the class's reference are given back.
    unsafe {
        if ffi::PyObject_CallFinalizerFromDealloc(object) < 0 {
            return;
        }
        ffi::PyObject_GC_UnTrack(object.cast());
        let class = ffi::Py_TYPE(object);
        let instance = object.cast::<object::Object>();
        (*instance).peer.forget(Python::assume_attached());
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
    // SAFETY: called attached, on an instance.
    unsafe {
        enter(|py| {
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
