//! Finds `gaierror` and `herror`: the very classes of the interpreter's own module, so that a program which catches the one catches the other.

use std::ffi::CStr;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::resolver::{Classes, set_classes};
use crate::error::{Error, Result};
use crate::name;

/// Finds the classes, and has failed look-ups raise them.
pub fn find(py: Python<'_>) -> Result<()> {
    // Nothing is locked meanwhile: an import runs Python code, which may come back here.
    set_classes(py, find_classes(py)?);
    Ok(())
}

fn find_classes(py: Python<'_>) -> Result<Classes> {
    if let Some(original) = original_module(py)?
        && let Some(classes) = if_any(py, classes_of(&original))?
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

/// What was found, or nothing where it failed; but for want of memory, which tells nothing of what there is.
fn if_any<T>(py: Python<'_>, found: Result<T>) -> Result<Option<T>> {
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

/// The interpreter's own `_socket`, also where this module has taken its place.
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

/// The module, if it is the interpreter's own: the class `Socket` is an addition of this one's.
fn if_original<'py>(py: Python<'py>, module: Result<Bound<'py, PyAny>>) -> Result<Option<Bound<'py, PyAny>>> {
    let is_original = |module: &Bound<'py, PyAny>| {
        Ok(module.hasattr(name!(py, "gaierror")?)? && !module.hasattr(name!(py, "Socket")?)?)
    };
    let Some(module) = if_any(py, module)? else {
        return Ok(None);
    };
    Ok(if_any(py, is_original(&module))?.unwrap_or(false).then_some(module))
}

/// Loads what one of `importlib.machinery`'s finders knows as `_socket`, and leaves in its place what is there already.
fn load<'py>(py: Python<'py>, finder: &Bound<'py, PyString>) -> Result<Bound<'py, PyAny>> {
    let name = name!(py, "_socket")?;
    let modules = py.import(name!(py, "sys")?)?.getattr(name!(py, "modules")?)?;
    let present = if_any(py, modules.get_item(name).map_err(Error::from))?;
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
    let maker = py.import(name!(py, "importlib.util")?)?;
    let module = maker.call_method1(name!(py, "module_from_spec")?, (&spec,))?;
    spec.getattr(name!(py, "loader")?)?.call_method1(name!(py, "exec_module")?, (&module,))?;
    Ok(module)
}
