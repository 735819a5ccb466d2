//! From Python's `str` to Rust's `&str` and C's strings.
//!
//! For a string that UTF-8 cannot encode, PyO3's `to_str` makes an exception object, whose release is deferred. Here the exception is
//! cleared at once.

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::clear;

/// The text of a `str`; `None` if UTF-8 cannot encode it, because it holds a lone surrogate.
pub fn utf8<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a str> {
    let (_nul, bytes) = bytes(text)?.split_last()?;
    // SAFETY: the interpreter encoded the bytes, and its encoder only makes valid UTF-8.
    Some(unsafe { std::str::from_utf8_unchecked(bytes) })
}

/// The text of a `str` as a C string; `None` for an object that is no `str`, holds a NUL, or cannot be encoded in UTF-8.
pub fn c_string<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a CStr> {
    CStr::from_bytes_with_nul(bytes(object.cast::<PyString>().ok()?)?).ok()
}

/// The UTF-8 form of a `str`, with its terminating NUL.
fn bytes<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a [u8]> {
    let mut length = 0;
    // SAFETY: a str caches its UTF-8 form, `length` bytes and a NUL, for as long as it lives, which is at least `'a`.
    unsafe {
        let start = ffi::PyUnicode_AsUTF8AndSize(text.as_ptr(), &raw mut length);
        if start.is_null() {
            clear(text.py());
            return None;
        }
        Some(std::slice::from_raw_parts(start.cast(), length.cast_unsigned() + 1))
    }
}
