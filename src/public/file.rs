//! The raw layer of `makefile`: an `io.RawIOBase` on a socket.
//!
//! It extends a C class of `io` whose size only the interpreter knows, so that an instance's own part lies behind that of its base, at an
//! offset found when the class is made.

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

/// What an instance has beside its base. All zeros are an instance that was never initialised: closed.
#[repr(C)]
struct State {
    /// The socket; none once closed.
    socket: Slot,
    mode: AtomicU8,
    timed_out: AtomicBool,
}

const READING: u8 = 1;
const WRITING: u8 = 2;

/// Where the [`State`] begins in an instance; set once, when the class is made.
static OFFSET: AtomicUsize = AtomicUsize::new(0);
/// The C class that is extended; lives as long as the interpreter.
static BASE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

/// The class among its bases that frees an instance, whatever class that is of.
static FREEING: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

/// The file object a method is called on.
#[derive(Clone, Copy)]
struct File<'a, 'py> {
    object: Borrowed<'a, 'py, PyAny>,
}

impl<'py> Receiver<'_, 'py> for File<'_, 'py> {
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self {
        // SAFETY: as the caller promises.
        File { object: unsafe { Borrowed::from_ptr(py, pointer) } }
    }
}

/// The state of an instance.
///
/// # Safety
///
/// `object` is an instance of the class, and lives for `'a`.
unsafe fn state<'a>(object: *mut ffi::PyObject) -> &'a State {
    // SAFETY: the class made room for a state there, aligned like a pointer, and the allocator zeroed it.
    unsafe { &*object.byte_add(OFFSET.load(Ordering::Relaxed)).cast::<State>() }
}

