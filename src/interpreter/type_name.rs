//! The name of an object's class, for error messages.

use std::ffi::CStr;
use std::fmt::{self, Write};

use pyo3::ffi;
use pyo3::prelude::*;

/// The `tp_name` of an object's class, as CPython's error messages have it (`%.500s`): at most 500 characters.
pub fn type_name<'a>(object: &'a Bound<'_, PyAny>) -> TypeName<'a> {
    // SAFETY: `tp_name` is a C string, never null. Not guaranteed: that it lives for `'a`; assigning the class's `__name__` can free it. So
    // the name must be displayed at once, before any Python code runs.
    TypeName(unsafe { CStr::from_ptr((*ffi::Py_TYPE(object.as_ptr())).tp_name) })
}

/// The name of a class, for `format_args!`.
#[derive(Clone, Copy, Debug)]
pub struct TypeName<'a>(&'a CStr);

impl fmt::Display for TypeName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The interpreter makes it from a str, so it is UTF-8.
        let name = self.0.to_str().unwrap_or("?");
        name.chars().take(500).try_for_each(|character| formatter.write_char(character))
    }
}
