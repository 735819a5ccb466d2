//! The list that is an exception's `__notes__`: the text of a note is made when somebody looks at the list.
//!
//! `__notes__` must hold real `str`s. The interpreter prints any object there, but pytest, for one, joins the notes of an exception
//! (`pytest.raises(match=…)`), and a pickled exception takes them to processes that do not know our classes. So the list is of a subclass of
//! `list`. Whoever looks at an item, by whatever method, first has the text put in the place of each note. Until then nothing is formatted.
//! Not guaranteed: that C code which reads the items of a `list` from its memory finds the text. It finds an object whose `str` is the text.

use std::ffi::{CStr, c_int, c_void};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyType};

use super::facts::Facts;
use super::note::{self, Content, as_note};
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::class::{Class, slot};
use crate::interpreter::function::{Receiver, Table, enter_slot, enter_status_slot};
use crate::interpreter::make;
use crate::interpreter::owned;
use crate::sys::memory::try_box;
use crate::{functions, name};

static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// The class, which is made with the first list.
fn class(py: Python<'_>) -> Result<&Bound<'_, PyType>> {
    if CLASS.get(py).is_none() {
        let _first_wins = CLASS.set(py, make_class(py)?.unbind());
    }
    CLASS.get(py).map(|class| class.bind(py)).ok_or_else(|| Error::runtime("the class of lists was not kept"))
}

#[cold]
fn make_class(py: Python<'_>) -> Result<Bound<'_, PyType>> {
    let class = Class {
        name: c"oxisocket.Notes",
        size: 0,
        flags: ffi::Py_TPFLAGS_IMMUTABLETYPE,
        slots: &[
            slot(ffi::Py_tp_doc, DOC.as_ptr().cast_mut().cast()),
            slot(ffi::Py_tp_getattro, getattro as *mut c_void),
            slot(ffi::Py_tp_iter, iter as *mut c_void),
            slot(ffi::Py_tp_repr, repr as *mut c_void),
            slot(ffi::Py_tp_richcompare, richcompare as *mut c_void),
            slot(ffi::Py_nb_add, add_lists as *mut c_void),
            slot(ffi::Py_sq_concat, concat as *mut c_void),
            slot(ffi::Py_sq_contains, contains as *mut c_void),
            slot(ffi::Py_sq_item, item as *mut c_void),
            slot(ffi::Py_sq_repeat, repeat as *mut c_void),
            slot(ffi::Py_mp_subscript, subscript as *mut c_void),
            slot(ffi::Py_tp_methods, METHODS.as_ptr().cast()),
        ],
    };
    // SAFETY: each slot holds a static function or table of the type that its number stands for. Instances are those of the base and no
    // more. The base is a static of the interpreter.
    unsafe {
        let base = Bound::from_borrowed_ptr(py, (&raw mut ffi::PyList_Type).cast());
        class.create_without_module(py, Some(&base))
    }
}

const DOC: &CStr = c"The notes of an exception: a list of strings, which are made when somebody looks at them.";

static METHODS: Table = functions![
    noargs c"__reversed__" => reversed, c"__reversed__($self, /)\n--\n\nAn iterator over the notes, the last one first.";
    object c"__reduce_ex__" => reduce, c"__reduce_ex__($self, protocol, /)\n--\n\nPickles the list as a plain one.";
];

/// A new, empty list for notes.
pub fn new(py: Python<'_>) -> Result<Bound<'_, PyList>> {
    let class = class(py)?.as_type_ptr();
    // SAFETY: the class is a subclass of `list` that adds nothing. Its memory, all zeros, is an empty list.
    unsafe { Ok(owned(py, ffi::PyType_GenericAlloc(class, 0))?.cast_into_unchecked()) }
}

/// Adds a note to a list: as it is to one of ours, or else as text.
pub fn add<'py>(list: &Bound<'py, PyList>, content: Content) -> Result<()> {
    let py = list.py();
    let note = note::new(py, content)?;
    if is_ours(list) { make::append(list, note) } else { make::append(list, note.str()?) }
}

/// Adds a note about a call.
pub fn add_facts(list: &Bound<'_, PyList>, facts: Facts) -> Result<()> {
    let facts = try_box(facts).map_err(|_| Error::NoMemory)?;
    add(list, Content::Facts(facts))
}

/// Whether a list is of our class.
pub fn is_ours(list: &Bound<'_, PyList>) -> bool {
    let py = list.py();
    // SAFETY: `list` is a valid object.
    CLASS.get(py).is_some_and(|class| unsafe { ffi::Py_TYPE(list.as_ptr()) } == class.bind(py).as_type_ptr())
}

/// An item of a list of notes as it is, without making its text.
pub fn raw_item<'py>(list: &Bound<'py, PyList>, index: usize) -> Option<Bound<'py, PyAny>> {
    let py = list.py();
    // SAFETY: `list` is a list. The function returns a new reference, or null with an exception set if there is no such item.
    let item = unsafe { owned(py, ffi::compat::PyList_GetItemRef(list.as_ptr(), index.cast_signed())) };
    item.map_err(|error| error.discard(py)).ok()
}

