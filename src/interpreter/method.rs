//! Methods that a class gets after it was made.
//!
//! One kind is inherited methods that it has in its own name too.
//! The interpreter calls a method straight away, without an attribute's detours, where the object is of the very class that the method was
//! made for. A subclass's instances miss that by one step, in every call of their lives. So the subclass gets the methods that are
//! called most often once more; whatever is not such a call is left to the inherited one, with its own words for what is wrong.

use std::ffi::{CStr, c_int};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::error::{Error, Result};
use crate::interpreter::function::Table;
use crate::interpreter::{make, owned};

/// Gives `class` the method that it inherits by this name, made by [`functions!`](super::function::functions), as its own.
pub fn redefine(class: &Bound<'_, PyType>, name: &str) -> Result<()> {
    let attribute = make::text(class.py(), name)?.cast_into::<PyString>().map_err(PyErr::from)?;
    let inherited = class.getattr(&attribute)?;
    // SAFETY: a method descriptor, as is checked, is of the interpreter's struct for them, and its table is static. The new one is not
    // known to anybody yet: its field may be written to.
    let own = unsafe {
        if ffi::Py_TYPE(inherited.as_ptr()) != &raw mut ffi::PyMethodDescr_Type {
            return Err(Error::runtime(format_args!("{name} is no method to define again")));
        }
        let table = (*inherited.as_ptr().cast::<ffi::PyMethodDescrObject>()).d_method;
        let own = owned(class.py(), ffi::PyDescr_NewMethod(class.as_type_ptr(), table))?;
        (*own.as_ptr().cast::<ffi::PyMethodDescrObject>()).vectorcall = Some(call);
        own
    };
    Ok(class.setattr(attribute, own)?)
}

/// Gives `class` the methods of one more table, whose receiver is an instance of it.
pub fn add(class: &Bound<'_, PyType>, table: &'static Table) -> Result<()> {
    for entry in table.entries() {
        // SAFETY: an entry of a static table, made for instances of the class; its name is a string with its NUL. The returned reference
        // is new, or null with an exception.
        let (method, name) = unsafe {
            let method = ffi::PyDescr_NewMethod(class.as_type_ptr(), ptr::from_ref(entry).cast_mut());
            (owned(class.py(), method)?, CStr::from_ptr(entry.ml_name))
        };
        let name = make::utf8(class.py(), name.to_bytes())?.cast_into::<PyString>().map_err(PyErr::from)?;
        class.setattr(name, method)?;
    }
    Ok(())
}

/// What the interpreter calls where it does not call the function itself: for instances of further subclasses, and for every call that is
/// wrong.
unsafe extern "C" fn call(
    method: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called attached, on a descriptor made in `redefine`, with as many arguments as `count` says without its flag, and after them
    // the values of `names`, a tuple or null. The functions are of the kinds that their flags say.
    unsafe {
        let descriptor = &*method.cast::<ffi::PyMethodDescrObject>();
        let class = descriptor.d_common.d_type;
        let given = ffi::PyVectorcall_NARGS(count);
        if given > 0 && ffi::PyObject_TypeCheck(*arguments, class) != 0 {
            const KEYWORDS: c_int = ffi::METH_FASTCALL | ffi::METH_KEYWORDS;
            let (receiver, arguments, given) = (*arguments, arguments.add(1), given - 1);
            let table = &*descriptor.d_method;
            match table.ml_flags {
                ffi::METH_FASTCALL if names.is_null() => {
                    return (table.ml_meth.PyCFunctionFast)(receiver, arguments.cast_mut(), given);
                }
                KEYWORDS => {
                    return (table.ml_meth.PyCFunctionFastWithKeywords)(receiver, arguments, given, names);
                }
                _ => {}
            }
        }
        let inherited = ffi::PyObject_GetAttr((*class).tp_base.cast(), descriptor.d_common.d_name);
        if inherited.is_null() {
            return inherited;
        }
        let answer = ffi::PyObject_Vectorcall(inherited, arguments, count, names);
        ffi::Py_DECREF(inherited);
        answer
    }
}
