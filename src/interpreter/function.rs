//! Rust functions as Python callables: one wrapper for each of the interpreter's calling conventions.
//!
//! The conventions are the interpreter's own (`METH_NOARGS`, `METH_O`, `METH_FASTCALL`, `METH_FASTCALL | METH_KEYWORDS`), chosen as
//! CPython's `_socket` chooses them, so that a wrong number of arguments or a keyword is refused with the same words.

use std::any::Any;
use std::ffi::CStr;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Once;
use std::thread;

use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;

use super::ObjectResult;
use crate::error::{Error, Result, raise};

/// What a method gets as its first argument: the socket, the module, or nothing.
pub trait Receiver<'a, 'py>: Sized {
    /// Makes it of the pointer the interpreter passes.
    ///
    /// # Safety
    ///
    /// The thread is attached, and `pointer` is borrowed for `'a` and of the type the table this belongs to was made for.
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self;
}

impl<'py> Receiver<'_, 'py> for Python<'py> {
    unsafe fn from_interpreter(py: Python<'py>, _module: *mut ffi::PyObject) -> Self {
        py
    }
}

/// Runs `body` for the interpreter: an error becomes the current exception and a null pointer, and a panic stops here.
///
/// # Safety
///
/// The thread is attached.
#[inline(always)]
pub unsafe fn enter<'py>(body: impl FnOnce(Python<'py>) -> ObjectResult<'py>) -> *mut ffi::PyObject {
    // SAFETY: the caller is the interpreter, which calls only attached threads.
    let py = unsafe { Python::assume_attached() };
    match catch_unwind(AssertUnwindSafe(|| body(py))) {
        Ok(Ok(value)) => value.into_ptr(),
        failed => {
            raise_failure(py, failed);
            ptr::null_mut()
        }
    }
}

/// Like [`enter`], for slots that answer 0 or -1.
///
/// # Safety
///
/// The thread is attached.
#[inline(always)]
pub unsafe fn enter_status(body: impl FnOnce(Python<'_>) -> Result<()>) -> std::ffi::c_int {
    // SAFETY: as in `enter`.
    let py = unsafe { Python::assume_attached() };
    match catch_unwind(AssertUnwindSafe(|| body(py))) {
        Ok(Ok(())) => 0,
        failed => {
            raise_failure(py, failed);
            -1
        }
    }
}

/// Like [`enter`], for slots that answer nothing, such as a finalizer: an exception that is on its way is put aside meanwhile, and what
/// `body` fails with is told to `sys.unraisablehook`.
///
/// # Safety
///
/// The thread is attached.
pub unsafe fn enter_aside(body: impl FnOnce(Python<'_>) -> Result<()>) {
    // SAFETY: as in `enter`.
    let py = unsafe { Python::assume_attached() };
    let aside = PutAside::take(py);
    let failed = catch_unwind(AssertUnwindSafe(|| body(py)));
    if !matches!(failed, Ok(Ok(()))) {
        raise_failure(py, failed);
        // SAFETY: attached, with an exception set; null stands for no object to tell of.
        unsafe { ffi::PyErr_WriteUnraisable(ptr::null_mut()) };
    }
    drop(aside);
}

/// Like [`enter`], for PyO3, which calls what fills a module.
pub fn enter_module(py: Python<'_>, body: impl FnOnce() -> Result<()>) -> PyResult<()> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => Ok(()),
        failed => {
            raise_failure(py, failed);
            Err(PyErr::fetch(py))
        }
    }
}

/// Makes what went wrong the interpreter's current exception. To do so can itself go wrong: all of it ends here.
#[cold]
#[inline(never)]
fn raise_failure<T>(py: Python<'_>, failed: thread::Result<Result<T>>) {
    let raised = failed.and_then(|failed| {
        catch_unwind(AssertUnwindSafe(|| {
            if let Err(error) = failed {
                error.raise(py);
            }
        }))
    });
    if let Err(panic) = raised
        && catch_unwind(AssertUnwindSafe(|| raise_panic(py, &*panic))).is_err()
    {
        raise::no_memory(py);
    }
}

fn raise_panic(py: Python<'_>, panic: &(dyn Any + Send)) {
    if is_no_memory(panic) {
        return raise::no_memory(py);
    }
    PanicException::new_err((text_of(panic).to_owned(),)).restore(py);
    raise::release_deferred();
}

/// Whether a panic is PyO3's for want of the interpreter's memory. It panics where the interpreter made no object, having printed the
/// exception behind it: there is no other reason why a string or a number cannot be made. And it unwraps errors, which names their class.
fn is_no_memory(panic: &(dyn Any + Send)) -> bool {
    let text = text_of(panic);
    text == "PyObject pointer is null" || text.contains("<class 'MemoryError'>")
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "panic from Rust code",
    }
}

