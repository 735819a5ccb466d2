//! Python's text as Rust and as C have it.
//!
//! PyO3's `to_str` makes an exception of what UTF-8 cannot say, and leaves it to be given back later. Here it is forgotten at once.

use std::ffi::CStr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::clear;

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
