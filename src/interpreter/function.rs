//! Rust functions as Python callables: one wrapper for each calling convention of the interpreter.
//!
//! Each function has the convention (`METH_NOARGS`, `METH_O`, `METH_FASTCALL`, `METH_FASTCALL | METH_KEYWORDS`) that gives the same
//! error message as CPython's `_socket` for a wrong number of arguments or an unexpected keyword.

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
use super::saved_exception::SavedException;
use crate::error::{Error, Result, raise};
use crate::sys::thread_block;

/// The first argument of a function's body: the socket, or only the `Python` token.
pub trait Receiver<'a, 'py>: Sized {
    /// Makes the receiver from the pointer that the interpreter passes.
    ///
    /// # Safety
    ///
    /// `pointer` is a reference that is borrowed for `'a`, to an object of the class (or the module) that the function's table belongs to.
    unsafe fn from_interpreter(py: Python<'py>, pointer: *mut ffi::PyObject) -> Self;
}

impl<'py> Receiver<'_, 'py> for Python<'py> {
    unsafe fn from_interpreter(py: Python<'py>, _module: *mut ffi::PyObject) -> Self {
        py
    }
}

/// Whether this thread has the memory that a call needs from it: see [`thread_block`]. If not, a `MemoryError` is raised.
///
/// A call from the interpreter asks this in one function, and runs in another, which must not be inlined: the compiler may look for a
/// thread's data before they are used, anywhere in a function.
///
/// # Safety
///
/// The thread is attached.
#[inline(always)]
pub unsafe fn can_enter() -> bool {
    // SAFETY: the caller guarantees that the thread is attached.
    let py = unsafe { Python::assume_attached() };
    let can = thread_block::is_there();
    if !can {
        raise::no_memory(py);
    }
    can
}

/// Runs `body` in a call from the interpreter, in a thread that [`can_enter`]. An error, or a panic, becomes the current exception, and the
/// result is null.
///
/// # Safety
///
/// The thread is attached.
#[inline(always)]
pub unsafe fn enter<'py>(body: impl FnOnce(Python<'py>) -> ObjectResult<'py>) -> *mut ffi::PyObject {
    // SAFETY: the caller guarantees that the thread is attached.
    let py = unsafe { Python::assume_attached() };
    match catch_unwind(AssertUnwindSafe(|| body(py))) {
        Ok(Ok(value)) => value.into_ptr(),
        failed => {
            raise_failure(py, failed);
            ptr::null_mut()
        }
    }
}

/// [`can_enter`] and [`enter`], for a slot.
///
/// # Safety
///
/// The thread is attached.
#[inline(always)]
pub unsafe fn enter_slot<'py>(body: impl FnOnce(Python<'py>) -> ObjectResult<'py>) -> *mut ffi::PyObject {
    #[inline(never)]
    unsafe fn run<'py>(body: impl FnOnce(Python<'py>) -> ObjectResult<'py>) -> *mut ffi::PyObject {
        // SAFETY: the caller guarantees that the thread is attached.
        unsafe { enter(body) }
    }
    // SAFETY: the caller guarantees that the thread is attached.
    unsafe { if can_enter() { run(body) } else { ptr::null_mut() } }
}

/// Like [`enter`], for slots that return 0 or -1.
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