/// Has at hand what raising needs, and keeps quiet about a panic that becomes a `MemoryError`.
pub fn prepare(py: Python<'_>) -> Result<()> {
    static ONCE: Once = Once::new();
    make_panic_exception(py)?;
    // The hook is this library's, as all of Rust in it is: others have theirs.
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |information| {
            if !is_no_memory(information.payload()) {
                tell(information);
            }
        }));
    });
    Ok(())
}

/// PyO3 looks whether an exception is a `PanicException` whenever it takes one from the interpreter, and makes that class when it first
/// does. Where there is no memory for it then, it takes the exception that says so, and waits for itself for ever. So it is made in
/// good time, in memory that was there the moment before.
fn make_panic_exception(py: Python<'_>) -> Result<()> {
    const ENOUGH: usize = 64 * 1024;
    // SAFETY: attached; what was allocated is freed, once.
    unsafe {
        let reserve = ffi::PyMem_Malloc(ENOUGH);
        if reserve.is_null() {
            return Err(Error::NoMemory);
        }
        ffi::PyMem_Free(reserve);
    }
    py.get_type::<PanicException>();
    Ok(())
}

/// The interpreter's current exception, put aside till this is dropped. An exception that is set meanwhile gives way to it.
struct PutAside<'py> {
    #[cfg(Py_3_12)]
    exception: *mut ffi::PyObject,
    #[cfg(not(Py_3_12))]
    exception: [*mut ffi::PyObject; 3],
    _attached: Python<'py>,
}

impl<'py> PutAside<'py> {
    #[cfg(Py_3_12)]
    fn take(py: Python<'py>) -> Self {
        // SAFETY: attached; null, or a reference that is ours.
        PutAside { exception: unsafe { ffi::PyErr_GetRaisedException() }, _attached: py }
    }

    #[cfg(not(Py_3_12))]
    fn take(py: Python<'py>) -> Self {
        let mut exception = [ptr::null_mut(); 3];
        let [class, value, traceback] = &mut exception;
        // SAFETY: attached; each is null, or a reference that is ours.
        unsafe { ffi::PyErr_Fetch(class, value, traceback) };
        PutAside { exception, _attached: py }
    }
}

impl Drop for PutAside<'_> {
    fn drop(&mut self) {
        // SAFETY: attached; what was taken is given back once, and nothing but null where there was nothing.
        unsafe {
            #[cfg(Py_3_12)]
            ffi::PyErr_SetRaisedException(self.exception);
            #[cfg(not(Py_3_12))]
            {
                let [class, value, traceback] = self.exception;
                ffi::PyErr_Restore(class, value, traceback);
            }
        }
    }
}

/// Refuses keywords.
#[cold]
pub fn no_keywords(name: &CStr) -> Error {
    Error::type_error(format_args!("{}() takes no keyword arguments", name.to_string_lossy()))
}

