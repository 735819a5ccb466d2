//! Text of Python's as Rust has it.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error;

/// The text of a `str`; none where it holds what UTF-8 cannot say, half of a surrogate pair. PyO3's `to_str` would make an exception of that,
/// and leave it to be given back.
pub fn utf8<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a str> {
    let mut length = 0;
    // SAFETY: a str keeps its UTF-8 form for as long as it lives, which is longer than 'a; that is valid, and as long as is said.
    unsafe {
        let start = ffi::PyUnicode_AsUTF8AndSize(text.as_ptr(), &raw mut length);
        if start.is_null() {
            error::clear(text.py());
            return None;
        }
        let bytes = std::slice::from_raw_parts(start.cast(), length.cast_unsigned());
        Some(std::str::from_utf8_unchecked(bytes))
    }
}
