//! A place in a program's code: where the function that runs now was called from.

use std::ffi::c_int;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::make::Name;
use super::owned;
use super::text::utf8;
use crate::error::{Error, Result};
use crate::name;
use crate::sys::memory;

/// A place: the code of a function, and the instruction in it. Its file and line are looked up only when they are asked for, and no frame
/// is kept.
#[derive(Debug)]
pub struct Place {
    code: Py<PyAny>,
    instruction: c_int,
}

/// A place as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file, as tracebacks show it.
    pub file: String,
    /// The line's number.
    pub number: c_int,
}

impl Place {
    /// The nearest place among the callers whose file is one that `is_wanted`; `None` if there is none.
    pub fn of_caller(py: Python<'_>, is_wanted: impl Fn(&str) -> bool) -> Result<Option<Self>> {
        // SAFETY: the thread is attached, because `py` exists. The function returns a borrowed reference to the frame that runs now, or null.
        let mut frame = unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyEval_GetFrame().cast()) };
        while let Some(current) = frame {
            let pointer = current.as_ptr().cast::<ffi::PyFrameObject>();
            // SAFETY: `current` is a frame, and alive. The function returns a new reference to its code.
            let code = unsafe { owned(py, ffi::PyFrame_GetCode(pointer).cast())? };
            if with_file_of(&code, &is_wanted)? {
                // SAFETY: `current` is a frame.
                let instruction = unsafe { ffi::PyFrame_GetLasti(pointer) };
                return Ok(Some(Place { code: code.unbind(), instruction }));
            }
            // SAFETY: `current` is a frame. The function returns a new reference to the one that called it, or null for the outermost frame.
            frame = unsafe { Bound::from_owned_ptr_or_opt(py, ffi::PyFrame_GetBack(pointer).cast()) };
        }
        // The interpreter makes the objects of frames when they are asked for.
        if PyErr::occurred(py) { Err(Error::Raised) } else { Ok(None) }
    }

    /// The file and the line.
    pub fn line(&self, py: Python<'_>) -> Result<Line> {
        let code = self.code.bind(py);
        let file = with_file_of(code, |file| memory::try_format(format_args!("{file}")))??;
        // SAFETY: `code` is a code object, and the instruction is an offset in it.
        let number = unsafe { ffi::PyCode_Addr2Line(code.as_ptr().cast(), self.instruction) };
        Ok(Line { file, number })
    }

    /// The same place again.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Place { code: self.code.clone_ref(py), instruction: self.instruction }
    }

    /// Drops the place. (A plain drop would leave the release of the code to PyO3, which defers it.)
    pub fn release(self, py: Python<'_>) {
        drop(self.code.into_bound(py));
    }
}

/// Calls a function with the file of a code object.
fn with_file_of<T>(code: &Bound<'_, PyAny>, function: impl FnOnce(&str) -> T) -> Result<T> {
    let file = code.getattr(name!(code.py(), "co_filename")?)?;
    let file = file.cast::<PyString>().ok().and_then(utf8);
    file.map(function).ok_or_else(|| Error::runtime("the name of a file is not UTF-8"))
}

/// The folder of a module's file, with a separator at the end; `None` if the module is not loaded, or has no file.
pub fn folder_of(py: Python<'_>, module: &'static Name) -> Result<Option<String>> {
    // SAFETY: the thread is attached, because `py` exists. The function returns a borrowed reference to a dict, which the interpreter keeps.
    let modules = unsafe { Bound::from_borrowed_ptr(py, ffi::PyImport_GetModuleDict()) };
    let Some(module) = modules.cast::<PyDict>()?.get_item(module.get(py)?)? else {
        return Ok(None);
    };
    let file = module.getattr(name!(py, "__file__")?)?;
    match file.cast::<PyString>().ok().and_then(utf8).and_then(|file| file.rsplit_once('/')) {
        Some((folder, _)) => Ok(Some(memory::try_format(format_args!("{folder}/"))?)),
        None => Ok(None),
    }
}
