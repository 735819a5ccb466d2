//! Heap types: the work of PyO3's `#[pyclass]`, with our own layout and slots.

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::error::Result;
use crate::interpreter::function::Table;
use crate::interpreter::{ObjectResult, make, owned};

/// The most slots that a class has.
const MOST_SLOTS: usize = 15;

/// The specification of a class.
pub struct Class<'a> {
    /// `module.name`.
    pub name: &'static CStr,
    /// The size of an instance in bytes, `PyObject_HEAD` included; 0 inherits the base's.
    pub size: usize,
    /// `Py_TPFLAGS_…` in addition to `Py_TPFLAGS_DEFAULT`.
    pub flags: std::ffi::c_ulong,
    /// The slots, without the terminating one.
    pub slots: &'a [ffi::PyType_Slot],
}

/// A table of members (`Py_tp_members`), with its terminating entry.
pub struct Members(&'static [ffi::PyMemberDef]);

// SAFETY: neither this library nor the interpreter writes to a table.
unsafe impl Sync for Members {}

impl Members {
    /// A table of these entries, the last of which must be [`END_OF_MEMBERS`].
    pub const fn new(entries: &'static [ffi::PyMemberDef]) -> Self {
        assert!(entries[entries.len() - 1].name.is_null());
        Members(entries)
    }

    /// A pointer to the first entry, of the type that the interpreter takes. It does not write through this pointer.
    pub const fn as_ptr(&self) -> *mut ffi::PyMemberDef {
        self.0.as_ptr().cast_mut()
    }
}

/// The entry that terminates a table of members.
pub const END_OF_MEMBERS: ffi::PyMemberDef =
    ffi::PyMemberDef { name: std::ptr::null(), type_code: 0, offset: 0, flags: 0, doc: std::ptr::null() };

/// A slot with a pointer to data or to a function.
pub const fn slot(number: c_int, value: *mut c_void) -> ffi::PyType_Slot {
    ffi::PyType_Slot { slot: number, pfunc: value }
}

impl Class<'_> {
    /// Creates the class in a module, with `base` or `object` as its base.
    ///
    /// # Safety
    ///
    /// Each slot's value has the type that its number requires, and is valid for the rest of the process. `size` is the size of the
    /// instances that the slots' functions expect.
    pub unsafe fn create<'py>(
        self,
        module: &Bound<'py, PyModule>,
        base: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyType>> {
        // SAFETY: the caller guarantees the values of the slots and the size; the module is valid.
        unsafe { self.create_in(module.py(), module.as_ptr(), base) }
    }

    /// Creates the class without a module.
    ///
    /// # Safety
    ///
    /// As for [`create`](Self::create).
    pub unsafe fn create_without_module<'py>(
        self,
        py: Python<'py>,
        base: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyType>> {
        // SAFETY: the caller guarantees the values of the slots and the size; the module may be null.
        unsafe { self.create_in(py, std::ptr::null_mut(), base) }
    }

    /// # Safety
    ///
    /// As for [`create`](Self::create); `module` is a module or null.
    unsafe fn create_in<'py>(
        self,
        py: Python<'py>,
        module: *mut ffi::PyObject,
        base: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyType>> {
        let mut slots = [ffi::PyType_Slot::default(); MOST_SLOTS + 1];
        slots[..self.slots.len()].copy_from_slice(self.slots);
        let mut spec = ffi::PyType_Spec {
            name: self.name.as_ptr(),
            basicsize: c_int::try_from(self.size).expect("an instance is small"),
            itemsize: 0,
            flags: c_uint::try_from(ffi::Py_TPFLAGS_DEFAULT | self.flags).expect("flags are 32 bits"),
            slots: slots.as_mut_ptr(),
        };
        let bases = match base {
            Some(base) => make::tuple(py, [base.clone()])?.into_any().into_ptr(),
            None => std::ptr::null_mut(),
        };
        // SAFETY: the specification is complete, and the interpreter copies it. The caller guarantees the values of the slots. `bases` is
        // null or an owned reference to a tuple, which is released here. The
        // module is valid or null.
        let class = unsafe {
            let class = ffi::PyType_FromModuleAndSpec(module, &raw mut spec, bases);
            ffi::Py_XDECREF(bases);
            owned(py, class)?
        };
        Ok(class.cast_into::<PyType>().map_err(PyErr::from)?)
    }
}

/// A new instance of a class. The allocator initialises the head, and fills the rest with zeros.
///
/// # Safety
///
/// The class is valid. Its instances are not used before what is behind the head is valid.
pub unsafe fn allocate<'py>(py: Python<'py>, class: *mut ffi::PyTypeObject) -> ObjectResult<'py> {
    // SAFETY: the caller guarantees that the class is valid; the result is an owned reference, or null with an exception set.
    unsafe { owned(py, (*class).tp_alloc.unwrap_or(ffi::PyType_GenericAlloc)(class, 0)) }
}

