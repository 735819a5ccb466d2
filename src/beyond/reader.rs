//! The class `oxisocket.Reader`: asyncio's `StreamReader`, blocking, on any object with a method `recv`.
//!
//! A read that fails takes nothing out of the buffer: what was received before a timeout, an error or a signal handler that raises is there
//! for the next read.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_int, c_void};
use std::mem::size_of;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyTuple, PyType};

use super::errors;
use super::read_ahead::{READ_AHEAD, ReadAhead};
use super::separator::{Newline, Place, Separator, Separators};
use super::source::{self, Source};
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::arguments::Keywords;
use crate::interpreter::class::{Class, slot};
use crate::interpreter::format::{Format, Object};
use crate::interpreter::function::{Attributes, Receiver, Table};
use crate::interpreter::make;
use crate::interpreter::observe;
use crate::interpreter::signals;
use crate::interpreter::slot::Slot;
use crate::socket::transfer;
use crate::{attributes, functions, initialiser};

/// An instance. All zeros behind its head are one whose `__init__` did not run.
#[repr(C)]
struct Instance {
    _head: ffi::PyObject,
    /// The object to receive from.
    socket: Slot,
    /// Whether a method is running, which has the state for itself.
    busy: AtomicBool,
    state: UnsafeCell<State>,
}

#[repr(C)]
struct State {
    buffer: ReadAhead,
    /// The most bytes before a separator.
    limit: usize,
    /// Whether the other end has closed.
    eof: bool,
}

/// The instance that a method is called on.
#[derive(Clone, Copy)]
struct ReaderRef<'a, 'py> {
    object: Borrowed<'a, 'py, PyAny>,
}

impl<'py> Receiver<'_, 'py> for ReaderRef<'_, 'py> {
    #[inline]
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self {
        // SAFETY: as the caller promises; a method of the class is only called on its instances.
        ReaderRef { object: unsafe { Borrowed::from_ptr(py, pointer) } }
    }
}

impl<'a, 'py> ReaderRef<'a, 'py> {
    #[inline]
    fn py(&self) -> Python<'py> {
        self.object.py()
    }

    #[inline]
    fn instance(&self) -> &'a Instance {
        // SAFETY: instances begin with an `Instance`, which is valid as the allocator zeroed it. The object lives for `'a`.
        unsafe { &*self.object.as_ptr().cast::<Instance>() }
    }

    /// The state, for the running method alone. A read that begins while another one waits, in another thread or in a signal handler, is
    /// refused.
    #[inline]
    fn enter(&self) -> Result<Entered<'a, 'py>> {
        let instance = self.instance();
        let was_busy = if cfg!(Py_GIL_DISABLED) {
            instance.busy.swap(true, Ordering::Acquire)
        } else {
            // With the GIL no other thread comes between the two.
            let was_busy = instance.busy.load(Ordering::Relaxed);
            instance.busy.store(true, Ordering::Relaxed);
            was_busy
        };
        if was_busy {
            return Err(Error::runtime("another call on this Reader is running"));
        }
        // SAFETY: `busy` was not set, so that no other `Entered` exists; this one resets it when it is dropped.
        Ok(Entered { py: self.py(), instance, state: unsafe { &mut *instance.state.get() } })
    }
}

/// The state, while a method has it for itself.
struct Entered<'a, 'py> {
    py: Python<'py>,
    instance: &'a Instance,
    state: &'a mut State,
}

impl Deref for Entered<'_, '_> {
    type Target = State;

    #[inline]
    fn deref(&self) -> &State {
        self.state
    }
}

impl DerefMut for Entered<'_, '_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State {
        self.state
    }
}

impl Drop for Entered<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        self.state.buffer.release_if_large(self.py);
        self.instance.busy.store(false, Ordering::Release);
    }
}