impl<'a, 'py> File<'a, 'py> {
    fn py(&self) -> Python<'py> {
        self.object.py()
    }

    fn state(&self) -> &'a State {
        // SAFETY: methods are only called on instances.
        unsafe { state(self.object.as_ptr()) }
    }

    fn none(&self) -> Bound<'py, PyAny> {
        self.py().None().into_bound(self.py())
    }

    fn bool(&self, value: bool) -> Bound<'py, PyAny> {
        PyBool::new(self.py(), value).to_owned().into_any()
    }

    /// The socket; none once closed.
    fn socket(&self) -> Option<Bound<'py, PyAny>> {
        self.state().socket.get(self.py())
    }

    /// The socket of a file that is open for what `mode` says; refused by the methods of `io` whose business that is.
    fn socket_for(&self, mode: u8, check: &'static Name) -> Result<Bound<'py, PyAny>> {
        let Some(socket) = self.socket() else {
            self.object.call_method0(name!(self.py(), "_checkClosed")?)?;
            return Err(Error::value("I/O operation on uninitialized object"));
        };
        if self.state().mode.load(Ordering::Relaxed) & mode == 0 {
            self.object.call_method0(check.get(self.py())?)?;
        }
        Ok(socket)
    }

    /// Whether nobody ever set an attribute of this object: `io` marks a closed one by an attribute.
    fn is_untouched(&self) -> bool {
        // SAFETY: an object. What comes back is where it has its dict, null where that has no place of its own; the dict itself is null
        // until there is one, and not followed.
        unsafe {
            let dict = _PyObject_GetDictPtr(self.object.as_ptr());
            !dict.is_null() && AtomicPtr::from_ptr(dict).load(Ordering::Acquire).is_null()
        }
    }

    fn is_closed(&self) -> Result<bool> {
        Ok(self.object.getattr(name!(self.py(), "closed")?)?.is_truthy()?)
    }

    fn refuse_closed(&self) -> Result<()> {
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
    read c"_reading" => reads, c"Whether it was opened for reading.";
    read c"_writing" => writes, c"Whether it was opened for writing.";
    write c"_timeout_occurred" => timed_out, set = set_timed_out, c"Whether a timeout has passed.";
];

static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Makes the class; or gives the one that was made.
pub fn create<'py>(module: &Bound<'py, PyModule>) -> Result<Bound<'py, PyType>> {
    let py = module.py();
    if let Some(class) = CLASS.get(py) {
        return Ok(class.bind(py).clone());
    }
    let io = py.import(name!(py, "_io")?)?;
    let base = io.getattr(name!(py, "_RawIOBase")?)?.cast_into::<PyType>().map_err(PyErr::from)?;
    // SAFETY: a class, which lives as long as the interpreter.
    let base_size = unsafe { (*base.as_type_ptr()).tp_basicsize }.cast_unsigned();
    let offset = base_size.next_multiple_of(align_of::<State>());
    OFFSET.store(offset, Ordering::Relaxed);
    BASE.store(base.as_type_ptr(), Ordering::Relaxed);
    FREEING.store(freeing(&base)?, Ordering::Relaxed);
    let class = Class {
        name: c"oxisocket._socket.RawSocketIO",
        size: offset + size_of::<State>(),
        flags: ffi::Py_TPFLAGS_BASETYPE | ffi::Py_TPFLAGS_HAVE_GC,
        slots: vec![
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
    // SAFETY: the slots are what they say and static; instances have their base's size and a state behind it.
    let class = unsafe { class.create(module, Some(base.as_any()))? };
    let _ = CLASS.set(py, class.clone().unbind());
    Ok(class)
}

/// The first of a class and its bases that frees an instance itself. What stands in its place in the others looks for the first class of the
/// *instance* that does, which is ours.
fn freeing(class: &Bound<'_, PyType>) -> Result<*mut ffi::PyTypeObject> {
    let made_in_python = made_in_python(class.py())?;
    let mut class = class.as_type_ptr();
    // SAFETY: classes, each of which holds its base; `object`, the last one, frees.
    unsafe {
        let looks_for_it = (*made_in_python.as_type_ptr()).tp_dealloc.map(|dealloc| dealloc as usize);
        while (*class).tp_dealloc.map(|dealloc| dealloc as usize) == looks_for_it {
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
    // SAFETY: called by the collector on an instance; nothing but `visit` is called.
    unsafe {
        let base = BASE.load(Ordering::Relaxed);
        // A class that `io` makes as it makes its own shows an instance's class; one that is the interpreter's own leaves that to us.
        if !is_made_at_run_time(base) {
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
    // SAFETY: called attached, by the collector on an instance.
    unsafe {
        drop(state(object).socket.replace(Python::assume_attached(), None));
        match (*BASE.load(Ordering::Relaxed)).tp_clear {
            Some(clear) => clear(object),
            None => 0,
        }
    }
}

/// An instance's end: the finalizer first, that of `io`, which closes the file, or what a subclass has in its place. The socket is let go
/// in any case. The rest is the base's to do.
unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: called attached, when the last reference is gone. The finalizer may bring the object back: then nothing more is done. If not,
    // the socket's reference is taken out while there is an object to take it out of; the base, which calls no finalizer twice, frees it.
    // The class's reference is given back by a base that was made at run time itself, or else here.
    unsafe {
        if ffi::PyObject_CallFinalizerFromDealloc(object) < 0 {
            return;
        }
        let socket = state(object).socket.replace(Python::assume_attached(), None);
        let class = ffi::Py_TYPE(object);
        let base = FREEING.load(Ordering::Relaxed);
        if let Some(dealloc) = (*base).tp_dealloc {
            dealloc(object);
        }
        if !is_made_at_run_time(base) {
            ffi::Py_DECREF(class.cast());
        }
        drop(socket);
    }
}

/// Whether instances of a class hold a reference to it.
///
/// # Safety
///
/// `class` is a class.
unsafe fn is_made_at_run_time(class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: as the caller promises.
    unsafe { ffi::PyType_HasFeature(class, ffi::Py_TPFLAGS_HEAPTYPE) != 0 }
}

/// The argument of a method that takes one thing, called `b`.
#[inline]
fn only_argument<'a, 'py>(
    name: &'static str,
    file: File<'a, 'py>,
    arguments: Keywords<'a, 'py>,
) -> Result<Bound<'py, PyAny>> {
    match arguments.only_positional().map(|arguments| (arguments.len(), arguments.get(0))) {
        Some((1, Some(argument))) => Ok(argument.to_owned()),
        _ => named_argument(name, file, arguments),
    }
}

#[cold]
fn named_argument<'py>(
    qualified_name: &'static str,
    file: File<'_, 'py>,
    arguments: Keywords<'_, 'py>,
) -> Result<Bound<'py, PyAny>> {
    let signature = Signature { qualified_name, declaration: "self, b", names: ["b"], positional: 1, required: 1 };
    let [argument] = signature.bind(Some(&file.object), arguments)?;
    argument.ok_or_else(|| Error::type_error("an argument is required"))
}

fn readinto<'py>(file: File<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let buffer = only_argument("SocketIO.readinto", file, arguments)?;
    let socket = file.socket_for(READING, name!("_checkReadable"))?;
    if file.state().timed_out.load(Ordering::Relaxed) {
        return Err(Error::os("cannot read from timed out object"));
    }
    let outcome =
        if is_exactly_public(&socket) { receive(&socket, &buffer) } else { call(&socket, name!("recv_into"), &buffer) };
    outcome.or_else(|error| {
        let error = error.put_aside(file.py());
        if is_timeout(file.py(), &error) {
            file.state().timed_out.store(true, Ordering::Relaxed);
        }
        none_if_blocked(file, error)
    })
}