/// The items of a list of notes as they are, without making their texts.
pub fn raw_items<'a, 'py>(list: &'a Bound<'py, PyList>) -> impl Iterator<Item = Bound<'py, PyAny>> + use<'a, 'py> {
    // SAFETY: `list` is a list; its size changes only if other code changes it, which `raw_item` allows for.
    let size = unsafe { ffi::PyList_Size(list.as_ptr()) };
    (0..size.cast_unsigned()).map_while(|index| raw_item(list, index))
}

/// Puts the text in the place of each note.
fn make_texts(list: &Bound<'_, PyList>) -> Result<()> {
    for (index, item) in raw_items(list).enumerate() {
        let Some(note) = as_note(&item) else {
            continue;
        };
        let text = make::text(list.py(), &note.text()?)?;
        // Making an object can run Python code, which may have changed the list.
        if raw_item(list, index).is_some_and(|still| still.is(&item)) {
            // SAFETY: `list` is a list. The call takes the reference over, also when it fails: another thread has made the list shorter.
            if unsafe { ffi::PyList_SetItem(list.as_ptr(), index.cast_signed(), text.into_ptr()) } < 0 {
                Error::Raised.discard(list.py());
            }
        }
    }
    Ok(())
}

/// A list whose items somebody looks at.
#[derive(Clone, Copy)]
struct List<'a, 'py>(Borrowed<'a, 'py, PyList>);

impl<'py> Receiver<'_, 'py> for List<'_, 'py> {
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self {
        // SAFETY: the caller promises an instance of the class, which is a list.
        List(unsafe { Borrowed::from_ptr(py, pointer).cast_unchecked() })
    }
}

/// Makes the texts of a list, and then calls a function of `list`. The result is a new reference, or null with an exception set.
///
/// # Safety
///
/// The thread is attached; `list` is a list; the function can be called with it, and returns such a result.
unsafe fn look(
    list: *mut ffi::PyObject,
    function: impl FnOnce(*mut ffi::PyObject) -> *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller promises all of it.
    unsafe {
        enter_slot(|py| {
            make_texts(&List::from_interpreter(py, list).0)?;
            owned(py, function(list))
        })
    }
}

/// The same for an object that may be something else than a list.
///
/// # Safety
///
/// The thread is attached; the function can be called with the object, and returns such a result.
unsafe fn look_if_list(
    object: *mut ffi::PyObject,
    function: impl FnOnce(*mut ffi::PyObject) -> *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller promises all of it but the class, which is checked.
    unsafe { if ffi::PyList_Check(object) == 0 { function(object) } else { look(object, function) } }
}

/// A function in a slot of `list`, which has all of those that are used here.
macro_rules! of_list {
    ($slot:ident) => {
        ffi::PyList_Type.$slot.expect("a slot of list")
    };
    ($methods:ident.$slot:ident) => {
        (*ffi::PyList_Type.$methods).$slot.expect("a slot of list")
    };
}

