//! Finds `gaierror` and `herror` in the interpreter's own `_socket`. The classes are the same objects, so that `except socket.gaierror`
//! catches the errors of both modules.

use std::ffi::CStr;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::resolver::{Classes, set_classes};
use crate::error::{Error, Result};
use crate::name;

/// Finds the classes and sets them as what failed lookups raise.
pub fn find(py: Python<'_>) -> Result<()> {
    // No lock is held meanwhile: an import runs Python code, which may call this function again.
    set_classes(py, find_classes(py)?);
    Ok(())
}

/// The classes of the interpreter's own module, or new ones if there is no such module.
fn find_classes(py: Python<'_>) -> Result<Classes> {
    if let Some(original) = original_module(py)?
        && let Some(classes) = none_on_error(py, classes_of(&original))?
    {
        return Ok(classes);
    }
    Ok(Classes { gaierror: new_class(py, c"socket.gaierror")?, herror: new_class(py, c"socket.herror")? })
}

fn classes_of(module: &Bound<'_, PyAny>) -> Result<Classes> {
    let py = module.py();
    Ok(Classes {
        gaierror: module.getattr(name!(py, "gaierror")?)?.unbind(),
        herror: module.getattr(name!(py, "herror")?)?.unbind(),
    })
}

/// `None` instead of an error, except for `MemoryError`, which does not show that something is missing.
fn none_on_error<T>(py: Python<'_>, found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_no_memory(py) => Err(error),
        Err(error) => {
            error.discard(py);
            Ok(None)
        }
    }
}

fn new_class(py: Python<'_>, name: &CStr) -> Result<Py<PyAny>> {
    let base = py.get_type::<PyOSError>();
    Ok(PyErr::new_type(py, name, None, Some(&base), None)?.into_any())
}

/// The interpreter's own `_socket`, even if this module has replaced it in `sys.modules`.
fn original_module(py: Python<'_>) -> Result<Option<Bound<'_, PyAny>>> {
    let imported = name!(py, "_socket").and_then(|name| Ok(py.import(name)?.into_any()));
    if let Some(original) = if_original(py, imported)? {
        return Ok(Some(original));
    }
    let (built_in, on_path) = (name!(py, "BuiltinImporter")?, name!(py, "PathFinder")?);
    match if_original(py, load(py, built_in))? {
        Some(original) => Ok(Some(original)),
        None => if_original(py, load(py, on_path)),
    }
}

/// The module, if it is the interpreter's own. Only this crate's module has the class `Socket`.
fn if_original<'py>(py: Python<'py>, module: Result<Bound<'py, PyAny>>) -> Result<Option<Bound<'py, PyAny>>> {
    let is_original = |module: &Bound<'py, PyAny>| {
        Ok(module.hasattr(name!(py, "gaierror")?)? && !module.hasattr(name!(py, "Socket")?)?)
    };
    let Some(module) = none_on_error(py, module)? else {
        return Ok(None);
    };
    Ok(none_on_error(py, is_original(&module))?.unwrap_or(false).then_some(module))
}

/// Loads the `_socket` that a finder of `importlib.machinery` finds. An entry that `sys.modules` already has is kept.
fn load<'py>(py: Python<'py>, finder: &Bound<'py, PyString>) -> Result<Bound<'py, PyAny>> {
    let name = name!(py, "_socket")?;
    let modules = py.import(name!(py, "sys")?)?.getattr(name!(py, "modules")?)?;
    let present = none_on_error(py, modules.get_item(name).map_err(Error::from))?;
    let loaded = load_from(py, finder, name);
    if let Some(present) = present {
        modules.set_item(name, present)?;
    }
    loaded
}

fn load_from<'py>(
    py: Python<'py>,
    finder: &Bound<'py, PyString>,
    name: &Bound<'py, PyString>,
) -> Result<Bound<'py, PyAny>> {
    let finder = py.import(name!(py, "importlib.machinery")?)?.getattr(finder)?;
    let spec = finder.call_method1(name!(py, "find_spec")?, (name,))?;
    let util = py.import(name!(py, "importlib.util")?)?;
    let module = util.call_method1(name!(py, "module_from_spec")?, (&spec,))?;
    spec.getattr(name!(py, "loader")?)?.call_method1(name!(py, "exec_module")?, (&module,))?;
    Ok(module)
}
