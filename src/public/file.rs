//! The raw layer of `makefile`: an `io.RawIOBase` on a socket.
//!
//! It extends a C class of `io` whose size only the interpreter knows. So the state that this class adds lies behind that of its base, at
//! an offset computed when the class is made.

use std::ffi::{c_int, c_void};
use std::mem::size_of;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering};

use pyo3::exceptions::{PyOSError, PyTimeoutError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple, PyType};

use crate::error::{Error, Exception, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Keywords;
use crate::interpreter::buffer::Buffer;
use crate::interpreter::class::{Class, made_in_python, slot};
use crate::interpreter::function::{Attributes, Receiver, Table};
use crate::interpreter::make::{self, IntoObject, Name};
use crate::interpreter::number::plain_long;
use crate::interpreter::observe::{self, Progress};
use crate::interpreter::signature::Signature;
use crate::interpreter::slot::Slot;
use crate::interpreter::text::utf8;
use crate::public::identity::is_exactly_public;
use crate::socket::class::this as socket_of;
use crate::socket::transfer;
use crate::{attributes, functions, initialiser, name};

unsafe extern "C" {
    /// Private in `pyo3-ffi`, public in CPython's C API.
    fn _PyObject_GetDictPtr(object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject;
}

/// The state that the class adds to its base. All zeros is an instance that was never initialised: it has no socket, as a closed one.
#[repr(C)]
struct State {
    /// The socket; empty once the file is closed.
    socket: Slot,
    mode: AtomicU8,
    timed_out: AtomicBool,
}

const READING: u8 = 1;
const WRITING: u8 = 2;

/// The offset of the [`State`] in an instance, in bytes; set once, when the class is made.
static OFFSET: AtomicUsize = AtomicUsize::new(0);
/// The C class that this one extends. It lives as long as the interpreter.
static BASE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

/// The nearest class among the bases whose `tp_dealloc` frees an instance itself: see [`base_with_own_dealloc`].
static DEALLOC_BASE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

/// The file object a method is called on.
#[derive(Clone, Copy)]
struct File<'a, 'py> {
    object: Borrowed<'a, 'py, PyAny>,
}

impl<'py> Receiver<'_, 'py> for File<'_, 'py> {
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self {
        // SAFETY: the caller promises an instance of the class that lives for 'a.
        File { object: unsafe { Borrowed::from_ptr(py, pointer) } }
    }
}

/// The state of an instance.
///
/// # Safety
///
/// `object` is an instance of the class, and lives for `'a`.
unsafe fn state<'a>(object: *mut ffi::PyObject) -> &'a State {
    // SAFETY: `create` gave instances room for a `State` at this offset, aligned for it, and the allocator zeroed that memory. All zeros is
    // a valid `State`. The caller promises an instance that lives for 'a.
    unsafe { &*object.byte_add(OFFSET.load(Ordering::Relaxed)).cast::<State>() }
}

impl<'a, 'py> File<'a, 'py> {
    fn py(&self) -> Python<'py> {
        self.object.py()
    }

    fn state(&self) -> &'a State {
        // SAFETY: `from_interpreter` got an instance of the class, which is borrowed for 'a.
        unsafe { state(self.object.as_ptr()) }
    }

    fn none(&self) -> Bound<'py, PyAny> {
        self.py().None().into_bound(self.py())
    }

    fn bool(&self, value: bool) -> Bound<'py, PyAny> {
        PyBool::new(self.py(), value).to_owned().into_any()
    }

    /// The socket; `None` once the file is closed.
    fn socket(&self) -> Option<Bound<'py, PyAny>> {
        self.state().socket.get(self.py())
    }

    /// The socket of a file that was opened in `mode`. Otherwise the methods of `io` raise the error: `_checkClosed` for a closed file,
    /// `check` for another mode.
    fn socket_opened_for(&self, mode: u8, check: &'static Name) -> Result<Bound<'py, PyAny>> {
        let Some(socket) = self.socket() else {
            self.object.call_method0(name!(self.py(), "_checkClosed")?)?;
            return Err(Error::value("I/O operation on uninitialized object"));
        };
        // `io.RawIOBase.close(file)` closes the file without this class.
        if !self.has_no_attributes() {
            self.object.call_method0(name!(self.py(), "_checkClosed")?)?;
        }
        if self.state().mode.load(Ordering::Relaxed) & mode == 0 {
            self.object.call_method0(check.get(self.py())?)?;
        }
        Ok(socket)
    }

    /// Whether the object has no dict yet, so that no attribute was ever set. `io` marks a closed file by an attribute.
    fn has_no_attributes(&self) -> bool {
        // SAFETY: the thread is attached and the object is valid. The function returns the address of the field that holds the dict, or
        // null for an object without such a field. The field is null until there is a dict, and only compared with null.
        unsafe {
            let dict = _PyObject_GetDictPtr(self.object.as_ptr());
            !dict.is_null() && AtomicPtr::from_ptr(dict).load(Ordering::Acquire).is_null()
        }
    }

    fn is_closed(&self) -> Result<bool> {
        Ok(self.object.getattr(name!(self.py(), "closed")?)?.is_truthy()?)
    }

    fn check_not_closed(&self) -> Result<()> {
        if self.is_closed()? {
            return Err(Error::value("I/O operation on closed socket."));
        }
        Ok(())
    }
}

