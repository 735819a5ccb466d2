//! The name of an object's class, for error messages.

use std::ffi::CStr;
use std::fmt::{self, Write};

use pyo3::ffi;
use pyo3::prelude::*;

/// The C name of an object's class, as CPython's error messages have it: 500 characters of it at most.
pub fn type_name<'a>(object: &'a Bound<'_, PyAny>) -> TypeName<'a> {
    // SAFETY: a class has a name, a string that lives as long as the class, which the object holds for 'a.
    TypeName(unsafe { CStr::from_ptr((*ffi::Py_TYPE(object.as_ptr())).tp_name) })
}

/// The name of a class, to be displayed.
#[derive(Clone, Copy, Debug)]
pub struct TypeName<'a>(&'a CStr);

impl fmt::Display for TypeName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The interpreter makes it of a str: it is UTF-8.
        let name = self.0.to_str().unwrap_or("?");
        name.chars().take(500).try_for_each(|character| formatter.write_char(character))
    }
}
