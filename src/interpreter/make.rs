//! New objects of the interpreter's. Where it has no memory for one, its `MemoryError` is an error like any other.
//!
//! PyO3 has constructors for all of this, `PyString::new` and `into_pyobject` among them, which print the `MemoryError` and panic:
//! `clippy.toml` keeps them out. A `&str` in the place of an attribute's name is one of them too: write [`name!`].

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyList, PyString, PyTuple};

use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::owned;

/// What can be made an object of.
pub trait IntoObject<'py> {
    /// The object.
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py>;
}

/// Integers that fit a C `long`, which the interpreter has a short way for.
macro_rules! long {
    ($($integer:ty),*) => {$(
        impl<'py> IntoObject<'py> for $integer {
            #[inline]
            fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
                // SAFETY: takes a plain number and returns a new object.
                unsafe { owned(py, ffi::PyLong_FromLong(self.into())) }
            }
        }
    )*};
}

long!(u8, u16, u32, i32, i64);

impl<'py> IntoObject<'py> for isize {
    #[inline]
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
        // SAFETY: takes a plain number and returns a new object.
        unsafe { owned(py, ffi::PyLong_FromSsize_t(self)) }
    }
}

impl<'py> IntoObject<'py> for u64 {
    #[inline]
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
        // SAFETY: takes a plain number and returns a new object.
        unsafe { owned(py, ffi::PyLong_FromUnsignedLongLong(self)) }
    }
}

impl<'py> IntoObject<'py> for usize {
    #[inline]
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
        // SAFETY: takes a plain number and returns a new object.
        unsafe { owned(py, ffi::PyLong_FromSize_t(self)) }
    }
}

impl<'py> IntoObject<'py> for f64 {
    #[inline]
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
        // SAFETY: takes a plain number and returns a new object.
        unsafe { owned(py, ffi::PyFloat_FromDouble(self)) }
    }
}

impl<'py> IntoObject<'py> for bool {
    #[inline]
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
        Ok(PyBool::new(py, self).to_owned().into_any())
    }
}

impl<'py> IntoObject<'py> for &str {
    #[inline]
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
        text(py, self)
    }
}

impl<'py, T> IntoObject<'py> for Bound<'py, T> {
    #[inline]
    fn into_object(self, _py: Python<'py>) -> ObjectResult<'py> {
        Ok(self.into_any())
    }
}

impl<'py, T> IntoObject<'py> for &Bound<'py, T> {
    #[inline]
    fn into_object(self, _py: Python<'py>) -> ObjectResult<'py> {
        Ok(self.as_any().clone())
    }
}

/// Tuples become tuples.
macro_rules! tuples {
    ($(($($part:ident),*))*) => {$(
        impl<'py, $($part: IntoObject<'py>),*> IntoObject<'py> for ($($part,)*) {
            #[inline]
            fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
                #[allow(non_snake_case, reason = "each part goes by the name of its type")]
                let ($($part,)*) = self;
                Ok(tuple(py, [$($part.into_object(py)?),*])?.into_any())
            }
        }
    )*};
}

tuples! { (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) }

/// A tuple of these objects.
#[inline]
pub fn tuple<'py, const N: usize>(py: Python<'py>, items: [Bound<'py, PyAny>; N]) -> Result<Bound<'py, PyTuple>> {
    // SAFETY: a new tuple of `N` empty places, which nobody has seen yet; each is filled once, with a reference of its own.
    unsafe {
        let tuple = owned(py, ffi::PyTuple_New(N.cast_signed()))?.cast_into_unchecked::<PyTuple>();
        let items = items.map(Bound::into_ptr);
        for (place, item) in items.iter().enumerate() {
            ffi::PyTuple_SET_ITEM(tuple.as_ptr(), place.cast_signed(), *item);
        }
        Ok(tuple)
    }
}

/// A tuple of the objects that a call was given.
///
/// # Safety
///
/// These are objects.
pub unsafe fn tuple_of<'py>(py: Python<'py>, items: &[*mut ffi::PyObject]) -> Result<Bound<'py, PyTuple>> {
    // SAFETY: as in `tuple`; the references are new ones.
    unsafe {
        let tuple = owned(py, ffi::PyTuple_New(items.len().cast_signed()))?.cast_into_unchecked::<PyTuple>();
        for (place, item) in items.iter().enumerate() {
            ffi::PyTuple_SET_ITEM(tuple.as_ptr(), place.cast_signed(), ffi::Py_NewRef(*item));
        }
        Ok(tuple)
    }
}