static METHODS: Table = functions![
    noargs c"close" => close, c"close($self, /)\n--\n\n\
        Closes the file object; the socket only if it is closed itself and this was the last of its file objects.";
    noargs c"fileno" => fileno, c"fileno($self, /)\n--\n\n\
        The socket's descriptor.";
    keywords c"readinto" => readinto, c"readinto($self, b)\n--\n\n\
        Reads into a writable buffer and returns how many bytes came: 0 at the end of the connection, None when the socket\n\
        is non-blocking and nothing has come. After a timeout nothing more can be read.";
    noargs c"readable" => readable, c"readable($self, /)\n--\n\n\
        Whether it was opened for reading.";
    noargs c"seekable" => seekable, c"seekable($self, /)\n--\n\n\
        False.";
    noargs c"writable" => writable, c"writable($self, /)\n--\n\n\
        Whether it was opened for writing.";
    keywords c"write" => write, c"write($self, b)\n--\n\n\
        Writes bytes and returns how many went, which may be fewer than there are; None when the socket is non-blocking and has\n\
        no room.";
];

static ATTRIBUTES: Attributes = attributes![
    read c"mode" => mode, c"'rb', 'wb' or 'rwb'.";
    read c"closed" => closed, c"Whether it was closed.";
    read c"name" => name, c"The socket's descriptor; -1 when closed.";
    write c"_sock" => get_socket, set = set_socket, c"The socket; None when closed.";
    read c"_mode" => mode, c"The mode.";
    read c"_reading" => is_reading, c"Whether it was opened for reading.";
    read c"_writing" => is_writing, c"Whether it was opened for writing.";
    write c"_timeout_occurred" => timed_out, set = set_timed_out, c"Whether a timeout has passed.";
];

static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// The socket of a file object; `None` for one that is closed, and for any other object.
pub fn socket_of_file<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let class = CLASS.get(object.py())?.bind(object.py());
    // SAFETY: both are objects. An instance of the class has a state.
    unsafe {
        let is_file = ffi::PyObject_TypeCheck(object.as_ptr(), class.as_type_ptr()) != 0;
        if is_file { state(object.as_ptr()).socket.get(object.py()) } else { None }
    }
}

/// Makes the class, or returns the one made before.
pub fn create<'py>(module: &Bound<'py, PyModule>) -> Result<Bound<'py, PyType>> {
    let py = module.py();
    if let Some(class) = CLASS.get(py) {
        return Ok(class.bind(py).clone());
    }
    let io = py.import(name!(py, "_io")?)?;
    let base = io.getattr(name!(py, "_RawIOBase")?)?.cast_into::<PyType>().map_err(PyErr::from)?;
    // SAFETY: `base` is a valid class, and the interpreter does not change its size.
    let base_size = unsafe { (*base.as_type_ptr()).tp_basicsize }.cast_unsigned();
    let offset = base_size.next_multiple_of(align_of::<State>());
    OFFSET.store(offset, Ordering::Relaxed);
    BASE.store(base.as_type_ptr(), Ordering::Relaxed);
    DEALLOC_BASE.store(base_with_own_dealloc(&base)?, Ordering::Relaxed);
    let class = Class {
        name: c"oxisocket._socket.RawSocketIO",
        size: offset + size_of::<State>(),
        flags: ffi::Py_TPFLAGS_BASETYPE | ffi::Py_TPFLAGS_HAVE_GC,
        slots: &[
            slot(
                ffi::Py_tp_doc,
                c"RawSocketIO(sock, mode)\n--\n\nThe raw layer of the file objects that socket.makefile() makes."
                    .as_ptr()
                    .cast_mut()
                    .cast(),
            ),
            slot(ffi::Py_tp_init, initialiser!(initialise)),
            slot(ffi::Py_tp_dealloc, dealloc as *mut c_void),
            slot(ffi::Py_tp_traverse, traverse as *mut c_void),
            slot(ffi::Py_tp_clear, clear as *mut c_void),
            slot(ffi::Py_tp_methods, METHODS.as_ptr().cast()),
            slot(ffi::Py_tp_getset, ATTRIBUTES.as_ptr().cast()),
        ],
    };
    // SAFETY: each slot holds a static function or table of the type its number stands for. An instance is as large as one of the base with
    // a `State` behind it.
    let class = unsafe { class.create(module, Some(base.as_any()))? };
    let _ = CLASS.set(py, class.clone().unbind());
    Ok(class)
}

