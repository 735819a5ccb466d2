//! The name that Python gives a thread.

use std::cell::RefCell;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::attribute;
use crate::interpreter::make::IntoObject;
use crate::interpreter::text::utf8;
use crate::name;
use crate::sys::thread::Id;

thread_local! {
    static NAME: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The name of this thread, as it is when it is first asked for.
pub fn current(py: Python<'_>) -> String {
    if let Some(name) = NAME.with(|name| name.borrow().clone()) {
        return name;
    }
    let id = Id::current();
    let known = if id.is_main() { Some("MainThread".to_owned()) } else { find(py) };
    let Some(found) = known else {
        // `threading` may not know it yet.
        return format!("thread {}", id.number());
    };
    NAME.with(|name| *name.borrow_mut() = Some(found.clone()));
    found
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
    utf8(name.cast_exact::<PyString>().ok()?).map(str::to_owned)
}
