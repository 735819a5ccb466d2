//! Whether the public class is unchanged since the package was imported.
//!
//! Methods of this crate call each other directly if no method is overridden. A subclass can override one. A program can also set an
//! attribute of the class itself, as tests do that replace `recv_into` for a while.

use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::error::Result;
use crate::interpreter::class::version;
use crate::name;

/// The attributes of the class, recorded when the package was imported.
static ORIGINAL: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// The version tags under which the class was last found unchanged, and changed. Whenever an attribute of a class is set, the interpreter
/// gives it a new tag, or 0 until the tag is needed.
static UNCHANGED_VERSION: AtomicU32 = AtomicU32::new(0);
static CHANGED_VERSION: AtomicU32 = AtomicU32::new(0);

/// Records the attributes of the class. Only the first call has an effect.
pub fn remember(class: &Bound<'_, PyType>) -> Result<()> {
    let _ = ORIGINAL.set(class.py(), attributes(class)?.unbind());
    Ok(())
}

/// Whether each attribute of the class is the original one: none was set, or all that were set have been restored.
#[inline]
pub fn is_pristine(class: &Bound<'_, PyType>) -> bool {
    let version = version(class.as_borrowed());
    (version != 0 && version == UNCHANGED_VERSION.load(Ordering::Relaxed)) || is_unchanged(class, version)
}

#[cold]
fn is_unchanged(class: &Bound<'_, PyType>, version: u32) -> bool {
    if version != 0 && version == CHANGED_VERSION.load(Ordering::Relaxed) {
        return false;
    }
    let unchanged = match has_original_attributes(class) {
        Ok(unchanged) => unchanged,
        Err(error) => {
            // There was no memory for the comparison. The answer is the safe one and not cached: the next call compares again.
            error.discard(class.py());
            return false;
        }
    };
    let last_seen = if unchanged { &UNCHANGED_VERSION } else { &CHANGED_VERSION };
    last_seen.store(version, Ordering::Relaxed);
    unchanged
}

fn has_original_attributes(class: &Bound<'_, PyType>) -> Result<bool> {
    let Some(original) = ORIGINAL.get(class.py()) else {
        return Ok(false);
    };
    let (then, now) = (original.bind(class.py()), attributes(class)?);
    let is_still = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        now.get_item(name).is_ok_and(|found| found.is_some_and(|found| found.is(&value)))
    };
    Ok(then.len() == now.len() && then.iter().all(is_still))
}

fn attributes<'py>(class: &Bound<'py, PyType>) -> Result<Bound<'py, PyDict>> {
    let py = class.py();
    let copy = class.getattr(name!(py, "__dict__")?)?.call_method0(name!(py, "copy")?)?;
    Ok(copy.cast_into::<PyDict>().map_err(PyErr::from)?)
}
