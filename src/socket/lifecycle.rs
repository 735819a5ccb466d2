//! From construction to the end: `__init__`, `close`, `detach`, the finalizer, `repr`.

use std::ffi::{c_int, c_void};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::{Object, Socket, This, attempts};
use crate::audit;
use crate::descriptor::offer;
use crate::error::{Class, Error, Result, is_raised};
use crate::interpreter::arguments::as_int;
use crate::interpreter::function::{Receiver, Returned, enter, enter_aside};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::owned;
use crate::memory;
use crate::sys;
use crate::timeout::{self, Timeout};

/// What a socket is made of, as `__init__` takes it: -1 means the default, or what the descriptor is.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// The address family.
    pub family: c_int,
    /// The type, which may carry `SOCK_NONBLOCK` and `SOCK_CLOEXEC`.
    pub kind: c_int,
    /// The protocol.
    pub proto: c_int,
}

impl Recipe {
    /// The type without the flags it may carry.
    pub fn plain_kind(&self) -> c_int {
        self.kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC)
    }

    /// The recipe with AF_INET, SOCK_STREAM and protocol 0 where it says nothing.
    pub fn or_default(self) -> Self {
        let or = |value, default| if value == -1 { default } else { value };
        Recipe {
            family: or(self.family, libc::AF_INET),
            kind: or(self.kind, libc::SOCK_STREAM),
            proto: or(self.proto, 0),
        }
    }

    /// The recipe with what the descriptor `fd` is, where it says nothing. Fails unless `fd` is a socket.
    fn or_detected(self, fd: BorrowedFd<'_>) -> Result<Self> {
        let option = |value, name| match value {
            -1 => sys::socket::getsockopt_int(fd, libc::SOL_SOCKET, name),
            value => Ok(value),
        };
        Ok(Recipe {
            family: self.detect_family(fd)?,
            kind: option(self.kind, libc::SO_TYPE)?,
            proto: option(self.proto, libc::SO_PROTOCOL)?,
        })
    }

    fn detect_family(&self, fd: BorrowedFd<'_>) -> Result<c_int> {
        match sys::socket::getsockname(fd) {
            Ok(address) if self.family == -1 => Ok(address.family().into()),
            Ok(_) => Ok(self.family),
            // Not every family tells its name (AF_ALG does not); but then it must have been given.
            Err(error) => match error.raw_os_error() {
                Some(libc::EBADF | libc::ENOTSOCK) => Err(error.into()),
                _ if self.family == -1 => Err(error.into()),
                _ => Ok(self.family),
            },
        }
    }
}

/// Makes a socket of the recipe, or takes over the descriptor `fileno`, and puts it into `this`.
pub fn initialise(this: This<'_, '_>, recipe: Recipe, fileno: Option<&Bound<'_, PyAny>>) -> Result<()> {
    announce(this, recipe)?;
    match fileno {
        Some(fileno) => take_over(this.socket(), recipe, descriptor(fileno)?),
        None => {
            let recipe = recipe.or_default();
            put(this.socket(), recipe, open(this.py(), recipe)?, 0)
        }
    }
}

/// Makes a descriptor: detached where the kernel may have to load a module for it, as for the first of a family.
fn open(py: Python<'_>, recipe: Recipe) -> Result<OwnedFd> {
    /// A bit for each family of which a socket was made.
    static LOADED: AtomicU64 = AtomicU64::new(0);

    let open = || sys::socket::socket(recipe.family, recipe.kind, recipe.proto);
    let usual = attempts::of_kind(recipe.family, recipe.plain_kind(), recipe.proto) == 0;
    let bit = if usual { 1 << (recipe.family & 63) } else { 0 };
    if LOADED.load(Ordering::Relaxed) & bit != 0 {
        return Ok(open()?);
    }
    let fd = py.detach(open)?;
    LOADED.fetch_or(bit, Ordering::Relaxed);
    Ok(fd)
}

/// Takes over a descriptor that Python code has by its number. It stays that code's if this fails.
fn take_over(socket: &Socket, recipe: Recipe, number: RawFd) -> Result<()> {
    // SAFETY: not negative, and used by this call alone. That it is open and the caller's is his word, by which he gives it away.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    let recipe = recipe.or_detected(fd)?;
    let timeout = first_timeout(recipe, fd)?;
    let closed = attempts::of_descriptor(fd, recipe.family, recipe.plain_kind());
    // SAFETY: as above.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    socket.begin(recipe, timeout, closed, fd);
    offer::taken(number);
    Ok(())
}

/// Puts a new descriptor into a socket; it is closed if that fails. `closed` are the attempts that its options leave out.
pub fn put(socket: &Socket, recipe: Recipe, fd: OwnedFd, closed: attempts::Closed) -> Result<()> {
    let timeout = first_timeout(recipe, fd.as_fd())?;
    socket.begin(recipe, timeout, closed, fd);
    Ok(())
}

