//! Families and types as members of `AddressFamily` and `SocketKind`, the enumerations that the Python package makes.

use std::ffi::c_int;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::package::registered;
use crate::error::{Error, Result};
use crate::interpreter::ObjectResult;
use crate::interpreter::make::IntoObject;
use crate::interpreter::slot::Slot;

/// The numbers from 0 to this have a place in the cache of members; others are looked up each time.
const CACHED: usize = 64;

/// An enumeration that the package made, and a cache of its members.
///
/// Python code makes an enumeration's members, and any Python code may come to ask for a family: a finalizer, a tracer. So no lock is held
/// while it runs. Each caller that has found a member puts it into the cache, where another may have put it meanwhile.
struct Enumeration {
    class: Slot,
    members: [Slot; CACHED],
}

static FAMILIES: Enumeration = Enumeration::empty();
static TYPES: Enumeration = Enumeration::empty();

/// Replaces both enumerations, and returns what is no longer needed: to be dropped by the caller, as that may run Python code.
pub fn replace<'py>(families: &Bound<'py, PyAny>, types: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
    let mut old = FAMILIES.replace(families);
    old.extend(TYPES.replace(types));
    old
}

/// `AddressFamily(number)`, or the number where the enum has no such member.
pub fn family(py: Python<'_>, number: c_int) -> Result<Bound<'_, PyAny>> {
    FAMILIES.member(py, number)
}

/// `SocketKind(number)`, or the number where the enum has no such member.
pub fn kind(py: Python<'_>, number: c_int) -> Result<Bound<'_, PyAny>> {
    TYPES.member(py, number)
}

impl Enumeration {
    const fn empty() -> Self {
        Enumeration { class: Slot::empty(), members: [const { Slot::empty() }; CACHED] }
    }

    /// Puts a class in the place of the one before, and gives back what is needed no more.
    fn replace<'py>(&self, class: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
        let py = class.py();
        // The class first: a caller that puts a member of the old one into the cache from now on sees that it is old.
        let old = self.class.replace(py, Some(class.clone()));
        old.into_iter().chain(self.members.iter().filter_map(|member| member.replace(py, None))).collect()
    }

    fn member<'py>(&self, py: Python<'py>, number: c_int) -> ObjectResult<'py> {
        let place = usize::try_from(number).ok().and_then(|number| self.members.get(number));
        match place.and_then(|place| place.get(py)) {
            Some(member) => Ok(member),
            None => self.find(py, number, place),
        }
    }

    #[cold]
    fn find<'py>(&self, py: Python<'py>, number: c_int, place: Option<&Slot>) -> ObjectResult<'py> {
        let class = registered(py, &self.class)?;
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