/// The first class, of `class` and its bases, whose `tp_dealloc` frees an instance itself.
///
/// A class made in Python has a generic `tp_dealloc`. It searches the bases of the *instance's* class for the first `tp_dealloc` that is
/// not the generic one, and would find ours: an endless recursion.
fn base_with_own_dealloc(class: &Bound<'_, PyType>) -> Result<*mut ffi::PyTypeObject> {
    let made_in_python = made_in_python(class.py())?;
    let mut class = class.as_type_ptr();
    // SAFETY: each class is valid and keeps its base alive. The loop ends at `object` at the latest, which has a `tp_dealloc` of its own.
    unsafe {
        let generic_dealloc = (*made_in_python.as_type_ptr()).tp_dealloc.map(|dealloc| dealloc as usize);
        while (*class).tp_dealloc.map(|dealloc| dealloc as usize) == generic_dealloc {
            class = (*class).tp_base;
        }
    }
    Ok(class)
}

fn initialise<'py>(
    file: File<'_, 'py>,
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> Result<()> {
    const INIT: Signature<2> = Signature {
        qualified_name: "SocketIO.__init__",
        declaration: "self, sock, mode",
        names: ["sock", "mode"],
        positional: 2,
        required: 2,
    };
    let [Some(socket), Some(mode)] = INIT.bind_tuple(Some(&file.object), arguments, keywords)? else {
        return Err(Error::type_error("a socket and a mode are required"));
    };
    let bits = match mode.cast::<PyString>().ok().and_then(utf8) {
        Some("r" | "rb") => READING,
        Some("w" | "wb") => WRITING,
        Some("rw" | "rwb") => READING | WRITING,
        _ => return Err(Error::about(Exception::Value, c"invalid mode: ", &mode, c"")),
    };
    file.state().mode.store(bits, Ordering::Relaxed);
    file.state().timed_out.store(false, Ordering::Relaxed);
    replace_socket(file, Some(socket));
    Ok(())
}

fn replace_socket<'py>(file: File<'_, 'py>, socket: Option<Bound<'py, PyAny>>) {
    drop(file.state().socket.replace(file.py(), socket));
}

unsafe extern "C" fn traverse(object: *mut ffi::PyObject, visit: ffi::visitproc, argument: *mut c_void) -> c_int {
    // SAFETY: the collector calls the slot with an instance, and passes a valid `visit` with its argument. Nothing else runs Python code.
    unsafe {
        let base = BASE.load(Ordering::Relaxed);
        // The traverse of a heap type visits the instance's class. That of a static type leaves this to the subclass.
        if !is_heap_type(base) {
            let stop = visit(ffi::Py_TYPE(object).cast(), argument);
            if stop != 0 {
                return stop;
            }
        }
        let stop = state(object).socket.visit(visit, argument);
        match (*base).tp_traverse {
            Some(traverse) if stop == 0 => traverse(object, visit, argument),
            _ => stop,
        }
    }
}

unsafe extern "C" fn clear(object: *mut ffi::PyObject) -> c_int {
    // SAFETY: the collector calls the slot with the thread attached and with an instance of the class.
    unsafe {
        drop(state(object).socket.replace(Python::assume_attached(), None));
        match (*BASE.load(Ordering::Relaxed)).tp_clear {
            Some(clear) => clear(object),
            None => 0,
        }
    }
}

