//! Families and types as members of `AddressFamily` and `SocketKind`, which the Python package makes.

use std::ffi::c_int;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::{Error, Result};
use crate::interpreter::arguments::Arguments;
use crate::interpreter::function::Returned;

/// Numbers that have a place in the memory of members; others are looked up each time.
const REMEMBERED: usize = 64;

/// The classes that the Python package makes, and the members found so far.
struct Classes {
    family: Py<PyAny>,
    kind: Py<PyAny>,
    file: Py<PyAny>,
    families: [PyOnceLock<Py<PyAny>>; REMEMBERED],
    kinds: [PyOnceLock<Py<PyAny>>; REMEMBERED],
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

/// `_adopt(AddressFamily, SocketKind, SocketIO)`: the Python package hands over the classes it made. Only its first word counts.
pub fn adopt<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let class = |index| {
        let class = arguments.get(index).ok_or_else(|| Error::type_error("_adopt() takes three classes"))?;
        Ok::<_, Error>(class.to_owned().unbind())
    };
    let classes = Classes {
        family: class(0)?,
        kind: class(1)?,
        file: class(2)?,
        families: [const { PyOnceLock::new() }; REMEMBERED],
        kinds: [const { PyOnceLock::new() }; REMEMBERED],
    };
    let _ = CLASSES.set(py, classes);
    Ok(py.None().into_bound(py))
}

fn classes(py: Python<'_>) -> Result<&'static Classes> {
    if let Some(classes) = CLASSES.get(py) {
        return Ok(classes);
    }
    py.import("oxisocket")?;
    CLASSES.get(py).ok_or_else(|| Error::runtime("the package oxisocket did not hand over its classes"))
}

/// `AddressFamily(number)`, or the number where the enum has no such member.
pub fn family(py: Python<'_>, number: c_int) -> Result<Bound<'_, PyAny>> {
    let classes = classes(py)?;
    member(py, &classes.family, &classes.families, number)
}

/// `SocketKind(number)`, or the number where the enum has no such member.
pub fn kind(py: Python<'_>, number: c_int) -> Result<Bound<'_, PyAny>> {
    let classes = classes(py)?;
    member(py, &classes.kind, &classes.kinds, number)
}

/// `SocketIO`.
pub fn file_class(py: Python<'_>) -> Result<&Bound<'_, PyAny>> {
    Ok(classes(py)?.file.bind(py))
}

fn member<'py>(
    py: Python<'py>,
    class: &Py<PyAny>,
    remembered: &'static [PyOnceLock<Py<PyAny>>; REMEMBERED],
    number: c_int,
) -> Result<Bound<'py, PyAny>> {
    let look_up = || match class.bind(py).call1((number,)) {
        Err(error) if error.is_instance_of::<PyValueError>(py) => {
            Error::from(error).discard(py);
            Ok(number.into_pyobject(py)?.into_any().unbind())
        }
        found => found.map(Bound::unbind),
    };
    match usize::try_from(number).ok().and_then(|place| remembered.get(place)) {
        Some(place) => Ok(place.get_or_try_init(py, look_up)?.bind(py).clone()),
        None => Ok(look_up()?.into_bound(py)),
    }
}
