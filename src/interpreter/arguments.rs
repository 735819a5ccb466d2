//! The arguments of a call.
//!
//! Each function looks first whether its arguments are plain (integers that fit, nothing to convert): that costs a few
//! nanoseconds and runs no Python code. Whatever is not plain goes through the interpreter's own `PyArg_Parse*` with the format
//! CPython's `_socket` uses, so that conversions, their order and the words of a refusal are the interpreter's, version by version.

use std::ffi::c_int;
use std::hint;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::{Error, Result};
use crate::interpreter::make;
use crate::interpreter::number::plain_long;

/// Positional arguments, borrowed from the interpreter for the time of the call.
#[derive(Clone, Copy)]
pub struct Arguments<'a, 'py> {
    py: Python<'py>,
    values: &'a [*mut ffi::PyObject],
}

impl<'a, 'py> Arguments<'a, 'py> {
    /// The arguments as `METH_FASTCALL` passes them.
    ///
    /// # Safety
    ///
    /// `values` holds `count` objects that live for `'a`.
    pub unsafe fn from_interpreter(py: Python<'py>, values: *const *mut ffi::PyObject, count: ffi::Py_ssize_t) -> Self {
        let values = if count == 0 {
            &[]
        } else {
            // SAFETY: as the caller promises; `values` is only meaningful when there is something behind it.
            unsafe { std::slice::from_raw_parts(values, count.cast_unsigned()) }
        };
        Arguments { py, values }
    }

    /// The attached interpreter.
    pub fn py(&self) -> Python<'py> {
        self.py
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The argument at `index`, where there is one.
    pub fn get(&self, index: usize) -> Option<Borrowed<'a, 'py, PyAny>> {
        let value = *self.values.get(index)?;
        // SAFETY: the values are objects that live for 'a.
        unsafe {
            hint::assert_unchecked(!value.is_null());
            Some(Borrowed::from_ptr(self.py, value))
        }
    }

    /// What the bytes object at `index` holds, which cannot change while the caller holds the object; `None` for any other object.
    #[inline]
    pub fn bytes(&self, index: usize) -> Option<&'a [u8]> {
        let object = self.get(index)?.as_ptr();
        // SAFETY: an object, which lives for 'a; a bytes object's memory is its own and initialised.
        unsafe {
            if ffi::PyBytes_CheckExact(object) == 0 {
                return None;
            }
            let length = ffi::Py_SIZE(object).cast_unsigned();
            Some(std::slice::from_raw_parts(ffi::PyBytes_AS_STRING(object).cast(), length))
        }
    }

    /// The argument at `index` as a C `int`, or `default` where there is none; `None` unless it is plain.
    #[inline]
    pub fn plain_int(&self, index: usize, default: c_int) -> Option<c_int> {
        match self.plain_long(index)? {
            None => Some(default),
            Some(value) => c_int::try_from(value).ok(),
        }
    }

    /// The argument at `index` as a size, or `default` where there is none; `None` unless it is plain.
    #[inline]
    pub fn plain_size(&self, index: usize, default: isize) -> Option<isize> {
        match self.plain_long(index)? {
            None => Some(default),
            Some(value) => isize::try_from(value).ok(),
        }
    }

    #[inline]
    fn plain_long(&self, index: usize) -> Option<Option<i64>> {
        let Some(value) = self.get(index) else {
            return Some(None);
        };
        plain_long(&value).map(Some)
    }

    /// The arguments as a tuple, for the interpreter's parsers.
    pub fn tuple(&self) -> Result<Bound<'py, PyTuple>> {
        // SAFETY: the values are objects.
        unsafe { make::tuple_of(self.py, self.values) }
    }
}

/// Arguments of a function that takes keywords.
#[derive(Clone, Copy)]
pub struct Keywords<'a, 'py> {
    /// Those given by position.
    pub positional: Arguments<'a, 'py>,
    /// Position by position the values that follow them, one for each name.
    named: Arguments<'a, 'py>,
    names: Option<Borrowed<'a, 'py, PyAny>>,
}

impl<'a, 'py> Keywords<'a, 'py> {
    /// The arguments as `METH_FASTCALL | METH_KEYWORDS` passes them.
    ///
    /// # Safety
    ///
    /// `values` holds `count` objects and one more for each item of `names`, which is null or a tuple; all live for `'a`.
    pub unsafe fn from_interpreter(
        py: Python<'py>,
        values: *const *mut ffi::PyObject,
        count: ffi::Py_ssize_t,
        names: *mut ffi::PyObject,
    ) -> Self {
        // SAFETY: as the caller promises, for all three.
        unsafe {
            let positional = Arguments::from_interpreter(py, values, count);
            if names.is_null() {
                let named = Arguments { py, values: &[] };
                return Keywords { positional, named, names: None };
            }
            let rest = values.add(count.cast_unsigned());
            let named = Arguments::from_interpreter(py, rest, ffi::PyTuple_GET_SIZE(names));
            let names = Some(Borrowed::from_ptr(py, names));
            Keywords { positional, named, names }
        }
    }

    /// The positional arguments, if there are no others.
    pub fn only_positional(&self) -> Option<Arguments<'a, 'py>> {
        (self.named.len() == 0).then_some(self.positional)
    }

    /// The keywords as a dict, for the interpreter's parsers.
    pub fn dict(&self) -> Result<Bound<'py, PyDict>> {
        let dict = make::dict(self.positional.py)?;
        if let Some(names) = &self.names {
            for (index, name) in names.cast::<PyTuple>().map_err(PyErr::from)?.iter().enumerate() {
                dict.set_item(name, self.named.get(index))?;
            }
        }
        Ok(dict)
    }
}

/// Refuses a wrong number of positional arguments in the words of Argument Clinic, which newer interpreters use.
pub fn check_count(tuple: &Bound<'_, PyTuple>, name: &std::ffi::CStr, least: usize, most: usize) -> Result<()> {
    let count = tuple.len();
    if (least..=most).contains(&count) {
        return Ok(());
    }
    let name = name.to_string_lossy();
    let (bound, number) = match count < least {
        _ if least == most => ("", least),
        true => ("at least ", least),
        false => ("at most ", most),
    };
    let plural = if number == 1 { "" } else { "s" };
    Err(Error::type_error(format_args!("{name} expected {bound}{number} argument{plural}, got {count}")))
}