// SAFETY of the functions below: the interpreter calls each slot with the thread attached, with an instance of the class, and with what
// else the slot's type says. They pass these on to the same slot of the base, whose functions are valid as long as the interpreter runs.

unsafe extern "C" fn getattro(list: *mut ffi::PyObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: see above.
    unsafe { look(list, |list| ffi::PyObject_GenericGetAttr(list, name)) }
}

unsafe extern "C" fn iter(list: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: see above.
    unsafe { look(list, |list| of_list!(tp_iter)(list)) }
}

unsafe extern "C" fn repr(list: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: see above.
    unsafe { look(list, |list| of_list!(tp_repr)(list)) }
}

unsafe extern "C" fn richcompare(
    list: *mut ffi::PyObject,
    other: *mut ffi::PyObject,
    operator: c_int,
) -> *mut ffi::PyObject {
    // SAFETY: see above. The other object may also be such a list.
    unsafe { look(list, |list| look_if_list(other, |other| of_list!(tp_richcompare)(list, other, operator))) }
}

/// `+` where only the right operand is one of our lists; for the left one see [`concat`].
unsafe extern "C" fn add_lists(left: *mut ffi::PyObject, right: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: see above: one of the two is such a list.
    unsafe {
        if ffi::PyList_Check(left) == 0 || ffi::PyList_Check(right) == 0 {
            return ffi::Py_NewRef(ffi::Py_NotImplemented());
        }
        concat(left, right)
    }
}

unsafe extern "C" fn concat(left: *mut ffi::PyObject, right: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: see above. The right operand may also be such a list.
    unsafe { look(left, |left| look_if_list(right, |right| of_list!(tp_as_sequence.sq_concat)(left, right))) }
}

unsafe extern "C" fn contains(list: *mut ffi::PyObject, item: *mut ffi::PyObject) -> c_int {
    let mut answer = 0;
    // SAFETY: see above.
    let status = unsafe {
        enter_status_slot(|py| {
            make_texts(&List::from_interpreter(py, list).0)?;
            answer = of_list!(tp_as_sequence.sq_contains)(list, item);
            if answer < 0 { Err(Error::Raised) } else { Ok(()) }
        })
    };
    if status < 0 { status } else { answer }
}

unsafe extern "C" fn item(list: *mut ffi::PyObject, index: ffi::Py_ssize_t) -> *mut ffi::PyObject {
    // SAFETY: see above.
    unsafe { look(list, |list| of_list!(tp_as_sequence.sq_item)(list, index)) }
}

unsafe extern "C" fn repeat(list: *mut ffi::PyObject, count: ffi::Py_ssize_t) -> *mut ffi::PyObject {
    // SAFETY: see above.
    unsafe { look(list, |list| of_list!(tp_as_sequence.sq_repeat)(list, count)) }
}

unsafe extern "C" fn subscript(list: *mut ffi::PyObject, index: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: see above.
    unsafe { look(list, |list| of_list!(tp_as_mapping.mp_subscript)(list, index)) }
}

fn reversed<'py>(list: List<'_, 'py>) -> ObjectResult<'py> {
    make_texts(&list.0)?;
    let py = list.0.py();
    // SAFETY: the class is a static of the interpreter.
    let class = unsafe { Bound::from_borrowed_ptr(py, (&raw mut ffi::PyList_Type).cast()) };
    Ok(class.getattr(name!(py, "__reversed__")?)?.call1((&*list.0,))?)
}

fn reduce<'py>(list: List<'_, 'py>, _protocol: &Bound<'py, PyAny>) -> ObjectResult<'py> {
    let py = list.0.py();
    // SAFETY: the class is a static of the interpreter.
    let class = unsafe { Bound::from_borrowed_ptr(py, (&raw mut ffi::PyList_Type).cast()) };
    // The items come after the list, which can be one of them.
    let none = py.None().into_bound(py);
    let items = list.0.as_any().try_iter()?.into_any();
    let call = make::tuple(py, [])?.into_any();
    Ok(make::tuple(py, [class, call, none, items])?.into_any())
}