/// A table of functions, ended as the interpreter wants it.
pub struct Table(&'static [ffi::PyMethodDef]);

// SAFETY: a table is never written to, neither here nor by the interpreter.
unsafe impl Sync for Table {}

impl Table {
    /// A table of these entries, the last of which must be [`END`].
    pub const fn new(entries: &'static [ffi::PyMethodDef]) -> Self {
        assert!(entries[entries.len() - 1].ml_name.is_null());
        Table(entries)
    }

    /// The entries, without the one that ends them.
    pub fn entries(&self) -> &'static [ffi::PyMethodDef] {
        self.0.split_last().map_or(&[], |(_end, entries)| entries)
    }

    /// The first entry, as the interpreter takes it. It does not write through this pointer.
    pub const fn as_ptr(&self) -> *mut ffi::PyMethodDef {
        self.0.as_ptr().cast_mut()
    }
}

/// What ends a table.
pub const END: ffi::PyMethodDef = ffi::PyMethodDef::zeroed();

/// One entry of a table.
pub const fn entry(
    name: &'static CStr,
    function: ffi::PyMethodDefPointer,
    flags: std::ffi::c_int,
    doc: &'static CStr,
) -> ffi::PyMethodDef {
    ffi::PyMethodDef { ml_name: name.as_ptr(), ml_meth: function, ml_flags: flags, ml_doc: doc.as_ptr() }
}