/// Deallocates an instance. First it calls the finalizer, which is that of `io`, which closes the file, or one of a subclass. Then it drops
/// the socket, whatever the finalizer did, and leaves the rest to the base.
unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: the interpreter calls the slot with the thread attached, when the last reference is gone. The finalizer may resurrect the
    // object: then nothing more is done. Otherwise the reference to the socket is taken out before the base frees the object; the base does
    // not call the finalizer again. An instance owns a reference to its class: a base that is a heap type releases it, and for a static
    // base this function does, once.
    unsafe {
        if ffi::PyObject_CallFinalizerFromDealloc(object) < 0 {
            return;
        }
        let socket = state(object).socket.replace(Python::assume_attached(), None);
        let class = ffi::Py_TYPE(object);
        let base = DEALLOC_BASE.load(Ordering::Relaxed);
        if let Some(dealloc) = (*base).tp_dealloc {
            dealloc(object);
        }
        if !is_heap_type(base) {
            ffi::Py_DECREF(class.cast());
        }
        drop(socket);
    }
}

/// Whether a class is a heap type: its instances own a reference to it.
///
/// # Safety
///
/// `class` points to a valid class.
unsafe fn is_heap_type(class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller promises a valid class.
    unsafe { ffi::PyType_HasFeature(class, ffi::Py_TPFLAGS_HEAPTYPE) != 0 }
}

/// The argument of a method that takes one, named `b`.
#[inline]
fn single_argument<'a, 'py>(
    name: &'static str,
    file: File<'a, 'py>,
    arguments: Keywords<'a, 'py>,
) -> Result<Bound<'py, PyAny>> {
    match arguments.only_positional().map(|arguments| (arguments.len(), arguments.get(0))) {
        Some((1, Some(argument))) => Ok(argument.to_owned()),
        _ => bind_single_argument(name, file, arguments),
    }
}

#[cold]
fn bind_single_argument<'py>(
    qualified_name: &'static str,
    file: File<'_, 'py>,
    arguments: Keywords<'_, 'py>,
) -> Result<Bound<'py, PyAny>> {
    let signature = Signature { qualified_name, declaration: "self, b", names: ["b"], positional: 1, required: 1 };
    let [argument] = signature.bind(Some(&file.object), arguments)?;
    argument.ok_or_else(|| Error::type_error("an argument is required"))
}

fn readinto<'py>(file: File<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let buffer = single_argument("SocketIO.readinto", file, arguments)?;
    let socket = file.socket_opened_for(READING, name!("_checkReadable"))?;
    if file.state().timed_out.load(Ordering::Relaxed) {
        return Err(Error::os("cannot read from timed out object"));
    }
    let outcome = if is_exactly_public(&socket) {
        receive(&socket, &buffer)
    } else {
        observe::progress(file.object, Progress::InParts);
        call_method(&socket, name!("recv_into"), &buffer)
    };
    outcome.or_else(|error| {
        let error = error.put_aside(file.py());
        if is_timeout(file.py(), &error) {
            file.state().timed_out.store(true, Ordering::Relaxed);
        }
        none_if_blocked(file, error)
    })
}

fn receive<'py>(socket: &Bound<'py, PyAny>, buffer: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let mut target = Buffer::unfilled(socket.py());
    if let Err(error) = target.fill_writable(buffer) {
        // `recv_into` raises the error, because its message names the method.
        error.discard(socket.py());
        return call_method(socket, name!("recv_into"), buffer);
    }
    // SAFETY: the caller has checked with `is_exactly_public` that this is an instance of the public class; it is borrowed for the call.
    let this = unsafe { socket_of(socket) };
    let count = transfer::receive(this, &mut target.receive_buffer(), 0)?;
    count.into_object(socket.py())
}

fn write<'py>(file: File<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let data = single_argument("SocketIO.write", file, arguments)?;
    let socket = file.socket_opened_for(WRITING, name!("_checkWritable"))?;
    let outcome = if is_exactly_public(&socket) {
        send(&socket, &data)
    } else {
        observe::progress(file.object, Progress::InParts);
        call_method(&socket, name!("send"), &data)
    };
    outcome.or_else(|error| none_if_blocked(file, error.put_aside(file.py())))
}

fn send<'py>(socket: &Bound<'py, PyAny>, data: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let data = Buffer::readable(data)?;
    // SAFETY: the caller has checked with `is_exactly_public` that this is an instance of the public class; it is borrowed for the call.
    let this = unsafe { socket_of(socket) };
    let count = transfer::send_some(this, data.bytes(), 0)?;
    count.into_object(socket.py())
}

