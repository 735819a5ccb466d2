//! Making the classes: what PyO3's `#[pyclass]` does, with the layout and the slots in our hands.

use std::ffi::{CStr, c_int, c_uint, c_void};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::error::Result;
use crate::interpreter::{make, owned};

/// What a class is made of.
pub struct Class {
    /// `module.name`.
    pub name: &'static CStr,
    /// The size of an instance in bytes, its head included; 0 takes the base's.
    pub size: usize,
    /// `Py_TPFLAGS_…` beside `DEFAULT`.
    pub flags: std::ffi::c_ulong,
    /// The slots, without the one that ends them.
    pub slots: Vec<ffi::PyType_Slot>,
}

/// A table of members, ended as the interpreter wants it.
pub struct Members(&'static [ffi::PyMemberDef]);

// SAFETY: a table is never written to, neither here nor by the interpreter.
unsafe impl Sync for Members {}

impl Members {
    /// A table of these entries, the last of which must be [`END_OF_MEMBERS`].
    pub const fn new(entries: &'static [ffi::PyMemberDef]) -> Self {
        assert!(entries[entries.len() - 1].name.is_null());
        Members(entries)
    }

    /// The first entry, as the interpreter takes it. It does not write through this pointer.
    pub const fn as_ptr(&self) -> *mut ffi::PyMemberDef {
        self.0.as_ptr().cast_mut()
    }
}

/// What ends a table of members.
pub const END_OF_MEMBERS: ffi::PyMemberDef =
    ffi::PyMemberDef { name: std::ptr::null(), type_code: 0, offset: 0, flags: 0, doc: std::ptr::null() };

/// A slot that holds a pointer to data or a function.
pub const fn slot(number: c_int, value: *mut c_void) -> ffi::PyType_Slot {
    ffi::PyType_Slot { slot: number, pfunc: value }
}

impl Class {
    /// Makes the class.
    ///
    /// # Safety
    ///
    /// The slots hold what their numbers say, all of it lives for ever, and `size` is that of the instances they deal with.
    pub unsafe fn create<'py>(
        mut self,
        module: &Bound<'py, PyModule>,
        base: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyType>> {
        let py = module.py();
        self.slots.push(ffi::PyType_Slot::default());
        let mut spec = ffi::PyType_Spec {
            name: self.name.as_ptr(),
            basicsize: c_int::try_from(self.size).expect("an instance is small"),
            itemsize: 0,
            flags: c_uint::try_from(ffi::Py_TPFLAGS_DEFAULT | self.flags).expect("flags are 32 bits"),
            slots: self.slots.as_mut_ptr(),
        };
        let bases = match base {
            Some(base) => make::tuple(py, [base.clone()])?.into_any().into_ptr(),
            None => std::ptr::null_mut(),
        };
        // SAFETY: the specification is complete and, with what the slots point to, as the caller promises; the interpreter copies it.
        let class = unsafe {
            let class = ffi::PyType_FromModuleAndSpec(module.as_ptr(), &raw mut spec, bases);
            ffi::Py_XDECREF(bases);
            owned(py, class)?
        };
        Ok(class.cast_into::<PyType>().map_err(PyErr::from)?)
    }
}

/// A class as Python code makes it, for what the interpreter puts into the slots of all of these and tells nobody.
pub fn made_in_python(py: Python<'_>) -> Result<Bound<'_, PyType>> {
    let class = py.get_type::<PyType>().call1((make::text(py, "class")?, make::tuple(py, [])?, make::dict(py)?))?;
    Ok(class.cast_into::<PyType>().map_err(PyErr::from)?)
}

/// The value of a `Py_tp_init` slot: `initialiser!(body)`, where `body` takes the receiver, the tuple of arguments and the dict of keywords.
macro_rules! initialiser {
    ($body:path) => {{
        unsafe extern "C" fn init(
            object: *mut pyo3::ffi::PyObject,
            arguments: *mut pyo3::ffi::PyObject,
            keywords: *mut pyo3::ffi::PyObject,
        ) -> std::ffi::c_int {
            use pyo3::Borrowed;
            use pyo3::types::{PyDict, PyTuple};

            // SAFETY: the interpreter calls this attached, with an instance of the class, a tuple, and a dict or null.
            unsafe {
                $crate::interpreter::function::enter_status(|py| {
                    let arguments = Borrowed::from_ptr(py, arguments);
                    let keywords = Borrowed::from_ptr_or_opt(py, keywords);
                    $body(
                        $crate::interpreter::function::Receiver::from_interpreter(py, object),
                        &arguments.cast_unchecked::<PyTuple>(),
                        keywords.map(|keywords| keywords.cast_unchecked::<PyDict>()).as_deref(),
                    )
                })
            }
        }
        init as *mut std::ffi::c_void
    }};
}
pub(crate) use initialiser;
