//! Copies of inherited methods in a subclass, for speed.
//!
//! The interpreter's specialised instructions call a method's C function directly, but only if the object's class is exactly the class that
//! the method descriptor belongs to. Instances of a subclass never get this fast path. So the subclass gets descriptors of its own for the
//! methods that are called most often. A call with wrong arguments is passed to the inherited method, which raises its own error message.

use std::ffi::c_int;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::error::{Error, Result};
use crate::interpreter::{make, owned};

/// Gives `class` a descriptor of its own for an inherited method, which [`functions!`](super::function::functions) must have made.
pub fn redefine(class: &Bound<'_, PyType>, name: &str) -> Result<()> {
    let attribute = make::text(class.py(), name)?.cast_into::<PyString>().map_err(PyErr::from)?;
    let inherited = class.getattr(&attribute)?;
    // SAFETY: the class of `inherited`, which is checked, says that it is a `PyMethodDescrObject`. Its `PyMethodDef` is static, as in every
    // table of this library. No other code has seen the new descriptor yet, so that its field may be written to.
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

/// The vectorcall function of the new descriptors: the interpreter calls it if it does not call the C function directly, for example for
/// instances of a further subclass, and for wrong arguments.
unsafe extern "C" fn call(
    method: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls this with the thread attached, with a descriptor made in `redefine`, as many arguments as `count` says
    // without its flag, and after them one for each item of `names`, a tuple or null. A function has the type that its flags say.
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