impl<'py> Entered<'_, 'py> {
    /// Receives once: what comes, at most `most` bytes, and no more than there is room for. Nothing at all is EOF.
    fn receive(&mut self, most: usize) -> Result<()> {
        let py = self.py;
        // Reads of a socket that is always ready may never return to the interpreter's loop, which runs the handlers.
        signals::run_handlers(py)?;
        let Some(socket) = self.instance.socket.get(py) else {
            return Err(Error::runtime("__init__() of this Reader was not called"));
        };
        let most = most.min(self.buffer.room().len());
        let count = match Source::of(socket.as_borrowed())? {
            Source::Socket(socket) => self.buffer.receive(most, |room| {
                observe::receive(socket.object(), room, |room| transfer::receive(socket, room, 0))
            }),
            Source::Method(recv) => self.buffer.receive(most, |room| source::receive_by(&recv, room, 0)),
        }?;
        self.eof = count == 0;
        Ok(())
    }

    /// Receives what comes, for a read that does not know how much it needs.
    fn receive_some(&mut self) -> Result<()> {
        let py = self.py;
        self.buffer.make_some_room(py)?;
        self.receive(READ_AHEAD)
    }

    /// Receives until the buffer has a separator: where it is. None at EOF.
    #[inline]
    fn find(&mut self, separator: &impl Separator) -> Result<Option<Place>> {
        match separator.find(self.buffer.content()) {
            Some(place) if place.start <= self.limit => Ok(Some(place)),
            first => self.find_later(separator, first),
        }
    }

    #[cold]
    fn find_later(&mut self, separator: &impl Separator, mut found: Option<Place>) -> Result<Option<Place>> {
        loop {
            if let Some(place) = found {
                if place.start > self.limit {
                    return Err(self.limit_overrun("the separator comes after the limit", place.start));
                }
                return Ok(Some(place));
            }
            // A part of a separator may be there.
            let searched = (self.buffer.content().len() + 1).saturating_sub(separator.longest());
            if searched > self.limit {
                return Err(self.limit_overrun("no separator comes within the limit", searched));
            }
            if self.eof {
                return Ok(None);
            }
            self.receive_some()?;
            found = separator.find(&self.buffer.content()[searched..]).map(|place| place.behind(searched));
        }
    }

    #[cold]
    fn limit_overrun(&self, text: &'static str, consumed: usize) -> Error {
        errors::limit_overrun(self.py, format_args!("{text} of {} bytes", self.limit), consumed)
    }

    /// The error of a read that has met EOF. The exception takes the buffer's content, if it can be made.
    #[cold]
    fn incomplete(&mut self, expected: Option<usize>) -> Error {
        let (py, count) = (self.py, self.buffer.content().len());
        match self.buffer.take(py, count) {
            Ok(partial) => errors::incomplete_read(partial, expected),
            Err(error) => error,
        }
    }
}

/// `readline()`: a line with its end; at EOF what is left, and b'' if nothing is.
fn readline<'py>(this: ReaderRef<'_, 'py>) -> ObjectResult<'py> {
    let mut reader = this.enter()?;
    let end = reader.find(&Newline)?.map_or(usize::MAX, |place| place.end);
    reader.buffer.take(this.py(), end)
}

/// `readuntil(separator=b"\n")`: all up to the separator, and the separator.
fn readuntil<'py>(this: ReaderRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    const FORMAT: Format<(Object,)> = Format::new(c"|O:readuntil");
    let (tuple, dict) = (arguments.positional.tuple()?, arguments.dict()?);
    let (separator,) = FORMAT.keywords([c"separator"], &tuple, Some(&dict), (None,))?;
    match separator {
        None => take_until(this, &Newline),
        Some(separator) => take_until(this, &Separators::from_python(&separator)?),
    }
}

fn take_until<'py>(this: ReaderRef<'_, 'py>, separator: &impl Separator) -> ObjectResult<'py> {
    let mut reader = this.enter()?;
    match reader.find(separator)? {
        Some(place) => reader.buffer.take(this.py(), place.end),
        None => Err(reader.incomplete(None)),
    }
}

/// `readexactly(n)`.
fn readexactly<'py>(this: ReaderRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let size = size(arguments, const { Format::new(c"n:readexactly") }, 0)?;
    let size = usize::try_from(size).map_err(|_| Error::value("negative size in readexactly"))?;
    let py = this.py();
    let mut reader = this.enter()?;
    loop {
        let missing = size.saturating_sub(reader.buffer.content().len());
        if missing == 0 {
            return reader.buffer.take(py, size);
        }
        if reader.eof {
            return Err(reader.incomplete(Some(size)));
        }
        if size <= READ_AHEAD {
            reader.receive_some()?;
        } else {
            // Of memory that fits exactly, nothing need be copied in the end.
            reader.buffer.make_room(py, missing)?;
            reader.receive(missing.max(READ_AHEAD))?;
        }
    }
}