/// The slot `tp_dealloc` of a class that the collector does not know: drops an `Instance`, frees its memory, and releases its reference to
/// the class.
///
/// # Safety
///
/// The interpreter calls the slot with the thread attached, when the last reference is gone. The object is a valid `Instance`.
pub unsafe extern "C" fn dealloc<Instance>(object: *mut ffi::PyObject) {
    // SAFETY: the caller promises it. The head has nothing to drop, and the class is not used after its reference is released.
    unsafe {
        let class = ffi::Py_TYPE(object);
        ptr::drop_in_place(object.cast::<Instance>());
        if let Some(free) = (*class).tp_free {
            free(object.cast());
        }
        ffi::Py_DECREF(class.cast());
    }
}

/// The version tag of a class. Whenever an attribute of the class or of its bases is set, the interpreter gives it a new tag, or 0 until the
/// tag is needed. No other class has the same tag.
#[inline]
pub fn version(class: Borrowed<'_, '_, PyType>) -> u32 {
    // SAFETY: the class is valid and borrowed, and the field is aligned. The interpreter writes the field in one store.
    unsafe { AtomicU32::from_ptr(&raw mut (*class.as_type_ptr()).tp_version_tag).load(Ordering::Relaxed) }
}

/// Whether all instances of a class have the same methods: none can have attributes of its own, or looks attributes up in another way.
pub fn decides_alone(class: Borrowed<'_, '_, PyType>) -> bool {
    // SAFETY: the classes are valid, and their fields do not change once they are made.
    unsafe {
        let class = &*class.as_type_ptr();
        let (lookup, default) = (class.tp_getattro, ffi::PyBaseObject_Type.tp_getattro);
        class.tp_dictoffset == 0 && lookup.map(|lookup| lookup as usize) == default.map(|lookup| lookup as usize)
    }
}

/// A new class like one from a `class` statement. Its slots hold functions of the interpreter that the C API does not name.
pub fn made_in_python(py: Python<'_>) -> Result<Bound<'_, PyType>> {
    let class = py.get_type::<PyType>().call1((make::text(py, "class")?, make::tuple(py, [])?, make::dict(py)?))?;
    Ok(class.cast_into::<PyType>().map_err(PyErr::from)?)
}

/// Adds the methods of a table to a class. They are refused to objects that are no instances of `receivers`.
///
/// # Safety
///
/// `receivers` is a class, and the functions of the table take its instances as receiver.
pub unsafe fn add_methods(class: &Bound<'_, PyType>, receivers: *mut ffi::PyTypeObject, table: &Table) -> Result<()> {
    for entry in table.entries() {
        // SAFETY: the thread is attached, because `class` is bound. The entry is static, its functions take instances of `receivers`, as the
        // caller promises, and its name is a C string. The returned reference is new, or null with an exception set.
        let (method, name) = unsafe {
            let method = ffi::PyDescr_NewMethod(receivers, std::ptr::from_ref(entry).cast_mut());
            (owned(class.py(), method)?, CStr::from_ptr(entry.ml_name))
        };
        class.setattr(make::utf8(class.py(), name.to_bytes())?.cast::<PyString>().map_err(PyErr::from)?, method)?;
    }
    Ok(())
}

/// The value of a `Py_tp_init` slot: `initialiser!(body)`, where `body` takes the receiver, the tuple of positional arguments and the dict
/// of keyword arguments, if there is one.
macro_rules! initialiser {
    ($body:path) => {{
        #[inline(never)]
        unsafe extern "C" fn plain(
            object: *mut pyo3::ffi::PyObject,
            arguments: *mut pyo3::ffi::PyObject,
            keywords: *mut pyo3::ffi::PyObject,
        ) -> std::ffi::c_int {
            use pyo3::Borrowed;
            use pyo3::types::{PyDict, PyTuple};

            // SAFETY: the interpreter calls this with the thread attached, with an instance of the class, a tuple, and a dict or null.
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
        unsafe extern "C" fn init(
            object: *mut pyo3::ffi::PyObject,
            arguments: *mut pyo3::ffi::PyObject,
            keywords: *mut pyo3::ffi::PyObject,
        ) -> std::ffi::c_int {
            // SAFETY: both functions take what the interpreter passes.
            unsafe {
                if !$crate::interpreter::function::can_enter() {
                    return -1;
                }
                if $crate::interpreter::watch::is_watched() {
                    return $crate::interpreter::observe::initialiser(object, arguments, keywords, plain);
                }
                plain(object, arguments, keywords)
            }
        }
        init as *mut std::ffi::c_void
    }};
}
pub(crate) use initialiser;
