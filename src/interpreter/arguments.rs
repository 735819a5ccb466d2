//! The arguments of a call.
//!
//! Each function first checks whether its arguments are plain: integers that fit, and nothing to convert. The check costs a few
//! nanoseconds and runs no Python code. All other arguments go through the interpreter's own `PyArg_Parse*`, with the format that
//! CPython's `_socket` uses, so that the conversions, their order and the error messages are those of each Python version.

use std::ffi::c_int;
use std::hint;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::{Error, Result};
use crate::interpreter::make;
use crate::interpreter::number::plain_long;

/// Positional arguments, borrowed from the interpreter for the duration of the call.
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
    /// `values` points to `count` objects that live for `'a`; it may be anything if `count` is 0.
    pub unsafe fn from_interpreter(py: Python<'py>, values: *const *mut ffi::PyObject, count: ffi::Py_ssize_t) -> Self {
        let values = if count == 0 {
            &[]
        } else {
            // SAFETY: the caller guarantees that `values` points to `count` objects; it is only a valid pointer if there are any.
            unsafe { std::slice::from_raw_parts(values, count.cast_unsigned()) }
        };
        Arguments { py, values }
    }

    /// The token that the thread is attached.
    pub fn py(&self) -> Python<'py> {
        self.py
    }

    /// The number of arguments.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The argument at `index`, or `None`.
    pub fn get(&self, index: usize) -> Option<Borrowed<'a, 'py, PyAny>> {
        let value = *self.values.get(index)?;
        // SAFETY: the values are objects that live for `'a`, as the constructor requires; so none is null.
        unsafe {
            hint::assert_unchecked(!value.is_null());
            Some(Borrowed::from_ptr(self.py, value))
        }
    }

    /// The contents of the bytes object at `index`, which cannot change while the caller holds the object; `None` for any other class, a
    /// subclass of bytes included.
    #[inline]
    pub fn bytes(&self, index: usize) -> Option<&'a [u8]> {
        let object = self.get(index)?.as_ptr();
        // SAFETY: the object lives for `'a`, and a bytes object owns its memory, which is initialised.
        unsafe {
            if ffi::PyBytes_CheckExact(object) == 0 {
                return None;
            }
            let length = ffi::Py_SIZE(object).cast_unsigned();
            Some(std::slice::from_raw_parts(ffi::PyBytes_AS_STRING(object).cast(), length))
        }
    }

    /// The argument at `index` as a C `int`, or `default` for a missing one; `None` if it is not an `int` that fits.
    #[inline]
    pub fn plain_int(&self, index: usize, default: c_int) -> Option<c_int> {
        c_int::try_from(self.plain_long(index, default.into())?).ok()
    }

    /// The argument at `index` as a size, or `default` for a missing one; `None` if it is not an `int` that fits.
    #[inline]
    pub fn plain_size(&self, index: usize, default: isize) -> Option<isize> {
        isize::try_from(self.plain_long(index, default as i64)?).ok()
    }

    #[inline]
    fn plain_long(&self, index: usize, default: i64) -> Option<i64> {
        match self.get(index) {
            Some(value) => plain_long(&value),
            None => Some(default),
        }
    }

    /// The arguments as a tuple, for the interpreter's parsers.
    pub fn tuple(&self) -> Result<Bound<'py, PyTuple>> {
        // SAFETY: the values are objects, as the constructor requires.
        unsafe { make::tuple_of(self.py, self.values) }
    }
}

/// Arguments of a function that takes keywords.
#[derive(Clone, Copy)]
pub struct Keywords<'a, 'py> {
    /// The positional arguments.
    pub positional: Arguments<'a, 'py>,
    /// The values of the keyword arguments, in the order of `names`.
    named: Arguments<'a, 'py>,
    names: Option<Borrowed<'a, 'py, PyAny>>,
}

impl<'a, 'py> Keywords<'a, 'py> {
    /// The arguments as `METH_FASTCALL | METH_KEYWORDS` passes them.
    ///
    /// # Safety
    ///
    /// `values` points to `count` objects, and after them one for each item of `names`, which is null or a tuple; all of them live for
    /// `'a`.
    pub unsafe fn from_interpreter(
        py: Python<'py>,
        values: *const *mut ffi::PyObject,
        count: ffi::Py_ssize_t,
        names: *mut ffi::PyObject,
    ) -> Self {
        // SAFETY: the caller guarantees this for `values`, `count` and `names`.
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

    /// The positional arguments; `None` if there are keyword arguments.
    pub fn only_positional(&self) -> Option<Arguments<'a, 'py>> {
        (self.named.len() == 0).then_some(self.positional)
    }

    /// The keyword arguments as a dict, for the interpreter's parsers.
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

/// Refuses a wrong number of positional arguments with the message of Argument Clinic, which newer interpreters use.
pub fn check_count(tuple: &Bound<'_, PyTuple>, name: &std::ffi::CStr, min: usize, max: usize) -> Result<()> {
    let count = tuple.len();
    if (min..=max).contains(&count) {
        return Ok(());
    }
    let name = name.to_string_lossy();
    let (bound, number) = match count < min {
        _ if min == max => ("", min),
        true => ("at least ", min),
        false => ("at most ", max),
    };
    let plural = if number == 1 { "" } else { "s" };
    Err(Error::type_error(format_args!("{name} expected {bound}{number} argument{plural}, got {count}")))
}
