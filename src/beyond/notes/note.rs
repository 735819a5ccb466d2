//! Notes: objects whose text is made when somebody asks for it.

use std::ffi::{CStr, c_void};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::facts::Facts;
use crate::error::{Error, Result};
use crate::functions;
use crate::interpreter::ObjectResult;
use crate::interpreter::class::{Class, dealloc, slot};
use crate::interpreter::function::{Receiver, Table, enter_slot};
use crate::interpreter::make::{self, IntoObject};
use crate::interpreter::owned;
use crate::sys::memory::try_format;

/// How the note of an earlier attempt begins.
pub const EARLIER: &str = "before that, ";

/// What a note says.
#[derive(Debug)]
pub enum Content {
    /// What is known about the call.
    Facts(Box<Facts>),
    /// The attempt before the one that raised the exception.
    Earlier {
        /// What is known about that attempt.
        attempt: Attempt,
        /// The text of its error.
        error: String,
    },
}

/// What is known about an earlier attempt.
#[derive(Debug)]
pub enum Attempt {
    /// Its note.
    Note(OwnedNote),
    /// The text of its note, which somebody has looked at; or nothing.
    Text(String),
}

impl Attempt {
    /// What was tried, and a hint.
    fn parts(&self, py: Python<'_>) -> Result<(String, Option<String>)> {
        match self {
            Attempt::Note(note) => {
                // SAFETY: `note` is a note, and alive as long as this refers to it.
                let note = unsafe { Note::from_interpreter(py, note.0) };
                let facts = note.facts().ok_or_else(|| Error::runtime("an attempt has the note of a call"))?;
                Ok((facts.what(py)?, facts.hint(py)?))
            }
            Attempt::Text(text) => {
                let (what, hint) =
                    text.split_once('\n').map_or((text.as_str(), None), |(what, hint)| (what, Some(hint)));
                let own = |text: &str| try_format(format_args!("{text}"));
                Ok((own(what)?, hint.map(own).transpose()?))
            }
        }
    }
}

/// The memory of a note.
#[repr(C)]
struct Object {
    _head: ffi::PyObject,
    content: Content,
}

/// A reference to a note. It cannot leave its thread, which is attached.
#[derive(Debug)]
pub struct OwnedNote(*mut ffi::PyObject);

impl Drop for OwnedNote {
    fn drop(&mut self) {
        // SAFETY: the reference is owned. The thread is attached: a pointer is not `Send`, so no detached code has it, and the interpreter
        // deallocates the note that holds it in an attached thread.
        unsafe { ffi::Py_DECREF(self.0) };
    }
}

/// A note, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Note<'a, 'py>(Borrowed<'a, 'py, PyAny>);

impl<'py> Receiver<'_, 'py> for Note<'_, 'py> {
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self {
        // SAFETY: the caller promises an instance of the class.
        Note(unsafe { Borrowed::from_ptr(py, pointer) })
    }
}

impl<'a, 'py> Note<'a, 'py> {
    fn content(self) -> &'a Content {
        // SAFETY: only `new` makes notes, and has written the content before anybody saw the note.
        unsafe { &(*self.0.as_ptr().cast::<Object>()).content }
    }

    /// What is known about the call; `None` for the note of an earlier attempt.
    pub fn facts(self) -> Option<&'a Facts> {
        match self.content() {
            Content::Facts(facts) => Some(facts),
            Content::Earlier { .. } => None,
        }
    }

    /// A new reference to the note.
    pub fn to_owned(self) -> OwnedNote {
        OwnedNote(self.0.to_owned().into_ptr())
    }

    /// The text.
    pub fn text(self) -> Result<String> {
        let py = self.0.py();
        let (what, hint) = match self.content() {
            Content::Facts(facts) => (facts.what(py)?, facts.hint(py)?),
            Content::Earlier { attempt, error } => {
                let (what, hint) = attempt.parts(py)?;
                let colon = if what.is_empty() { "" } else { ": " };
                (try_format(format_args!("{EARLIER}{what}{colon}{error}"))?, hint)
            }
        };
        match hint {
            Some(hint) if what.is_empty() => Ok(hint),
            Some(hint) => Ok(try_format(format_args!("{what}\n{hint}"))?),
            None => Ok(what),
        }
    }
}

static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// The class, which is made with the first note.
fn class(py: Python<'_>) -> Result<&Bound<'_, PyType>> {
    if CLASS.get(py).is_none() {
        let _first_wins = CLASS.set(py, make_class(py)?.unbind());
    }
    CLASS.get(py).map(|class| class.bind(py)).ok_or_else(|| Error::runtime("the class of notes was not kept"))
}

#[cold]
fn make_class(py: Python<'_>) -> Result<Bound<'_, PyType>> {
    let class = Class {
        name: c"oxisocket.Note",
        size: size_of::<Object>(),
        flags: ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION | ffi::Py_TPFLAGS_IMMUTABLETYPE,
        slots: &[
            slot(ffi::Py_tp_doc, DOC.as_ptr().cast_mut().cast()),
            slot(ffi::Py_tp_str, str as *mut c_void),
            slot(ffi::Py_tp_dealloc, dealloc::<Object> as *mut c_void),
            slot(ffi::Py_tp_methods, METHODS.as_ptr().cast()),
        ],
    };
    // SAFETY: each slot holds a static function or table of the type that its number stands for. Instances are laid out as `Object`.
    unsafe { class.create_without_module(py, None) }
}

const DOC: &CStr = c"A note of an exception, whose text is made when somebody reads it.";
static METHODS: Table = functions![
    noargs c"__reduce__" => reduce, c"__reduce__($self, /)\n--\n\nPickles the note as its text.";
];

/// A new note.
pub fn new(py: Python<'_>, content: Content) -> ObjectResult<'_> {
    let class = class(py)?.as_type_ptr();
    // SAFETY: the class is that of notes, whose memory is laid out as an `Object`. The content is written before the object is returned.
    unsafe {
        let note = owned(py, ffi::PyType_GenericAlloc(class, 0))?;
        ptr::write(&raw mut (*note.as_ptr().cast::<Object>()).content, content);
        Ok(note)
    }
}

/// An object as a note, if it is one.
pub fn as_note<'a, 'py>(object: &'a Bound<'py, PyAny>) -> Option<Note<'a, 'py>> {
    let class = CLASS.get(object.py())?.bind(object.py()).as_type_ptr();
    // SAFETY: `object` is a valid object.
    (unsafe { ffi::Py_TYPE(object.as_ptr()) } == class).then(|| Note(object.as_borrowed()))
}

unsafe extern "C" fn str(note: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls the slot with the thread attached and with a note.
    unsafe { enter_slot(|py| make::text(py, &Note::from_interpreter(py, note).text()?)) }
}

fn reduce<'py>(note: Note<'_, 'py>) -> ObjectResult<'py> {
    let py = note.0.py();
    let text = make::text(py, &note.text()?)?;
    // SAFETY: the class is a static of the interpreter.
    let class = unsafe { Bound::from_borrowed_ptr(py, (&raw mut ffi::PyUnicode_Type).cast()) };
    (class, make::tuple(py, [text])?).into_object(py)
}
