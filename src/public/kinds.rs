//! What the Python package makes and the class needs: families and types as members of `AddressFamily` and `SocketKind`, and the classes
//! that go by the names `socket` and `SocketIO`.

use std::ffi::c_int;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::error::{Class, Error, Result};
use crate::interpreter::arguments::Arguments;
use crate::interpreter::function::Returned;
use crate::interpreter::make::IntoObject;
use crate::interpreter::slot::Slot;
use crate::name;
use crate::public::class;

/// Numbers that have a place in the memory of members; others are looked up each time.
const REMEMBERED: usize = 64;

/// An enumeration that the package made, and its members found so far.
///
/// Python code makes an enumeration's members, and any Python code can come to ask for a family: a collector's, a tracer's. So nothing is
/// held while it runs. Whoever has found a member puts it into the memory, where somebody else may have put it meanwhile.
struct Kinds {
    class: Slot,
    members: [Slot; REMEMBERED],
}

static FAMILIES: Kinds = Kinds::unknown();
static TYPES: Kinds = Kinds::unknown();
/// The names of the package, as its code sees them.
static NAMES: Slot = Slot::empty();

/// `_adopt(AddressFamily, SocketKind, names)`: the Python package hands over what it made. The last word counts: who throws the package out of
/// `sys.modules` and imports it again gets the members of the new one's enumerations.
pub fn adopt<'py>(py: Python<'py>, arguments: Arguments<'_, 'py>) -> Returned<'py> {
    let given = |index| {
        let given = arguments.get(index).ok_or_else(|| Error::type_error("_adopt() takes two classes and a dict"))?;
        Ok::<_, Error>(given.to_owned())
    };
    let (families, types, names) = (given(0)?, given(1)?, given(2)?.cast_into::<PyDict>().map_err(PyErr::from)?);
    // What there was goes when all has been replaced: that may run Python code.
    let mut old = FAMILIES.replace(&families);
    old.extend(TYPES.replace(&types));
    old.extend(NAMES.replace(py, Some(names.into_any())));
    drop(old);
    class::finish(py)?;
    Ok(py.None().into_bound(py))
}

/// `AddressFamily(number)`, or the number where the enum has no such member.
pub fn family(py: Python<'_>, number: c_int) -> Result<Bound<'_, PyAny>> {
    FAMILIES.member(py, number)
}

/// `SocketKind(number)`, or the number where the enum has no such member.
pub fn kind(py: Python<'_>, number: c_int) -> Result<Bound<'_, PyAny>> {
    TYPES.member(py, number)
}

/// What goes by a name in the package: a class of it, unless somebody has put another in its place.
pub fn named<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> Result<Bound<'py, PyAny>> {
    let names = handed_over(py, &NAMES)?.cast_into::<PyDict>().map_err(PyErr::from)?;
    names.get_item(name)?.ok_or_else(|| Error::about(Class::Name, c"name ", name, c" is not defined"))
}

impl Kinds {
    const fn unknown() -> Self {
        Kinds { class: Slot::empty(), members: [const { Slot::empty() }; REMEMBERED] }
    }

    /// Puts a class in the place of the one before, and gives back what is needed no more.
    fn replace<'py>(&self, class: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
        let py = class.py();
        // The class first: who puts a member of the old one into the memory from now on sees that it is old.
        let old = self.class.replace(py, Some(class.clone()));
        old.into_iter().chain(self.members.iter().filter_map(|member| member.replace(py, None))).collect()
    }

    fn member<'py>(&self, py: Python<'py>, number: c_int) -> Returned<'py> {
        let place = usize::try_from(number).ok().and_then(|number| self.members.get(number));
        match place.and_then(|place| place.get(py)) {
            Some(member) => Ok(member),
            None => self.find(py, number, place),
        }
    }

    #[cold]
    fn find<'py>(&self, py: Python<'py>, number: c_int, place: Option<&Slot>) -> Returned<'py> {
        let class = handed_over(py, &self.class)?;
        let member = match class.call1((number.into_object(py)?,)) {
            Err(error) if error.is_instance_of::<PyValueError>(py) => {
                Error::from(error).discard(py);
                number.into_object(py)?
            }
            found => found?,
        };
        if let Some(place) = place {
            drop(place.replace(py, Some(member.clone())));
            if !self.class.is(&class) {
                drop(place.replace(py, None));
            }
        }
        Ok(member)
    }
}

/// What the package has put into a slot.
fn handed_over<'py>(py: Python<'py>, slot: &Slot) -> Returned<'py> {
    if let Some(given) = slot.get(py) {
        return Ok(given);
    }
    py.import(name!(py, "oxisocket")?)?;
    slot.get(py).ok_or_else(|| Error::runtime("the package oxisocket did not hand over its names"))
}
