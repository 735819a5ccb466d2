//! Whether the public class is as it was made.
//!
//! Methods of this crate call each other straight away where nothing can have been overridden. A subclass overrides, and so does
//! whoever sets an attribute of the class itself, as tests do that put something in the place of `recv_into` for a while.

use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::error::Result;
use crate::name;

/// The attributes of the class when the package had been imported.
static ORIGINAL: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// The versions in which the class was last seen unchanged, and changed. The interpreter gives a class a new one, or 0 for the time
/// being, whenever an attribute is set.
static UNCHANGED: AtomicU32 = AtomicU32::new(0);
static CHANGED: AtomicU32 = AtomicU32::new(0);

/// Remembers what the class is made of. Only the first word counts.
pub fn remember(class: &Bound<'_, PyType>) -> Result<()> {
    let _ = ORIGINAL.set(class.py(), attributes(class)?.unbind());
    Ok(())
}

/// Whether nobody has set an attribute of the class, or all have put back what was there.
#[inline]
pub fn is_pristine(class: &Bound<'_, PyType>) -> bool {
    let version = version(class);
    (version != 0 && version == UNCHANGED.load(Ordering::Relaxed)) || is_unchanged(class, version)
}

fn version(class: &Bound<'_, PyType>) -> u32 {
    // SAFETY: a class, which lives; the interpreter writes the field as a whole.
    unsafe { AtomicU32::from_ptr(&raw mut (*class.as_type_ptr()).tp_version_tag).load(Ordering::Relaxed) }
}

#[cold]
fn is_unchanged(class: &Bound<'_, PyType>, version: u32) -> bool {
    if version != 0 && version == CHANGED.load(Ordering::Relaxed) {
        return false;
    }
    let unchanged = match has_original_attributes(class) {
        Ok(unchanged) => unchanged,
        Err(error) => {
            // For want of memory: what there is to see is not seen. The next one looks again.
            error.discard(class.py());
            return false;
        }
    };
    let seen = if unchanged { &UNCHANGED } else { &CHANGED };
    seen.store(version, Ordering::Relaxed);
    unchanged
}

fn has_original_attributes(class: &Bound<'_, PyType>) -> Result<bool> {
    let Some(made_of) = ORIGINAL.get(class.py()) else {
        return Ok(false);
    };
    let (then, now) = (made_of.bind(class.py()), attributes(class)?);
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