/// The timeout that a socket begins with, and the descriptor's mode with it.
fn first_timeout(recipe: Recipe, fd: BorrowedFd<'_>) -> Result<Timeout> {
    if recipe.kind & libc::SOCK_NONBLOCK != 0 {
        return Ok(Timeout::ZERO);
    }
    let timeout = timeout::default();
    if !timeout.is_none() {
        sys::socket::set_nonblocking(fd, true)?;
    }
    Ok(timeout)
}

/// Tells the audit hooks of a new socket.
pub fn announce(this: This<'_, '_>, recipe: Recipe) -> Result<()> {
    audit!(this.py(), c"socket.__new__", c"Oiii", this.object().as_ptr(), recipe.family, recipe.kind, recipe.proto)
}

/// A descriptor given as a Python number.
pub fn descriptor(fileno: &Bound<'_, PyAny>) -> Result<RawFd> {
    let fd = as_descriptor(fileno)?;
    if fd < 0 {
        return Err(Error::value("negative file descriptor"));
    }
    Ok(fd)
}

/// A number that may be a descriptor. CPython cuts what fits a C `long` and no `int`; a cut number would name a stranger's file.
pub fn as_descriptor(fileno: &Bound<'_, PyAny>) -> Result<RawFd> {
    // SAFETY: `fileno` is an object; what is no number, or does not fit, leaves an exception.
    let long = unsafe { ffi::PyLong_AsLong(fileno.as_ptr()) };
    if long == -1 && PyErr::occurred(fileno.py()) {
        return Err(Error::Raised);
    }
    RawFd::try_from(long).map_err(|_| Error::overflow("Python int too large to convert to C int"))
}

/// Closes a socket, if it is open. What other threads do on it ends with EBADF.
pub fn close_socket(py: Python<'_>, socket: &Socket) -> Result<()> {
    Ok(socket.descriptor().close(py)?)
}

/// `close()`.
pub fn close<'py>(this: This<'_, 'py>) -> Returned<'py> {
    close_socket(this.py(), this.socket())?;
    Ok(this.none())
}

/// `detach()`.
pub fn detach<'py>(this: This<'_, 'py>) -> Returned<'py> {
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
pub fn fileno<'py>(this: This<'_, 'py>) -> Returned<'py> {
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
            ptr::write(&raw mut (*object.as_ptr().cast::<Object>()).socket, Socket::default());
            Ok(object)
        })
    }
}

/// `__init__(family=-1, type=-1, proto=-1, fileno=None)` of the base class.
pub fn initialise_base<'py>(
    this: This<'_, 'py>,
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> Result<()> {
    let (recipe, fileno) = parse(arguments, keywords)?;
    initialise(this, recipe, fileno.as_ref())
}

fn parse<'py>(
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> Result<(Recipe, Option<Bound<'py, PyAny>>)> {
    let mut given = [ptr::null_mut::<ffi::PyObject>(); 4];
    let [family, kind, proto, fileno] = &mut given;
    crate::parse_keywords!(
        arguments,
        keywords,
        c"|OOOO:socket",
        [c"family", c"type", c"proto", c"fileno"],
        ptr::from_mut(family),
        ptr::from_mut(kind),
        ptr::from_mut(proto),
        ptr::from_mut(fileno)
    )?;
    // SAFETY: each is null or an object that the arguments hold.
    let [family, kind, proto, fileno] =
        given.map(|given| unsafe { Bound::from_borrowed_ptr_or_opt(arguments.py(), given) });
    let int = |given: Option<Bound<'py, PyAny>>| given.map_or(Ok(-1), |given| as_int(&given));
    let recipe = Recipe { family: int(family)?, kind: int(kind)?, proto: int(proto)? };
    Ok((recipe, fileno.filter(|fileno| !fileno.is_none())))
}

/// The finalizer: warns of a socket that was not closed, while it still answers to those who are told, and closes it.
pub unsafe extern "C" fn finalize(object: *mut ffi::PyObject) {
    // SAFETY: called attached, by the collector or by `dealloc`, on an instance.
    unsafe {
        if This::from_interpreter(Python::assume_attached(), object).socket().descriptor().number() < 0 {
            return;
        }
        enter_aside(|py| {
            let this = This::from_interpreter(py, object);
            warn_unclosed(this);
            if let Err(error) = close_socket(py, this.socket()) {
                error.discard(py);
            }
            Ok(())
        });
    }
}

/// `ResourceWarning`, with the socket as its source, so that tracemalloc can tell where it was made.
fn warn_unclosed(this: This<'_, '_>) {
    let object = this.object().as_ptr();
    let py = this.py();
    // SAFETY: attached; the format takes one object.
    let refused = unsafe { ffi::PyErr_ResourceWarning(object, 1, c"unclosed %R".as_ptr(), object) };
    if refused == 0 {
        return;
    }
    // A filter made the warning an exception, or, as the interpreter ends, there is nobody left to warn.
    if is_raised(py, Class::Warning) {
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
        let socket = &raw mut (*object.cast::<Object>()).socket;
        (*socket).sender().forget(Python::assume_attached());
        ptr::drop_in_place(socket);
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
            let socket = This::from_interpreter(py, object).socket();
            let text = memory::formatted(format_args!(
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