/// [`can_enter`] and [`enter_status`], for a slot.
///
/// # Safety
///
/// The thread is attached.
#[inline(always)]
pub unsafe fn enter_status_slot(body: impl FnOnce(Python<'_>) -> Result<()>) -> std::ffi::c_int {
    #[inline(never)]
    unsafe fn run(body: impl FnOnce(Python<'_>) -> Result<()>) -> std::ffi::c_int {
        // SAFETY: the caller guarantees that the thread is attached.
        unsafe { enter_status(body) }
    }
    // SAFETY: the caller guarantees that the thread is attached.
    unsafe { if can_enter() { run(body) } else { -1 } }
}

/// Like [`enter`], for slots that return nothing, such as a finalizer. The current exception is saved and restored; an error of `body` is
/// reported to `sys.unraisablehook`. Returns whether `body` has run: not if there is no memory for what a thread needs for it.
///
/// # Safety
///
/// The thread is attached.
pub unsafe fn enter_aside(body: impl FnOnce(Python<'_>) -> Result<()>) -> bool {
    let is_there = thread_block::is_there();
    if is_there {
        // SAFETY: the caller guarantees that the thread is attached.
        unsafe { run_aside(body) };
    }
    is_there
}

/// # Safety
///
/// The thread is attached.
#[inline(never)]
unsafe fn run_aside(body: impl FnOnce(Python<'_>) -> Result<()>) {
    // SAFETY: as in `enter`.
    let py = unsafe { Python::assume_attached() };
    let saved = SavedException::take(py);
    let failed = catch_unwind(AssertUnwindSafe(|| body(py)));
    if !matches!(failed, Ok(Ok(()))) {
        raise_failure(py, failed);
        // SAFETY: the thread is attached, and an exception is set. Null means that the report names no object.
        unsafe { ffi::PyErr_WriteUnraisable(ptr::null_mut()) };
    }
    drop(saved);
}

/// Like [`enter`], for a function that fills a module and is called by PyO3.
pub fn enter_module(py: Python<'_>, body: impl FnOnce() -> Result<()>) -> PyResult<()> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => Ok(()),
        failed => {
            raise_failure(py, failed);
            Err(PyErr::fetch(py))
        }
    }
}

/// Makes an error or a panic the interpreter's current exception. This can itself panic: no panic leaves this function.
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

/// Whether PyO3 panicked because the interpreter had no memory. PyO3 prints the exception and panics if the interpreter returns null for a
/// new object; for a string or a number, no memory is the only reason. It also unwraps errors, and then the message names their class.
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

/// Makes what is needed to raise an exception, and installs a panic hook that does not print a panic that becomes a `MemoryError`.
pub fn prepare(py: Python<'_>) -> Result<()> {
    static ONCE: Once = Once::new();
    make_panic_exception(py)?;
    // The hook is only this library's: another Rust extension has a standard library, and a hook, of its own.
    ONCE.call_once(|| {
        let default_hook = panic::take_hook();
        panic::set_hook(Box::new(move |information| {
            if !is_no_memory(information.payload()) {
                default_hook(information);
            }
        }));
    });
    Ok(())
}

/// Makes PyO3's class `PanicException` early, after a check that there is memory for it.
///
/// PyO3 makes the class the first time that it fetches an exception, in order to compare the two. If there is no memory for the class, PyO3
/// fetches the `MemoryError` while it makes the class, and deadlocks.
fn make_panic_exception(py: Python<'_>) -> Result<()> {
    const RESERVE: usize = 64 * 1024;
    // SAFETY: the thread is attached, because `py` exists. The memory is freed once.
    unsafe {
        let reserve = ffi::PyMem_Malloc(RESERVE);
        if reserve.is_null() {
            return Err(Error::NoMemory);
        }
        ffi::PyMem_Free(reserve);
    }
    py.get_type::<PanicException>();
    Ok(())
}

/// The `TypeError` for keyword arguments that a function does not take.
#[cold]
pub fn no_keywords(name: &CStr) -> Error {
    Error::type_error(format_args!("{}() takes no keyword arguments", name.to_string_lossy()))
}

/// A table of functions (`PyMethodDef`), with its terminating entry.
pub struct Table(&'static [ffi::PyMethodDef]);

// SAFETY: neither this library nor the interpreter writes to a table.
unsafe impl Sync for Table {}

impl Table {
    /// A table of these entries, the last of which must be [`END`].
    pub const fn new(entries: &'static [ffi::PyMethodDef]) -> Self {
        assert!(entries[entries.len() - 1].ml_name.is_null());
        Table(entries)
    }

    /// The entries, without the terminating one.
    pub fn entries(&self) -> &'static [ffi::PyMethodDef] {
        self.0.split_last().map_or(&[], |(_end, entries)| entries)
    }

    /// A pointer to the first entry, of the type that the interpreter takes. It does not write through this pointer.
    pub const fn as_ptr(&self) -> *mut ffi::PyMethodDef {
        self.0.as_ptr().cast_mut()
    }
}

/// The entry that terminates a table.
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

/// A table of attributes (`PyGetSetDef`), with its terminating entry.
pub struct Attributes(&'static [ffi::PyGetSetDef]);

// SAFETY: neither this library nor the interpreter writes to a table.
unsafe impl Sync for Attributes {}

impl Attributes {
    /// A table of these entries, the last of which must be [`END_OF_ATTRIBUTES`].
    pub const fn new(entries: &'static [ffi::PyGetSetDef]) -> Self {
        assert!(entries[entries.len() - 1].name.is_null());
        Attributes(entries)
    }

    /// A pointer to the first entry, of the type that the interpreter takes. It does not write through this pointer.
    pub const fn as_ptr(&self) -> *mut ffi::PyGetSetDef {
        self.0.as_ptr().cast_mut()
    }
}

/// The entry that terminates a table of attributes.
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

/// A table of [`Attributes`]: `read name => get, doc;` or `write name => get, set = set, doc;` for each.
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
            // SAFETY: the interpreter calls this with the thread attached, with an instance of the class; the value is null to delete the
            // attribute.
            unsafe {
                $crate::interpreter::function::enter_status_slot(|py| {
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
            // SAFETY: the interpreter calls this with the thread attached, with an instance of the class.
            unsafe {
                $crate::interpreter::function::enter_slot(|py| {
                    $get($crate::interpreter::function::Receiver::from_interpreter(py, receiver))
                })
            }
        }
        getter
    }};
}
pub(crate) use attribute_entry;

/// A [`Table`] of functions: `convention name => body, doc;` for each, behind a `#[cfg]` where not all systems have it.
///
/// | convention | the body takes |
/// | --- | --- |
/// | `noargs` | the receiver |
/// | `static_noargs` | the receiver, which is `Python` |
/// | `object` | the receiver and one object |
/// | `only` | the receiver and [`Only`](super::clinic::Only) |
/// | `function` | as `positional`, for a function of the module |
/// | `positional` | the receiver and [`Arguments`](super::arguments::Arguments) |
/// | `keywords` | the receiver and [`Keywords`](super::arguments::Keywords) |
macro_rules! functions {
    ($($(#[$when:meta])* $convention:ident $name:literal => $body:path, $doc:expr;)*) => {
        $crate::interpreter::function::Table::new(&[
            $($(#[$when])* $crate::function_entry!($convention $name, $body, $doc),)*
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
        #[inline(never)]
        unsafe extern "C" fn plain(
            receiver: *mut pyo3::ffi::PyObject,
            _: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: the interpreter calls this with the thread attached, with a receiver of the class (or module) that the table belongs
            // to.
            unsafe {
                $crate::interpreter::function::enter(|py| {
                    $body($crate::interpreter::function::Receiver::from_interpreter(py, receiver))
                })
            }
        }
        unsafe extern "C" fn wrapper(
            receiver: *mut pyo3::ffi::PyObject,
            unused: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: both functions take what the interpreter passes.
            unsafe {
                if !$crate::interpreter::function::can_enter() {
                    return std::ptr::null_mut();
                }
                if $crate::interpreter::watch::is_watched() {
                    return $crate::interpreter::observe::noargs(receiver, $name.as_ptr(), plain);
                }
                plain(receiver, unused)
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
        #[inline(never)]
        unsafe extern "C" fn plain(
            receiver: *mut pyo3::ffi::PyObject,
            argument: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: as above; METH_O passes one borrowed reference.
            unsafe {
                $crate::interpreter::function::enter(|py| {
                    $body(
                        $crate::interpreter::function::Receiver::from_interpreter(py, receiver),
                        &pyo3::Borrowed::from_ptr(py, argument),
                    )
                })
            }
        }
        unsafe extern "C" fn wrapper(
            receiver: *mut pyo3::ffi::PyObject,
            argument: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: both functions take what the interpreter passes.
            unsafe {
                if !$crate::interpreter::function::can_enter() {
                    return std::ptr::null_mut();
                }
                if $crate::interpreter::watch::is_watched() {
                    return $crate::interpreter::observe::object(receiver, argument, $name.as_ptr(), plain);
                }
                plain(receiver, argument)
            }
        }
        $crate::interpreter::function::entry(
            $name,
            pyo3::ffi::PyMethodDefPointer { PyCFunction: wrapper },
            pyo3::ffi::METH_O,
            $doc,
        )
    }};
    // In CPython these are METH_VARARGS: the error message for keyword arguments names the function without its module.
    (function $name:literal, $body:path, $doc:expr) => {{
        #[inline(never)]
        unsafe extern "C" fn plain(
            receiver: *mut pyo3::ffi::PyObject,
            arguments: *const *mut pyo3::ffi::PyObject,
            count: pyo3::ffi::Py_ssize_t,
            names: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: as above; METH_FASTCALL passes `count` borrowed references, and METH_KEYWORDS `names`, a tuple or null.
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
        unsafe extern "C" fn wrapper(
            receiver: *mut pyo3::ffi::PyObject,
            arguments: *const *mut pyo3::ffi::PyObject,
            count: pyo3::ffi::Py_ssize_t,
            names: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: both functions take what the interpreter passes.
            unsafe {
                if !$crate::interpreter::function::can_enter() {
                    return std::ptr::null_mut();
                }
                if $crate::interpreter::watch::is_watched() {
                    return $crate::interpreter::observe::with_keywords(receiver, arguments, count, names, $name.as_ptr(), plain);
                }
                plain(receiver, arguments, count, names)
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
        #[inline(never)]
        unsafe extern "C" fn plain(
            receiver: *mut pyo3::ffi::PyObject,
            arguments: *mut *mut pyo3::ffi::PyObject,
            count: pyo3::ffi::Py_ssize_t,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: as above; METH_FASTCALL passes `count` borrowed references.
            unsafe {
                $crate::interpreter::function::enter(|py| {
                    $body(
                        $crate::interpreter::function::Receiver::from_interpreter(py, receiver),
                        $crate::interpreter::arguments::Arguments::from_interpreter(py, arguments, count),
                    )
                })
            }
        }
        unsafe extern "C" fn wrapper(
            receiver: *mut pyo3::ffi::PyObject,
            arguments: *mut *mut pyo3::ffi::PyObject,
            count: pyo3::ffi::Py_ssize_t,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: both functions take what the interpreter passes.
            unsafe {
                if !$crate::interpreter::function::can_enter() {
                    return std::ptr::null_mut();
                }
                if $crate::interpreter::watch::is_watched() {
                    return $crate::interpreter::observe::positional(receiver, arguments, count, $name.as_ptr(), plain);
                }
                plain(receiver, arguments, count)
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
        #[inline(never)]
        unsafe extern "C" fn plain(
            receiver: *mut pyo3::ffi::PyObject,
            arguments: *const *mut pyo3::ffi::PyObject,
            count: pyo3::ffi::Py_ssize_t,
            names: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: as above; METH_FASTCALL passes `count` borrowed references, and METH_KEYWORDS one more for each item of `names`, a
            // tuple or null.
            unsafe {
                $crate::interpreter::function::enter(|py| {
                    $body(
                        $crate::interpreter::function::Receiver::from_interpreter(py, receiver),
                        $crate::interpreter::arguments::Keywords::from_interpreter(py, arguments, count, names),
                    )
                })
            }
        }
        unsafe extern "C" fn wrapper(
            receiver: *mut pyo3::ffi::PyObject,
            arguments: *const *mut pyo3::ffi::PyObject,
            count: pyo3::ffi::Py_ssize_t,
            names: *mut pyo3::ffi::PyObject,
        ) -> *mut pyo3::ffi::PyObject {
            // SAFETY: both functions take what the interpreter passes.
            unsafe {
                if !$crate::interpreter::function::can_enter() {
                    return std::ptr::null_mut();
                }
                if $crate::interpreter::watch::is_watched() {
                    return $crate::interpreter::observe::with_keywords(receiver, arguments, count, names, $name.as_ptr(), plain);
                }
                plain(receiver, arguments, count, names)
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

    fn panic_of(panicking: impl FnOnce()) -> Box<dyn Any + Send> {
        catch_unwind(AssertUnwindSafe(panicking)).unwrap_err()
    }

    #[test]
    #[cfg_attr(miri, ignore = "needs the interpreter")]
    fn a_panic_for_lack_of_memory_is_recognised() {
        Python::initialize();
        // SAFETY: null is allowed: the function panics, as this test expects.
        let no_object =
            Python::attach(|py| panic_of(|| drop(unsafe { Bound::<PyAny>::from_owned_ptr(py, ptr::null_mut()) })));
        assert!(is_no_memory(&*no_object), "PyO3 panics in other words");
        let unwrapped = Python::attach(|py| {
            raise::no_memory(py);
            let failed: PyResult<()> = PyErr::take(py).map_or(Ok(()), Err);
            panic_of(|| failed.unwrap())
        });
        assert!(is_no_memory(&*unwrapped), "PyErr is shown in other words");
        assert!(!is_no_memory(&*panic_of(|| panic!("of another kind"))));
    }
}
