//! Python's text as Rust and as C have it, and names in the file system's encoding.
//!
//! PyO3's `to_str` makes an exception of what UTF-8 cannot say, and leaves it to be given back later. Here it is forgotten at once.

use std::ffi::{CStr, c_int, c_void};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::owned;
use crate::error::{Result, clear};

/// The text of a `str`; none where it holds what UTF-8 cannot say, half of a surrogate pair.
pub fn utf8<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a str> {
    let (_nul, bytes) = bytes(text)?.split_last()?;
    // SAFETY: the interpreter made them, which makes valid UTF-8 only.
    Some(unsafe { std::str::from_utf8_unchecked(bytes) })
}

/// The text of a `str` as C wants it; none for what is no `str`, holds NUL, or cannot be said in UTF-8.
pub fn c_string<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a CStr> {
    CStr::from_bytes_with_nul(bytes(object.cast::<PyString>().ok()?)?).ok()
}

/// The UTF-8 form of a `str`, and the NUL that ends it.
fn bytes<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a [u8]> {
    let mut length = 0;
    // SAFETY: a str keeps its UTF-8 form, NUL at its end, for as long as it lives, which is longer than 'a; it is as long as is said.
    unsafe {
        let start = ffi::PyUnicode_AsUTF8AndSize(text.as_ptr(), &raw mut length);
        if start.is_null() {
            clear(text.py());
            return None;
        }
        Some(std::slice::from_raw_parts(start.cast(), length.cast_unsigned() + 1))
    }
}

/// What a parser calls for an `O&` that stands for a name or path.
pub const FS_CONVERTER: unsafe extern "C" fn(*mut ffi::PyObject, *mut c_void) -> c_int = ffi::PyUnicode_FSConverter;

/// What [`FS_CONVERTER`] made.
///
/// # Safety
///
/// `object` is an object, and nobody else will release it.
pub unsafe fn converted(py: Python<'_>, object: *mut ffi::PyObject) -> Result<Bound<'_, PyBytes>> {
    // SAFETY: as the caller promises.
    let object = unsafe { owned(py, object)? };
    Ok(object.cast_into::<PyBytes>().map_err(PyErr::from)?)
}