/// A new list without items.
pub fn list(py: Python<'_>) -> Result<Bound<'_, PyList>> {
    // SAFETY: the answer is a new list.
    unsafe { Ok(owned(py, ffi::PyList_New(0))?.cast_into_unchecked()) }
}

/// Puts what is made of `item` at the end of a list.
pub fn append<'py>(list: &Bound<'py, PyList>, item: impl IntoObject<'py>) -> Result<()> {
    let item = item.into_object(list.py())?;
    // SAFETY: a list and an object, of which the list keeps a reference of its own.
    let refused = unsafe { ffi::PyList_Append(list.as_ptr(), item.as_ptr()) };
    if refused < 0 { Err(Error::Raised) } else { Ok(()) }
}

/// A new dict without items.
pub fn dict(py: Python<'_>) -> Result<Bound<'_, PyDict>> {
    // SAFETY: the answer is a new dict.
    unsafe { Ok(owned(py, ffi::PyDict_New())?.cast_into_unchecked()) }
}

/// The keyword argument `fileno`, as the classes of sockets take a descriptor.
pub fn fileno<'py>(py: Python<'py>, number: impl IntoObject<'py>) -> Result<Bound<'py, PyDict>> {
    let keywords = dict(py)?;
    keywords.set_item(name!(py, "fileno")?, number.into_object(py)?)?;
    Ok(keywords)
}

/// A string of this text.
#[inline]
pub fn text<'py>(py: Python<'py>, text: &str) -> ObjectResult<'py> {
    utf8(py, text.as_bytes())
}

/// A string of text in UTF-8; a `UnicodeDecodeError` where it is not.
#[inline]
pub fn utf8<'py>(py: Python<'py>, text: &[u8]) -> ObjectResult<'py> {
    // SAFETY: the bytes with their length.
    unsafe { owned(py, ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast(), text.len().cast_signed())) }
}

/// A string of the system's text, in the file system's encoding (PEP 383).
pub fn system_text<'py>(py: Python<'py>, text: &[u8]) -> ObjectResult<'py> {
    // SAFETY: the bytes with their length.
    unsafe { owned(py, ffi::PyUnicode_DecodeFSDefaultAndSize(text.as_ptr().cast(), text.len().cast_signed())) }
}

/// A bytes object of a copy of these.
#[inline]
pub fn bytes<'py>(py: Python<'py>, bytes: &[u8]) -> ObjectResult<'py> {
    // SAFETY: the bytes with their length.
    unsafe { owned(py, ffi::PyBytes_FromStringAndSize(bytes.as_ptr().cast(), bytes.len().cast_signed())) }
}

/// The name of an attribute: a string that the interpreter keeps, made when it is first wanted. See [`name!`].
pub struct Name {
    text: &'static CStr,
    string: PyOnceLock<Py<PyString>>,
}

impl Name {
    /// The name that reads so.
    pub const fn new(text: &'static CStr) -> Self {
        Name { text, string: PyOnceLock::new() }
    }

    /// The string.
    #[inline]
    pub fn get<'py>(&'static self, py: Python<'py>) -> Result<&'py Bound<'py, PyString>> {
        match self.string.get(py) {
            Some(string) => Ok(string.bind(py)),
            None => self.make(py),
        }
    }

    #[cold]
    fn make<'py>(&'static self, py: Python<'py>) -> Result<&'py Bound<'py, PyString>> {
        // SAFETY: a string with its NUL, of which a str is made.
        let string = unsafe { owned(py, ffi::PyUnicode_InternFromString(self.text.as_ptr()))?.cast_into_unchecked() };
        // Made outside of the cell: nothing that fails, or waits, does so in there.
        let _first_wins = self.string.set(py, string.unbind());
        let string = self.string.get(py).ok_or_else(|| Error::runtime("a name was not kept"))?;
        Ok(string.bind(py))
    }
}

/// The name of an attribute, for the methods of PyO3 that take one: `object.getattr(name!(py, "family")?)`; or, without the interpreter, the
/// [`Name`] itself.
macro_rules! name {
    ($py:expr, $text:literal) => {
        $crate::name!($text).get($py)
    };
    ($text:literal) => {{
        static NAME: $crate::interpreter::make::Name = $crate::interpreter::make::Name::new(
            match std::ffi::CStr::from_bytes_with_nul(concat!($text, "\0").as_bytes()) {
                Ok(text) => text,
                Err(_) => panic!("a name holds no NUL"),
            },
        );
        &NAME
    }};
}
pub(crate) use name;
