//! `gaierror` and `herror`: the interpreter's own classes.

use std::ffi::{CStr, c_int};

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::{self, Error, Result};
use crate::sys::resolver;

/// Raises `gaierror(code, text)`, or the `OSError` that the code says is behind it.
#[cold]
pub fn raise_gaierror(py: Python<'_>, code: c_int) {
    if code == libc::EAI_SYSTEM {
        return Error::from(std::io::Error::last_os_error()).raise(py);
    }
    match classes(py) {
        Ok((gaierror, _)) => error::raise_coded(py, &gaierror, code, resolver::gai_strerror(code)),
        Err(error) => error.raise(py),
    }
}

/// Raises `herror(code, text)`.
#[cold]
pub fn raise_herror(py: Python<'_>, code: c_int) {
    match classes(py) {
        Ok((_, herror)) => error::raise_coded(py, &herror, code, resolver::hstrerror(code)),
        Err(error) => error.raise(py),
    }
}

type Classes = (Py<PyAny>, Py<PyAny>);

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

/// `gaierror` and `herror`: the very classes of the interpreter's own module, so that who catches the one catches the other.
pub fn classes(py: Python<'_>) -> Result<(Bound<'_, PyAny>, Bound<'_, PyAny>)> {
    if CLASSES.get(py).is_none() {
        // Not within the lock: an import runs Python code, which may come back here.
        let _first_wins = CLASSES.set(py, find_classes(py)?);
    }
    let (gaierror, herror) = CLASSES.get(py).ok_or_else(|| Error::runtime("no classes"))?;
    Ok((gaierror.bind(py).clone(), herror.bind(py).clone()))
}

fn find_classes(py: Python<'_>) -> Result<Classes> {
    match original_module(py).and_then(|original| classes_of(&original).ok()) {
        Some(classes) => Ok(classes),
        None => Ok((new_class(py, c"socket.gaierror")?, new_class(py, c"socket.herror")?)),
    }
}

fn classes_of(module: &Bound<'_, PyAny>) -> PyResult<Classes> {
    Ok((module.getattr("gaierror")?.unbind(), module.getattr("herror")?.unbind()))
}

fn new_class(py: Python<'_>, name: &CStr) -> Result<Py<PyAny>> {
    let base = py.get_type::<PyOSError>();
    Ok(PyErr::new_type(py, name, None, Some(&base), None)?.into_any())
}

/// The interpreter's own `_socket`, also where this module has taken its place.
fn original_module(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let imported = py.import("_socket").ok().map(Bound::into_any);
    let finders = ["BuiltinImporter", "PathFinder"];
    let loaded = || finders.iter().find_map(|finder| load(py, finder).ok().filter(is_original));
    imported.filter(is_original).or_else(loaded)
}

/// The class `Socket` is an addition of this module's.
fn is_original(module: &Bound<'_, PyAny>) -> bool {
    let has = |name: &str| module.hasattr(name).unwrap_or(false);
    has("gaierror") && !has("Socket")
}

/// Loads what one of `importlib.machinery`'s finders knows as `_socket`, and leaves in its place what is there already.
fn load<'py>(py: Python<'py>, finder: &str) -> PyResult<Bound<'py, PyAny>> {
    let modules = py.import("sys")?.getattr("modules")?;
    let present = modules.get_item("_socket");
    let loaded = load_from(py, finder);
    if let Ok(present) = present {
        modules.set_item("_socket", present)?;
    }
    loaded
}

fn load_from<'py>(py: Python<'py>, finder: &str) -> PyResult<Bound<'py, PyAny>> {
    let finder = py.import("importlib.machinery")?.getattr(finder)?;
    let spec = finder.call_method1("find_spec", ("_socket",))?;
    let module = py.import("importlib.util")?.call_method1("module_from_spec", (&spec,))?;
    spec.getattr("loader")?.call_method1("exec_module", (&module,))?;
    Ok(module)
}