/// `read(n=-1)`: what there is, at most n bytes; all until EOF where n is negative.
fn read<'py>(this: ReaderRef<'_, 'py>, arguments: Keywords<'_, 'py>) -> ObjectResult<'py> {
    let size = size(arguments, const { Format::new(c"|n:read") }, -1)?;
    let py = this.py();
    let mut reader = this.enter()?;
    let Ok(size) = usize::try_from(size) else {
        while !reader.eof {
            reader.receive_some()?;
        }
        return reader.buffer.take(py, usize::MAX);
    };
    if size > 0 && reader.buffer.content().is_empty() && !reader.eof {
        reader.receive_some()?;
    }
    reader.buffer.take(py, size)
}

fn size(arguments: Keywords<'_, '_>, format: Format<(isize,)>, default: isize) -> Result<isize> {
    if let Some(positional) = arguments.only_positional()
        && let (1, Some(size)) = (positional.len(), positional.plain_size(0, default))
    {
        return Ok(size);
    }
    let (tuple, dict) = (arguments.positional.tuple()?, arguments.dict()?);
    let (size,) = format.keywords([c"n"], &tuple, Some(&dict), (default,))?;
    Ok(size)
}

/// `at_eof()`: whether a read has met EOF, and nothing is left.
fn at_eof<'py>(this: ReaderRef<'_, 'py>) -> ObjectResult<'py> {
    let reader = this.enter()?;
    let at_eof = reader.eof && reader.buffer.content().is_empty();
    Ok(PyBool::new(this.py(), at_eof).to_owned().into_any())
}

/// `buffered`: a copy of the bytes that were received and not read yet.
fn buffered<'py>(this: ReaderRef<'_, 'py>) -> ObjectResult<'py> {
    make::bytes(this.py(), this.enter()?.buffer.content())
}

/// `__init__(sock, limit=65536)`. A second one begins anew.
fn initialise<'py>(
    this: ReaderRef<'_, 'py>,
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> Result<()> {
    const NAMES: [&CStr; 2] = [c"sock", c"limit"];
    const FORMAT: Format<(Object, isize)> = Format::new(c"O|n:Reader");
    const LIMIT: isize = READ_AHEAD.cast_signed();
    let py = this.py();
    let (socket, limit) = FORMAT.keywords(NAMES, arguments, keywords, (None, LIMIT))?;
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
    let limit = limit.ok_or_else(|| Error::value("the limit must be positive"))?;
    // A file object or a datagram socket in the place of the stream is noticed here, and not by the first read.
    if let Some(socket) = &socket
        && let Source::Socket(socket) = Source::of(socket.as_borrowed())?
    {
        source::check_kind(socket, "Reader")?;
    }
    let mut reader = this.enter()?;
    reader.buffer.release(py);
    (reader.limit, reader.eof) = (limit, false);
    let old = this.instance().socket.replace(py, socket);
    drop(reader);
    drop(old);
    Ok(())
}

static METHODS: Table = functions![
    noargs c"at_eof" => at_eof, c"at_eof($self, /)\n--\n\n\
        Whether a read has met the end of the connection, and the buffer is empty.";
    keywords c"read" => read, c"read($self, n=-1)\n--\n\n\
        Reads what there is: at least a byte and at most n; b'' at the end of the connection. Without n, all until that end.";
    keywords c"readexactly" => readexactly, c"readexactly($self, n)\n--\n\n\
        Reads exactly n bytes.\n\n\
        Raises oxisocket.IncompleteReadError when the connection ends before; its attribute 'partial' has the bytes that came.";
    noargs c"readline" => readline, c"readline($self, /)\n--\n\n\
        Reads a line, which ends with b'\\n'; at the end of the connection what is left, and b'' if nothing is.\n\n\
        Raises oxisocket.LimitOverrunError, a ValueError, when the line is longer than the limit; it stays in the buffer.";
    keywords c"readuntil" => readuntil, c"readuntil($self, separator=b'\\n')\n--\n\n\
        Reads until the separator, which is the end of what is returned. Of a tuple of separators, the first that is complete counts.\n\n\
        Raises oxisocket.IncompleteReadError when the connection ends before, with what came as 'partial'; and\n\
        oxisocket.LimitOverrunError when more bytes than the limit come before the separator: they stay in the buffer.";
];