/// A table of attributes, ended as the interpreter wants it.
pub struct Attributes(&'static [ffi::PyGetSetDef]);

// SAFETY: a table is never written to, neither here nor by the interpreter.
unsafe impl Sync for Attributes {}

impl Attributes {
    /// A table of these entries, the last of which must be [`END_OF_ATTRIBUTES`].
    pub const fn new(entries: &'static [ffi::PyGetSetDef]) -> Self {
        assert!(entries[entries.len() - 1].name.is_null());
        Attributes(entries)
    }

    /// The first entry, as the interpreter takes it. It does not write through this pointer.
    pub const fn as_ptr(&self) -> *mut ffi::PyGetSetDef {
        self.0.as_ptr().cast_mut()
    }
}

/// What ends a table of attributes.
pub const END_OF_ATTRIBUTES: ffi::PyGetSetDef = attribute(None, None, None, None);

/// One entry of a table of attributes.
pub const fn attribute(
    name: Option<&'static CStr>,
    get: Option<ffi::getter>,
    set: Option<ffi::setter>,
    doc: Option<&'static CStr>,
) -> ffi::PyGetSetDef {
    ffi::PyGetSetDef {
        name: match name {
            Some(name) => name.as_ptr(),
            None => ptr::null(),
        },
        get,
        set,
        doc: match doc {
            Some(doc) => doc.as_ptr(),
            None => ptr::null(),
        },
        closure: ptr::null_mut(),
    }
}

/// A table of [`Attributes`]: `read name => get, doc;` or `write name => get, set, doc;` for each.
macro_rules! attributes {
    ($($kind:ident $name:literal => $get:path $(, set = $set:path)?, $doc:literal;)*) => {
        $crate::interpreter::function::Attributes::new(&[
            $($crate::attribute_entry!($kind $name, $get, $($set,)? $doc),)*
            $crate::interpreter::function::END_OF_ATTRIBUTES,
        ])
    };
}
pub(crate) use attributes;

/// One entry of [`attributes!`].
macro_rules! attribute_entry {
    (read $name:literal, $get:path, $doc:literal) => {
        $crate::interpreter::function::attribute(
            Some($name),
            Some($crate::attribute_entry!(@getter $get)),
            None,
            Some($doc),
        )
    };
    (write $name:literal, $get:path, $set:path, $doc:literal) => {{
        unsafe extern "C" fn setter(
            receiver: *mut pyo3::ffi::PyObject,
            value: *mut pyo3::ffi::PyObject,
            _: *mut std::ffi::c_void,
        ) -> std::ffi::c_int {
            // SAFETY: the interpreter calls this attached, with an instance of the class; the value is null to delete.
            unsafe {
                $crate::interpreter::function::enter_status(|py| {
                    let value = pyo3::Borrowed::from_ptr_or_opt(py, value)
                        .ok_or_else(|| $crate::error::Error::type_error("this attribute cannot be deleted"))?;
                    $set($crate::interpreter::function::Receiver::from_interpreter(py, receiver), &value)
                })
            }
        }
        $crate::interpreter::function::attribute(
            Some($name),
            Some($crate::attribute_entry!(@getter $get)),
            Some(setter),
            Some($doc),
        )
    }};
    (@getter $get:path) => {{
        unsafe extern "C" fn getter(
            receiver: *mut pyo3::ffi::PyObject,
            _: *mut std::ffi::c_void,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: the interpreter calls this attached, with an instance of the class.
            unsafe {
                $crate::interpreter::function::enter(|py| {
                    $get($crate::interpreter::function::Receiver::from_interpreter(py, receiver))
                })
            }
        }
        getter
    }};
}
pub(crate) use attribute_entry;

/// A [`Table`] of functions: `convention name => body, doc;` for each.
///
/// | convention | body takes |
/// | --- | --- |
/// | `noargs` | the receiver |
/// | `static_noargs` | the receiver, which is `Python` |
/// | `object` | the receiver and one object |
/// | `only` | the receiver and [`Only`](super::clinic::Only) |
/// | `function` | as `positional`, for a function of the module |
/// | `positional` | the receiver and [`Arguments`](super::arguments::Arguments) |
/// | `keywords` | the receiver and [`Keywords`](super::arguments::Keywords) |
macro_rules! functions {
    ($($convention:ident $name:literal => $body:path, $doc:expr;)*) => {
        $crate::interpreter::function::Table::new(&[
            $($crate::function_entry!($convention $name, $body, $doc),)*
            $crate::interpreter::function::END,
        ])
    };
}
pub(crate) use functions;

/// An entry of [`functions!`] whose body takes an [`Only`](super::clinic::Only).
#[cfg(Py_3_13)]
macro_rules! only_entry {
    ($name:literal, $body:path, $doc:expr) => { $crate::function_entry!(object $name, $body, $doc) };
}

/// An entry of [`functions!`] whose body takes an [`Only`](super::clinic::Only).
#[cfg(not(Py_3_13))]
macro_rules! only_entry {
    ($name:literal, $body:path, $doc:expr) => { $crate::function_entry!(function $name, $body, $doc) };
}
pub(crate) use only_entry;

/// One entry of [`functions!`]: the wrapper, specialised for its body, and its flags.
macro_rules! function_entry {
    (only $name:literal, $body:path, $doc:expr) => {
        $crate::only_entry!($name, $body, $doc)
    };
    (noargs $name:literal, $body:path, $doc:expr) => {
        $crate::function_entry!(@unary $name, $body, $doc, pyo3::ffi::METH_NOARGS)
    };
    (static_noargs $name:literal, $body:path, $doc:expr) => {
        $crate::function_entry!(@unary $name, $body, $doc, pyo3::ffi::METH_NOARGS | pyo3::ffi::METH_STATIC)
    };
    (@unary $name:literal, $body:path, $doc:expr, $flags:expr) => {{
        unsafe extern "C" fn wrapper(
            receiver: *mut pyo3::ffi::PyObject,
            _: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: the interpreter calls this attached, with the receiver its table was made for.
            unsafe {
                $crate::interpreter::function::enter(|py| {
                    $body($crate::interpreter::function::Receiver::from_interpreter(py, receiver))
                })
            }
        }
        $crate::interpreter::function::entry(
            $name,
            pyo3::ffi::PyMethodDefPointer { PyCFunction: wrapper },
            $flags,
            $doc,
        )
    }};
    (object $name:literal, $body:path, $doc:expr) => {{
        unsafe extern "C" fn wrapper(
            receiver: *mut pyo3::ffi::PyObject,
            argument: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: as above; METH_O passes one object, borrowed for the call.
            unsafe {
                $crate::interpreter::function::enter(|py| {
                    $body(
                        $crate::interpreter::function::Receiver::from_interpreter(py, receiver),
                        &pyo3::Borrowed::from_ptr(py, argument),
                    )
                })
            }
        }
        $crate::interpreter::function::entry(
            $name,
            pyo3::ffi::PyMethodDefPointer { PyCFunction: wrapper },
            pyo3::ffi::METH_O,
            $doc,
        )
    }};
    // CPython has these as METH_VARARGS, whose refusal of keywords names the function without its module.
    (function $name:literal, $body:path, $doc:expr) => {{
        unsafe extern "C" fn wrapper(
            receiver: *mut pyo3::ffi::PyObject,
            arguments: *const *mut pyo3::ffi::PyObject,
            count: pyo3::ffi::Py_ssize_t,
            names: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: as below; `names` is a tuple or null.
            unsafe {
                $crate::interpreter::function::enter(|py| {
                    if !names.is_null() && pyo3::ffi::PyTuple_GET_SIZE(names) > 0 {
                        return Err($crate::interpreter::function::no_keywords($name));
                    }
                    $body(
                        $crate::interpreter::function::Receiver::from_interpreter(py, receiver),
                        $crate::interpreter::arguments::Arguments::from_interpreter(py, arguments, count),
                    )
                })
            }
        }
        $crate::interpreter::function::entry(
            $name,
            pyo3::ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: wrapper },
            pyo3::ffi::METH_FASTCALL | pyo3::ffi::METH_KEYWORDS,
            $doc,
        )
    }};
    (positional $name:literal, $body:path, $doc:expr) => {{
        unsafe extern "C" fn wrapper(
            receiver: *mut pyo3::ffi::PyObject,
            arguments: *mut *mut pyo3::ffi::PyObject,
            count: pyo3::ffi::Py_ssize_t,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: as above; METH_FASTCALL passes `count` objects, borrowed for the call.
            unsafe {
                $crate::interpreter::function::enter(|py| {
                    $body(
                        $crate::interpreter::function::Receiver::from_interpreter(py, receiver),
                        $crate::interpreter::arguments::Arguments::from_interpreter(py, arguments, count),
                    )
                })
            }
        }
        $crate::interpreter::function::entry(
            $name,
            pyo3::ffi::PyMethodDefPointer { PyCFunctionFast: wrapper },
            pyo3::ffi::METH_FASTCALL,
            $doc,
        )
    }};
    (keywords $name:literal, $body:path, $doc:expr) => {{
        unsafe extern "C" fn wrapper(
            receiver: *mut pyo3::ffi::PyObject,
            arguments: *const *mut pyo3::ffi::PyObject,
            count: pyo3::ffi::Py_ssize_t,
            names: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: as above; with METH_KEYWORDS the values of `names`, a tuple or null, follow the `count` objects.
            unsafe {
                $crate::interpreter::function::enter(|py| {
                    $body(
                        $crate::interpreter::function::Receiver::from_interpreter(py, receiver),
                        $crate::interpreter::arguments::Keywords::from_interpreter(py, arguments, count, names),
                    )
                })
            }
        }
        $crate::interpreter::function::entry(
            $name,
            pyo3::ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: wrapper },
            pyo3::ffi::METH_FASTCALL | pyo3::ffi::METH_KEYWORDS,
            $doc,
        )
    }};
}
pub(crate) use function_entry;

#[cfg(test)]
mod tests {
    use super::*;

    fn caught(panicking: impl FnOnce()) -> Box<dyn Any + Send> {
        catch_unwind(AssertUnwindSafe(panicking)).unwrap_err()
    }

    #[test]
    #[cfg_attr(miri, ignore = "needs the interpreter")]
    fn a_panic_for_want_of_memory_is_known() {
        Python::initialize();
        // SAFETY: null is what is asked about.
        let no_object =
            Python::attach(|py| caught(|| drop(unsafe { Bound::<PyAny>::from_owned_ptr(py, ptr::null_mut()) })));
        assert!(is_no_memory(&*no_object), "PyO3 panics in other words");
        let unwrapped = Python::attach(|py| {
            raise::no_memory(py);
            let failed: PyResult<()> = PyErr::take(py).map_or(Ok(()), Err);
            caught(|| failed.unwrap())
        });
        assert!(is_no_memory(&*unwrapped), "PyErr is shown in other words");
        assert!(!is_no_memory(&*caught(|| panic!("of another kind"))));
    }
}
