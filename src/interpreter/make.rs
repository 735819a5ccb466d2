//! New Python objects. `MemoryError` is an error like any other here.
//!
//! PyO3's own constructors, such as `PyString::new` and `into_pyobject`, print the `MemoryError` and panic: `clippy.toml` forbids
//! them. PyO3 also uses them for a `&str` that is given as an attribute's name: write [`name!`] instead.

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyList, PyString, PyTuple};

use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::owned;

/// A value from which an object can be made.
pub trait IntoObject<'py> {
    /// Makes the object.
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py>;
}

/// Integers that fit the C type that a constructor of the interpreter takes, for which it has a fast path.
macro_rules! integers {
    ($constructor:ident: $($integer:ty),*) => {$(
        impl<'py> IntoObject<'py> for $integer {
            #[inline]
            fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
                // SAFETY: the call takes a number and returns an owned reference, or null with an exception set.
                unsafe { owned(py, ffi::$constructor(self.into())) }
            }
        }
    )*};
}

integers!(PyLong_FromLong: u8, u16, i32);
// A C `long` has 64 bits or 32.
#[cfg(target_pointer_width = "64")]
integers!(PyLong_FromLong: u32, i64);
#[cfg(not(target_pointer_width = "64"))]
integers!(PyLong_FromLongLong: u32, i64);

impl<'py> IntoObject<'py> for isize {
    #[inline]
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
        // SAFETY: the call takes a number and returns an owned reference, or null with an exception set.
        unsafe { owned(py, ffi::PyLong_FromSsize_t(self)) }
    }
}

impl<'py> IntoObject<'py> for u64 {
    #[inline]
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
        // SAFETY: the call takes a number and returns an owned reference, or null with an exception set.
        unsafe { owned(py, ffi::PyLong_FromUnsignedLongLong(self)) }
    }
}

impl<'py> IntoObject<'py> for usize {
    #[inline]
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
        // SAFETY: the call takes a number and returns an owned reference, or null with an exception set.
        unsafe { owned(py, ffi::PyLong_FromSize_t(self)) }
    }
}

impl<'py> IntoObject<'py> for f64 {
    #[inline]
    fn into_object(self, py: Python<'py>) -> ObjectResult<'py> {
        // SAFETY: the call takes a number and returns an owned reference, or null with an exception set.
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

/// Rust's tuples become Python's.
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

/// A new tuple of these objects.
#[inline]
pub fn tuple<'py, const N: usize>(py: Python<'py>, items: [Bound<'py, PyAny>; N]) -> Result<Bound<'py, PyTuple>> {
    // SAFETY: the tuple is new, has `N` empty places, and no other code has seen it. Each place is set once, to an owned reference, which
    // the tuple takes over.
    unsafe {
        let tuple = owned(py, ffi::PyTuple_New(N.cast_signed()))?.cast_into_unchecked::<PyTuple>();
        let items = items.map(Bound::into_ptr);
        for (place, item) in items.iter().enumerate() {
            ffi::PyTuple_SET_ITEM(tuple.as_ptr(), place.cast_signed(), *item);
        }
        Ok(tuple)
    }
}

/// A new tuple of the arguments of a call.
///
/// # Safety
///
/// Each pointer is a valid object.
pub unsafe fn tuple_of<'py>(py: Python<'py>, items: &[*mut ffi::PyObject]) -> Result<Bound<'py, PyTuple>> {
    // SAFETY: as in `tuple`; each place gets a new reference, to an object that the caller guarantees.
    unsafe {
        let tuple = owned(py, ffi::PyTuple_New(items.len().cast_signed()))?.cast_into_unchecked::<PyTuple>();
        for (place, item) in items.iter().enumerate() {
            ffi::PyTuple_SET_ITEM(tuple.as_ptr(), place.cast_signed(), ffi::Py_NewRef(*item));
        }
        Ok(tuple)
    }
}

/// A new, empty list.
pub fn list(py: Python<'_>) -> Result<Bound<'_, PyList>> {
    // SAFETY: the call returns an owned reference to a list, or null with an exception set.
    unsafe { Ok(owned(py, ffi::PyList_New(0))?.cast_into_unchecked()) }
}

/// Makes an object of `item`, and appends it to a list.
pub fn append<'py>(list: &Bound<'py, PyList>, item: impl IntoObject<'py>) -> Result<()> {
    let item = item.into_object(list.py())?;
    // SAFETY: these are a list and an object, to which the list takes a reference of its own.
    let refused = unsafe { ffi::PyList_Append(list.as_ptr(), item.as_ptr()) };
    if refused < 0 { Err(Error::Raised) } else { Ok(()) }
}

/// A new, empty dict.
pub fn dict(py: Python<'_>) -> Result<Bound<'_, PyDict>> {
    // SAFETY: the call returns an owned reference to a dict, or null with an exception set.
    unsafe { Ok(owned(py, ffi::PyDict_New())?.cast_into_unchecked()) }
}

/// The keyword arguments `{"fileno": number}`, with which a socket class takes a descriptor.
pub fn fileno<'py>(py: Python<'py>, number: impl IntoObject<'py>) -> Result<Bound<'py, PyDict>> {
    let keywords = dict(py)?;
    keywords.set_item(name!(py, "fileno")?, number.into_object(py)?)?;
    Ok(keywords)
}

/// A new `str`.
#[inline]
pub fn text<'py>(py: Python<'py>, text: &str) -> ObjectResult<'py> {
    utf8(py, text.as_bytes())
}

/// A new `str` from UTF-8; `UnicodeDecodeError` if it is not valid.
#[inline]
pub fn utf8<'py>(py: Python<'py>, text: &[u8]) -> ObjectResult<'py> {
    // SAFETY: the pointer and the length are those of one slice, which the call copies.
    unsafe { owned(py, ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast(), text.len().cast_signed())) }
}