static ATTRIBUTES: Attributes = attributes![
    read c"buffered" => buffered, c"A copy of the bytes that were received and that no read has returned yet.";
];

/// Functions of the module.
pub static FUNCTIONS: Table = functions![
    noargs c"_reader_class" => reader_class, c"_reader_class($module, /)\n--\n\n\
        The class oxisocket.Reader, which is made when it is first used.";
];

static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

fn reader_class(py: Python<'_>) -> ObjectResult<'_> {
    if let Some(class) = CLASS.get(py) {
        return Ok(class.bind(py).clone().into_any());
    }
    let made = create(py)?;
    let _first_wins = CLASS.set(py, made.clone().unbind());
    Ok(CLASS.get(py).map_or(made.into_any(), |class| class.bind(py).clone().into_any()))
}

fn create(py: Python<'_>) -> Result<Bound<'_, PyType>> {
    let class = Class {
        name: c"oxisocket.Reader",
        size: size_of::<Instance>(),
        flags: ffi::Py_TPFLAGS_BASETYPE | ffi::Py_TPFLAGS_HAVE_GC,
        slots: &[
            slot(ffi::Py_tp_doc, DOC.as_ptr().cast_mut().cast()),
            slot(ffi::Py_tp_init, initialiser!(initialise)),
            slot(ffi::Py_tp_dealloc, dealloc as *mut c_void),
            slot(ffi::Py_tp_traverse, traverse as *mut c_void),
            slot(ffi::Py_tp_clear, clear as *mut c_void),
            slot(ffi::Py_tp_methods, METHODS.as_ptr().cast()),
            slot(ffi::Py_tp_getset, ATTRIBUTES.as_ptr().cast()),
        ],
    };
    // SAFETY: the slots have the types that their numbers say, and are static. Instances begin with an `Instance`.
    unsafe { class.create_without_module(py, None) }
}

const DOC: &CStr = c"Reader(sock, limit=65536)\n--\n\n\
    Reads lines, messages of a known length and the like from a socket, or from any object with a method recv().\n\n\
    It receives ahead: once it has read, nothing else should receive from the socket but through it; 'buffered' has what was\n\
    received ahead. limit is the most bytes before a separator. After a timeout, or another error, a read can be made again:\n\
    nothing is lost. It does not close the socket, and is not for several threads at once.";

unsafe extern "C" fn traverse(object: *mut ffi::PyObject, visit: ffi::visitproc, argument: *mut c_void) -> c_int {
    // SAFETY: the collector calls the slot on an instance. Nothing but `visit` is called.
    unsafe {
        let stop = visit(ffi::Py_TYPE(object).cast(), argument);
        if stop != 0 { stop } else { (*object.cast::<Instance>()).socket.visit(visit, argument) }
    }
}

unsafe extern "C" fn clear(object: *mut ffi::PyObject) -> c_int {
    // SAFETY: the collector calls the slot with the thread attached and on an instance.
    unsafe { drop((*object.cast::<Instance>()).socket.replace(Python::assume_attached(), None)) };
    0
}

unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: the interpreter calls the slot with the thread attached, when the last reference is gone: no method is running. The object is
    // untracked before its references are dropped, each once. Then the memory is freed and the reference to the class released.
    unsafe {
        let py = Python::assume_attached();
        ffi::PyObject_GC_UnTrack(object.cast());
        let class = ffi::Py_TYPE(object);
        let instance = object.cast::<Instance>();
        (*instance).state.get_mut().buffer.release(py);
        drop((*instance).socket.replace(py, None));
        if let Some(free) = (*class).tp_free {
            free(object.cast::<c_void>());
        }
        ffi::Py_DECREF(class.cast());
    }
}