fn receive<'py>(socket: &Bound<'py, PyAny>, buffer: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let mut memory = Buffer::unfilled(socket.py());
    if let Err(error) = memory.fill_writable(buffer) {
        // The method has words of its own for what is no such buffer.
        error.discard(socket.py());
        return call(socket, name!("recv_into"), buffer);
    }
    // SAFETY: an instance of the public class, as the caller found.
    let this = unsafe { socket_of(socket) };
    let count = transfer::receive(this, &mut memory.receive_buffer(), 0)?;
    count.into_object(socket.py())
}

fn write<'py>(file: File<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let data = only_argument("SocketIO.write", file, arguments)?;
    let socket = file.socket_for(WRITING, name!("_checkWritable"))?;
    let outcome = if is_exactly_public(&socket) { send(&socket, &data) } else { call(&socket, name!("send"), &data) };
    outcome.or_else(|error| none_if_blocked(file, error.put_aside(file.py())))
}

fn send<'py>(socket: &Bound<'py, PyAny>, data: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let data = Buffer::readable(data)?;
    // SAFETY: an instance of the public class, as the caller found.
    let this = unsafe { socket_of(socket) };
    let count = transfer::send_some(this, data.bytes(), 0)?;
    count.into_object(socket.py())
}

/// What a subclass, or whatever else takes the part of a socket, makes of it.
#[inline(never)]
fn call<'py>(socket: &Bound<'py, PyAny>, method: &'static Name, argument: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    Ok(socket.call_method1(method.get(socket.py())?, (argument,))?)
}

/// `None` in place of the error of a non-blocking socket that was not ready.
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
    // SAFETY: a class, which lives as long as the interpreter.
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
    file.refuse_closed()?;
    reads(file)
}

fn writable<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    file.refuse_closed()?;
    writes(file)
}

fn seekable<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    file.refuse_closed()?;
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

/// `closed`, which buffered readers ask before each line. The base class knows, at the cost of two look-ups.
fn closed<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    if file.is_untouched() {
        return Ok(file.bool(false));
    }
    // SAFETY: a class, which lives as long as the interpreter.
    let base = unsafe { Bound::from_borrowed_ptr(file.py(), BASE.load(Ordering::Relaxed).cast()) };
    let closed = base.getattr(name!(file.py(), "closed")?)?;
    Ok(closed.call_method1(name!(file.py(), "__get__")?, (file.object,))?)
}

fn reads<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
    Ok(file.bool(file.state().mode.load(Ordering::Relaxed) & READING != 0))
}

fn writes<'py>(file: File<'_, 'py>) -> ObjectResult<'py> {
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
