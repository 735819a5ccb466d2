//! What the Python package makes and the class needs: families and types as members of `AddressFamily` and `SocketKind`, and the classes
//! that go by the names `socket` and `SocketIO`.

use std::ffi::c_int;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use crate::error::{Class, Error, Result};
use crate::interpreter::arguments::Arguments;
use crate::interpreter::function::Returned;
use crate::interpreter::make::IntoObject;
use crate::name;
use crate::public::class;

/// Numbers that have a place in the memory of members; others are looked up each time.
const REMEMBERED: usize = 64;

/// What the Python package makes, and the members found so far.
struct Package {
    family: Py<PyAny>,
    kind: Py<PyAny>,
    families: [PyOnceLock<Py<PyAny>>; REMEMBERED],
    kinds: [PyOnceLock<Py<PyAny>>; REMEMBERED],
    names: Py<PyDict>,
}

static PACKAGE: PyOnceLock<Package> = PyOnceLock::new();

/// `_adopt(AddressFamily, SocketKind, names)`: the Python package hands over what it made. Only its first word counts.
pub fn adopt<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let given = |index| {
        let given = arguments.get(index).ok_or_else(|| Error::type_error("_adopt() takes two classes and a dict"))?;
        Ok::<_, Error>(given.to_owned())
    };
    let package = Package {
        family: given(0)?.unbind(),
        kind: given(1)?.unbind(),
        families: [const { PyOnceLock::new() }; REMEMBERED],
        kinds: [const { PyOnceLock::new() }; REMEMBERED],
        names: given(2)?.cast_into::<PyDict>().map_err(PyErr::from)?.unbind(),
    };
    let _ = PACKAGE.set(py, package);
    class::finish(py)?;
    Ok(py.None().into_bound(py))
}

fn package(py: Python<'_>) -> Result<&'static Package> {
    if let Some(package) = PACKAGE.get(py) {
        return Ok(package);
    }
    py.import(name!(py, "oxisocket")?)?;
    PACKAGE.get(py).ok_or_else(|| Error::runtime("the package oxisocket did not hand over its names"))
}

/// `AddressFamily(number)`, or the number where the enum has no such member.
pub fn family(py: Python<'_>, number: c_int) -> Result<Bound<'_, PyAny>> {
    let package = package(py)?;
    member(py, &package.family, &package.families, number)
}

/// `SocketKind(number)`, or the number where the enum has no such member.
pub fn kind(py: Python<'_>, number: c_int) -> Result<Bound<'_, PyAny>> {
    let package = package(py)?;
    member(py, &package.kind, &package.kinds, number)
}

/// What goes by a name in the package: a class of it, unless somebody has put another in its place.
pub fn named<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> Result<Bound<'py, PyAny>> {
    let found = package(py)?.names.bind(py).get_item(name)?;
    found.ok_or_else(|| Error::about(Class::Name, c"name ", name, c" is not defined"))
}

fn member<'py>(
    py: Python<'py>,
    class: &Py<PyAny>,
    remembered: &'static [PyOnceLock<Py<PyAny>>; REMEMBERED],
    number: c_int,
) -> Result<Bound<'py, PyAny>> {
    let look_up = || match class.bind(py).call1((number.into_object(py)?,)) {
        Err(error) if error.is_instance_of::<PyValueError>(py) => {
            Error::from(error).discard(py);
            Ok(number.into_object(py)?.unbind())
        }
        found => Ok::<_, Error>(found?.unbind()),
    };
    match usize::try_from(number).ok().and_then(|place| remembered.get(place)) {
        Some(place) => Ok(place.get_or_try_init(py, look_up)?.bind(py).clone()),
        None => Ok(look_up()?.into_bound(py)),
    }
}
