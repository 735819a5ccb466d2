//! The name that Python gives a thread.

use std::borrow::Cow;
use std::cell::RefCell;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::attribute;
use crate::interpreter::make::IntoObject;
use crate::interpreter::text::utf8;
use crate::name;
use crate::sys::memory;
use crate::sys::per_thread::PerThread;
use crate::sys::thread::Id;

/// Each thread's name, once it is known.
static NAME: PerThread<RefCell<Option<String>>> = PerThread::new();

/// The name of this thread, as it is when it is first asked for; `?` if there is no memory for it.
pub fn current(py: Python<'_>) -> Cow<'static, str> {
    let id = Id::current();
    if id.is_main() {
        return Cow::Borrowed("MainThread");
    }
    let known = NAME.with_known(|name| name.borrow().as_deref().map(memory::try_to_string)).flatten();
    let found = known.unwrap_or_else(|| match find(py) {
        Some(found) => {
            let copy = memory::try_to_string(&found);
            NAME.with(|name| *name.borrow_mut() = Some(found));
            copy
        }
        // `threading` may not know it yet.
        None => memory::try_format(format_args!("thread {}", id.number())),
    });
    found.map_or(Cow::Borrowed("?"), Cow::Owned)
}

/// What `threading` knows of this thread.
fn find(py: Python<'_>) -> Option<String> {
    // SAFETY: the thread is attached, because `py` exists. The function returns a borrowed reference to a dict, which the interpreter keeps.
    let modules = unsafe { Bound::from_borrowed_ptr(py, ffi::PyImport_GetModuleDict()) };
    let threading = modules.cast::<PyDict>().ok()?.get_item(name!(py, "threading").ok()?).ok()??;
    let active = attribute::own(&threading, name!("_active"))?;
    // SAFETY: always safe.
    let ident = unsafe { ffi::PyThread_get_thread_ident() }.into_object(py).ok()?;
    let thread = active.cast::<PyDict>().ok()?.get_item(ident).ok()??;
    let name = attribute::own(&thread, name!("_name"))?;
    memory::try_to_string(utf8(name.cast_exact::<PyString>().ok()?)?).ok()
}