/// Calls a method of a subclass of the public class, or of any other object that stands in for a socket.
#[inline(never)]
fn call_method<'py>(
    socket: &Bound<'py, PyAny>,
    method: &'static Name,
    argument: &Bound<'py, PyAny>,
) -> ObjectResult<'py> {
    Ok(socket.call_method1(method.get(socket.py())?, (argument,))?)
}

/// `None` instead of EAGAIN, for a non-blocking socket that is not ready; any other error stays one.
#[cold]
fn none_if_blocked<'py>(file: File<'_, 'py>, error: Error) -> ObjectResult<'py> {
    if would_block(file.py(), &error) {
        error.discard(file.py());
        return Ok(file.none());
    }
    Err(error)
}

fn is_timeout(py: Python<'_>, error: &Error) -> bool {
    match error {
        Error::TimedOut => true,
        Error::Os(_) => error.is_errno(libc::ETIMEDOUT),
        Error::Python(error) => error.is_instance_of::<PyTimeoutError>(py),
        _ => false,
    }
}

fn would_block(py: Python<'_>, error: &Error) -> bool {
    match error {
        Error::Os(_) => error.is_errno(libc::EAGAIN),
        Error::Python(error) if error.is_instance_of::<PyOSError>(py) => {
            let errno = name!(py, "errno").and_then(|name| Ok(error.value(py).getattr(name)?));
            match errno {
                Ok(errno) => plain_long(&errno) == Some(libc::EAGAIN.into()),
                Err(unknown) => {
                    unknown.discard(py);
                    false
                }
            }
        }
        _ => false,
    }
}

fn close<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    if file.is_closed()? {
        return Ok(file.none());
    }
    // SAFETY: the thread is attached, and `create` stored a class, which lives as long as the interpreter.
    let base = unsafe { Bound::from_borrowed_ptr(file.py(), BASE.load(Ordering::Relaxed).cast()) };
    base.call_method1(name!(file.py(), "close")?, (file.object,))?;
    if let Some(socket) = file.socket() {
        socket.call_method0(name!(file.py(), "_decref_socketios")?)?;
    }
    replace_socket(file, None);
    Ok(file.none())
}

fn fileno<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    file.object.call_method0(name!(file.py(), "_checkClosed")?)?;
    match file.socket() {
        Some(socket) => Ok(socket.call_method0(name!(file.py(), "fileno")?)?),
        None => Err(Error::value("I/O operation on uninitialized object")),
    }
}

fn readable<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    file.check_not_closed()?;
    is_reading(file)
}

fn writable<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    file.check_not_closed()?;
    is_writing(file)
}

fn seekable<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    file.check_not_closed()?;
    Ok(file.bool(false))
}

fn mode<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    let mode = match file.state().mode.load(Ordering::Relaxed) {
        READING => "rb",
        WRITING => "wb",
        _ => "rwb",
    };
    make::text(file.py(), mode)
}

fn name<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    if file.is_closed()? {
        return (-1_i32).into_object(file.py());
    }
    Ok(file.object.call_method0(name!(file.py(), "fileno")?)?)
}

/// `closed`, which a buffered reader reads before each line. To ask the base class costs two lookups, so a file without attributes is known
/// to be open without them.
fn closed<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    if file.has_no_attributes() {
        return Ok(file.bool(false));
    }
    // SAFETY: the thread is attached, and `create` stored a class, which lives as long as the interpreter.
    let base = unsafe { Bound::from_borrowed_ptr(file.py(), BASE.load(Ordering::Relaxed).cast()) };
    let closed = base.getattr(name!(file.py(), "closed")?)?;
    Ok(closed.call_method1(name!(file.py(), "__get__")?, (file.object,))?)
}

fn is_reading<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    Ok(file.bool(file.state().mode.load(Ordering::Relaxed) & READING != 0))
}

fn is_writing<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    Ok(file.bool(file.state().mode.load(Ordering::Relaxed) & WRITING != 0))
}

fn timed_out<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    Ok(file.bool(file.state().timed_out.load(Ordering::Relaxed)))
}

fn set_timed_out(file: File<'_, '_>, value: &Bound<'_, PyAny>) -> Result<()> {
    file.state().timed_out.store(value.is_truthy()?, Ordering::Relaxed);
    Ok(())
}

fn get_socket<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    Ok(file.socket().unwrap_or_else(|| file.none()))
}

fn set_socket<'py>(file: File<'_, 'py>, socket: &Bound<'py, PyAny>) -> Result<()> {
    replace_socket(file, Some(socket.clone()).filter(|socket| !socket.is_none()));
    Ok(())
}