/// A new `str` from text in the file system's encoding (PEP 383).
pub fn system_text<'py>(py: Python<'py>, text: &[u8]) -> ObjectResult<'py> {
    // SAFETY: the pointer and the length are those of one slice, which the call copies.
    unsafe { owned(py, ffi::PyUnicode_DecodeFSDefaultAndSize(text.as_ptr().cast(), text.len().cast_signed())) }
}

/// A new bytes object with a copy of these bytes.
#[inline]
pub fn bytes<'py>(py: Python<'py>, bytes: &[u8]) -> ObjectResult<'py> {
    // SAFETY: the pointer and the length are those of one slice, which the call copies.
    unsafe { owned(py, ffi::PyBytes_FromStringAndSize(bytes.as_ptr().cast(), bytes.len().cast_signed())) }
}

/// The name of an attribute: an interned `str`, made at first use. See [`name!`].
pub struct Name {
    text: &'static CStr,
    string: PyOnceLock<Py<PyString>>,
}

impl Name {
    /// A name with this text.
    pub const fn new(text: &'static CStr) -> Self {
        Name { text, string: PyOnceLock::new() }
    }

    /// The interned string.
    #[inline]
    pub fn get<'py>(&'static self, py: Python<'py>) -> Result<&'py Bound<'py, PyString>> {
        match self.string.get(py) {
            Some(string) => Ok(string.bind(py)),
            None => self.make(py),
        }
    }

    #[cold]
    fn make<'py>(&'static self, py: Python<'py>) -> Result<&'py Bound<'py, PyString>> {
        // SAFETY: the text is a C string; the call returns an owned reference to a str, or null with an exception set.
        let string = unsafe { owned(py, ffi::PyUnicode_InternFromString(self.text.as_ptr()))?.cast_into_unchecked() };
        // Made outside of the cell, so that nothing fails or blocks while the cell is being initialised.
        let _first_wins = self.string.set(py, string.unbind());
        let string = self.string.get(py).ok_or_else(|| Error::runtime("a name was not kept"))?;
        Ok(string.bind(py))
    }
}

/// The name of an attribute, for PyO3's methods that take one: `object.getattr(name!(py, "family")?)`. Without `py` it is the [`Name`]
/// itself.
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
